"""Does a hand cut what it points at, and do layers that belong together move as one?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import Board

pytestmark = pytest.mark.browser
Visit = Callable[..., Board]


def by_units(board: Board, label: str = "Neurons and filters", word: str = "units") -> None:
    """Cut whole units from now on."""
    board.choose("Granularity", label)
    board.until("units to cut", lambda: f"{word} kept" in board.root.inner_text())
    board.until("full validation", board.is_full)


def focus(board: Board, layer: str) -> None:
    """Look at a layer."""
    board.page.get_by_test_id(f"row-{layer}").locator(".name").click()
    board.until("the picture", lambda: board.root.locator(".why .title").inner_text() == layer)
    board.until("the heatmap", board.heatmap.is_visible)


def picture(board: Board) -> str:
    return str(board.heatmap.evaluate("canvas => canvas.toDataURL()"))


def bars(board: Board) -> list[str]:
    """The shapes of the per-class bars."""
    paths = board.page.locator(".js-plotly-plot .bars path")
    return [str(x) for x in paths.evaluate_all("all => all.map(x => x.getAttribute('d'))")]


def place(board: Board, x: float, y: float) -> tuple[float, float]:
    """A point of the heatmap, by shares of its width and height."""
    board.heatmap.scroll_into_view_if_needed()
    box = board.heatmap.bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def kept(board: Board, layer: str) -> str:
    return board.page.get_by_test_id(f"kept-{layer}").inner_text()


def by_hand(board: Board) -> list[int]:
    """[cut, kept] by hand, as the toolbar of the picture says."""
    marks = board.page.get_by_test_id("by-hand")
    return [int(x.replace(",", "")) for x in marks.locator(".mark").all_inner_texts()]


def test_a_filter_clicked_away_stays_away_and_comes_back_by_undo(visit: Visit) -> None:
    board = visit("?model=lenet5")
    by_units(board)
    board.click("lock-conv1")
    focus(board, "conv1")
    board.page.mouse.click(*place(board, 0.5, 2.5 / 6))
    board.page.wait_for_timeout(300)
    assert kept(board, "conv1") == "6 / 6", "who only looks cuts nothing"
    before, drawn, looked = board.numbers(), bars(board), picture(board)

    board.page.get_by_test_id("tool-cut").click()
    with board.changing_address():
        board.page.mouse.click(*place(board, 0.5, 2.5 / 6))
    assert kept(board, "conv1") == "5 / 6"
    assert by_hand(board) == [1, 0]
    assert "1 by hand" in board.page.get_by_test_id("row-conv1").inner_text()
    assert picture(board) != looked
    assert float(board.word("accuracy")) < float(before.accuracy)
    board.until("the bars of the classes", lambda: bars(board) != drawn)

    with board.changing_address():
        board.drag(board.slider("conv1"), 0.0, 0.5)
    assert by_hand(board) == [1, 0]
    assert kept(board, "conv1") == "3 / 6"
    # Back at the address of two steps before: it must be there before an undo is waited for.
    with board.changing_address():
        board.type("number-conv1", "0")
    assert kept(board, "conv1") == "5 / 6", "the one cut by hand stays cut"

    for _ in range(3):
        with board.changing_address():
            board.click("undo")
    assert kept(board, "conv1") == "6 / 6"
    assert board.numbers() == before
    board.until("the bars of the classes", lambda: bars(board) == drawn)
    board.page.mouse.move(5, 5)
    assert picture(board) == looked


def test_a_second_click_gives_a_filter_back(visit: Visit) -> None:
    board = visit("?model=lenet5")
    by_units(board)
    focus(board, "conv2")
    board.page.get_by_test_id("tool-keep").click()
    for expected in ([1, 0], [0, 0], [1, 0]):
        tool = "keep" if expected != [1, 0] else "cut"
        board.page.get_by_test_id(f"tool-{tool}").click()
        with board.settling():
            board.page.mouse.click(*place(board, 0.5, 4.5 / 16))
        if expected == [0, 0]:  # the keeping tool on what was cut keeps it; again gives it back
            assert by_hand(board) == [0, 1]
            with board.settling():
                board.page.mouse.click(*place(board, 0.5, 4.5 / 16))
            assert not board.page.get_by_test_id("by-hand").is_visible()
        else:
            assert by_hand(board) == expected


def test_units_are_cut_by_keyboard_alone(visit: Visit) -> None:
    board = visit("?model=lenet5")
    by_units(board)
    focus(board, "conv2")
    board.page.get_by_test_id("tool-look").focus()
    board.page.keyboard.press("ArrowRight")
    assert board.page.get_by_test_id("tool-cut").get_attribute("aria-checked") == "true"
    field = board.page.get_by_test_id("unit-number")
    field.fill("99")
    field.press("Tab")
    board.page.keyboard.press("Enter")
    status = board.root.locator(".message")
    board.until("a refusal", lambda: "from 0 to 15" in status.inner_text())
    field.fill("7")
    with board.settling():
        field.press("Tab")
        board.page.keyboard.press("Enter")
    assert by_hand(board) == [1, 0]
    field.fill("8")
    with board.settling():
        board.page.get_by_test_id("unit-keep").click()
    assert by_hand(board) == [1, 1]
    with board.settling():
        board.page.get_by_test_id("unit-unpin").click()
    assert by_hand(board) == [1, 0]
    with board.settling():
        board.page.get_by_test_id("unpin-all").click()
    assert kept(board, "conv2") == "16 / 16"


def test_a_residual_group_moves_as_one(visit: Visit) -> None:
    board = visit("?model=resnet20")
    by_units(board)
    group = ("layer2.0.conv2", "layer2.0.downsample.0", "layer2.1.conv2", "layer2.2.conv2")
    whole = {}
    for name in group:
        focus(board, name)
        whole[name] = picture(board)
        sign = board.page.get_by_test_id(f"row-{name}").get_by_role("img", name="moves together")
        said = sign.get_attribute("aria-label") or ""
        assert all(other in said for other in group if other != name)

    looks = board.hold(board.slider(group[0]), 0.0, 0.5, 6)
    levels = board.percents()
    assert {levels.pop(name) for name in group} == {float(looks[-1].value)}
    assert set(levels.values()) == {0.0}
    assert len({kept(board, name) for name in group}) == 1, "before the thumb is let go"
    reckoned = int(board.word("kept"))
    with board.settling():
        board.page.mouse.up()
    assert int(board.word("kept")) == reckoned
    assert {kept(board, name) for name in group} == {"16 / 32"}
    for name in group:
        focus(board, name)
        board.until("another picture", lambda name=name: picture(board) != whole[name])

    board.click(f"lock-{group[2]}")
    assert all(board.slider(name).is_disabled() for name in group)
    board.click(f"lock-{group[1]}")
    assert not any(board.slider(name).is_disabled() for name in group)


def test_a_group_that_is_cut_takes_the_inputs_of_others_along(visit: Visit) -> None:
    board = visit("?model=lenet5")
    by_units(board)
    focus(board, "fc1")
    before = picture(board)
    board.type("number-conv2", "50")
    focus(board, "fc1")
    board.until("columns that are gone", lambda: picture(board) != before)
    assert kept(board, "fc1") == "120 / 120"
    assert board.root.locator(".legend .blank").is_visible()


def test_a_brush_cuts_a_block_of_weights(visit: Visit) -> None:
    board = visit("?model=lenet5")
    focus(board, "fc2")
    total = int(board.word("kept"))
    board.page.get_by_test_id("tool-cut").click()
    with board.changing_address():
        board.page.mouse.move(*place(board, 0.2, 0.3))
        board.page.mouse.down()
        board.page.mouse.move(*place(board, 0.4, 0.5), steps=4)
        board.page.mouse.move(*place(board, 0.5, 0.6))
        board.page.mouse.up()
    cut, held = by_hand(board)
    # 84 rows and 120 columns are all drawn: 60..36 of them from edge to edge, 26..50 rows.
    assert cut == (60 - 24 + 1) * (50 - 25 + 1)
    assert held == 0
    assert total - int(board.word("kept")) == cut
    assert kept(board, "fc2") == f"{10_080 - cut:,} / 10,080"

    board.page.get_by_test_id("tool-keep").click()
    with board.changing_address():
        board.page.mouse.move(*place(board, 0.8, 0.8))
        board.page.mouse.down()
        board.page.mouse.move(*place(board, 0.9, 0.9), steps=3)
        board.page.mouse.up()
    held = by_hand(board)[1]
    board.type("number-fc2", "100")
    assert kept(board, "fc2") == f"{held:,} / 10,080"
    assert other_window_is_equal(visit, board)


def other_window_is_equal(visit: Visit, board: Board) -> bool:
    """Whether the address brings pins along."""
    with board.changing_address():
        board.type("number-fc2", "90")
    other = visit(board.page.url)
    focus(other, "fc2")
    return by_hand(other) == by_hand(board) and other.numbers() == board.numbers()


def test_a_pattern_and_a_lock_take_the_tools_away(visit: Visit) -> None:
    board = visit("?model=lenet5")
    focus(board, "conv1")
    tool = board.page.get_by_test_id("tool-cut")
    assert tool.is_disabled()
    assert "locked" in (tool.get_attribute("title") or "")
    focus(board, "conv2")
    assert tool.is_enabled()
    board.choose("Granularity", "N:M pattern")
    board.until("no tools", tool.is_disabled)
    assert "2:4" in (tool.get_attribute("title") or "")


def test_a_head_is_cut_whole(visit: Visit) -> None:
    board = visit("?model=vit")
    by_units(board, "Attention heads", "heads")
    name = "blocks.1.attn.qkv"
    focus(board, name)
    board.page.get_by_test_id("tool-cut").click()
    with board.changing_address():
        board.page.mouse.click(*place(board, 0.5, 0.1))
    assert by_hand(board) == [1, 0]
    assert kept(board, name) == "3 / 4"
    assert board.slider("blocks.1.mlp.fc1").is_disabled()
