"""Does the screen follow the thumb, and do the settled numbers stand?"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from driving import Board

pytestmark = pytest.mark.browser
Visit = Callable[..., Board]


def test_a_drag_repaints_at_every_move_and_measures_before_the_release(visit: Visit) -> None:
    board = visit("?model=lenet5")
    slider, before = board.slider("conv2"), board.seq("seq")
    start = board.numbers()

    looks = board.hold(slider, 0.0, 0.95, moves=30)

    assert len({look.value for look in looks}) == 31, "the slider moved at every move"
    for one, next_ in pairwise(looks):
        assert next_.repaints > one.repaints
        assert next_.picture != one.picture, "the heatmap itself looks different"
        assert int(next_.kept) < int(one.kept)

    def measured() -> set[str]:
        now = board.look(slider)
        seen = {look.accuracy for look in [*looks, now] if look.measured_seq > before}
        return seen - {""}

    # A machine under load may answer late; the mouse is still down.
    board.until("two measured accuracies before the release", lambda: len(measured()) >= 2)
    assert board.numbers().interval.startswith(tuple("0123456789"))
    board.page.mouse.up()

    board.until("full validation", board.is_full)
    end = board.numbers()
    assert "measured on all 2,000" in end.interval
    assert end != start
    assert board.percent("conv2") == float(looks[-1].value)


def test_a_thumb_that_rests_is_measured_in_full(visit: Visit) -> None:
    board = visit("?model=lenet5")
    settled = board.page.url
    board.hold(board.slider("fc1"), 0.0, 0.87, moves=3)
    board.until("all samples, with the mouse down", board.is_full)
    assert board.page.url == settled, "nothing is settled on"
    board.page.mouse.up()


def test_undo_and_redo_bring_back_the_exact_numbers(visit: Visit) -> None:
    board = visit("?model=lenet5")
    seen = [(board.numbers(), board.percents(), board.link())]
    board.drag(board.slider("conv2"), 0.0, 0.7)
    board.until("the address", lambda: board.link() != seen[-1][2])
    seen.append((board.numbers(), board.percents(), board.link()))
    with board.changing_address():
        board.type("number-fc1", "95")
    seen.append((board.numbers(), board.percents(), board.link()))
    assert len({numbers for numbers, _, _ in seen}) == 3

    for place in (1, 0):
        with board.changing_address():
            board.click("undo")
        assert (board.numbers(), board.percents(), board.link()) == seen[place]
    assert board.page.get_by_test_id("undo").is_disabled()
    for place in (1, 2):
        with board.changing_address():
            board.click("redo")
        assert (board.numbers(), board.percents(), board.link()) == seen[place]
    assert board.page.get_by_test_id("redo").is_disabled()


def test_the_address_opens_the_same_plan_in_another_window(visit: Visit) -> None:
    board = visit("?model=lenet5")
    with board.changing_address():
        board.type("number-fc2", "62.5")
    with board.changing_address():
        board.drag(board.slider("conv2"), 0.0, 0.5)

    other = visit(board.page.url)

    assert other.link() == board.link() != ""
    assert other.percents() == board.percents()
    assert other.numbers() == board.numbers()


def test_arrow_keys_alone_prune_a_layer(visit: Visit) -> None:
    board = visit("?model=lenet5")
    dense = board.numbers()
    for _ in range(120):
        if board.focused() == "slider-conv2":
            break
        board.page.keyboard.press("Tab")
    assert board.focused() == "slider-conv2", "the slider is reached by Tab"

    with board.changing_address():
        for _ in range(4):
            board.page.keyboard.press("ArrowRight")
        board.page.keyboard.press("PageUp")
    assert board.percent("conv2") == 14
    assert int(board.word("kept")) == int(dense.kept) - round(0.14 * 2_400)
    assert board.focused() == "slider-conv2", "the keyboard stays where it is"

    with board.changing_address():
        board.page.keyboard.press("Home")
    assert board.numbers() == dense


def test_the_keyboard_undoes(visit: Visit) -> None:
    board = visit("?model=lenet5")
    dense = board.numbers()
    with board.changing_address():
        board.type("number-fc2", "40")
    board.slider("fc2").focus()
    with board.changing_address():
        board.page.keyboard.press("Control+z")
    assert board.numbers() == dense
    with board.changing_address():
        board.page.keyboard.press("Control+Shift+Z")
    assert board.percent("fc2") == 40
    board.page.get_by_role("tab", name="Ledger").click()
    with board.changing_address():  # wherever on the page the focus is
        board.page.keyboard.press("Control+z")
    assert board.numbers() == dense


def test_a_typed_number_prunes(visit: Visit) -> None:
    board = visit("?model=lenet5")
    dense = int(board.word("kept"))
    for typed, stands in (("53,5", 53.5), ("150", 100.0), (" 7 % ", 7.0)):
        board.type("number-fc2", typed)
        assert board.percent("fc2") == stands
        assert dense - int(board.word("kept")) == round(stands / 100 * 10_080)


def test_nonsense_in_a_field_changes_nothing(visit: Visit) -> None:
    board = visit("?model=lenet5")
    board.type("number-fc2", "30")
    before = board.numbers()
    field = board.page.get_by_test_id("number-fc2")
    field.fill("abc")
    board.page.keyboard.press("Enter")
    board.until("the field going back", lambda: field.input_value() == "30")
    assert board.numbers() == before


def test_the_master_slider_moves_all_but_what_is_locked(visit: Visit) -> None:
    board = visit("?model=lenet5")
    board.type("number-conv2", "20")
    board.click("lock-conv2")
    assert board.slider("conv2").is_disabled()

    looks = board.drag(board.page.get_by_test_id("master"), 0.0, 0.6)

    levels = board.percents()
    assert levels.pop("conv2") == 20
    assert levels.pop("conv1") == levels.pop("fc3") == 0, "locked from the start"
    assert set(levels.values()) == {float(looks[-1].value)}


def test_reset_clears_all_layers(visit: Visit) -> None:
    board = visit("?model=lenet5")
    dense = board.numbers()
    board.type("master-number", "50")
    moved = {name for name, level in board.percents().items() if level == 50}
    assert moved == {"conv2", "fc1", "fc2"}
    board.click("reset")
    assert board.numbers() == dense


def test_in_the_global_scope_one_layer_moves_the_others(visit: Visit) -> None:
    board = visit("?model=lenet5")
    board.page.get_by_role("button", name="More", exact=True).click()
    board.page.get_by_role("radio", name="Global").click()
    board.until("the global scope", lambda: board.page.get_by_test_id("target").is_disabled())
    board.page.keyboard.press("Escape")  # what is open lies over the rows
    board.page.get_by_text("Other criteria").wait_for(state="hidden")

    looks = board.drag(board.slider("fc1"), 0.0, 0.7)

    levels = board.percents()
    assert levels["fc1"] == pytest.approx(float(looks[-1].value), abs=1)
    others = [levels[name] for name in ("conv2", "fc2")]
    assert all(level > 0 for level in others)
    assert levels["conv1"] == levels["fc3"] == 0, "what is locked is not in the ranking"
    assert len(set(levels.values())) > 1, "each layer gets its own share of one threshold"
