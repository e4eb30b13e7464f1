"""Does the page show what it should, and lead where it says?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from driving import Board
from playwright.sync_api import expect

from pruneviz.network.replica import fingerprint
from pruneviz.plan import Plan, to_link
from pruneviz.sources.registered import load_registered
from sample_models.store import FOLDER

pytestmark = pytest.mark.browser
Visit = Callable[..., Board]
LAYERS = {"lenet300": 3, "lenet5": 5, "resnet20": 22, "vit": 18}


@pytest.mark.parametrize("network", LAYERS)
def test_a_network_opens_with_its_rows_its_picture_and_its_dense_accuracy(
    visit: Visit, network: str
) -> None:
    board = visit(f"?model={network}")
    card = json.loads((FOLDER / f"{network}.json").read_text("utf-8"))
    rows = board.page.locator("[data-testid^='row-']:visible")
    assert rows.count() == LAYERS[network]
    assert float(board.word("accuracy")) == card["accuracy"]
    assert int(board.word("kept")) == card["parameters"]
    assert set(board.percents().values()) == {0.0}
    size = board.heatmap.bounding_box()
    assert size is not None
    assert size["width"] > 100
    assert size["height"] > 30
    assert colours(board) > 20


def test_another_network_is_chosen_above_the_board(visit: Visit) -> None:
    board = visit("?model=lenet5")
    board.type("number-fc1", "50")
    with board.changing_address():
        board.choose("Network", "lenet300")
    board.until("the other network", lambda: board.word("kept") == "266610")
    assert board.percents() == {"fc1": 0, "fc2": 0, "fc3": 0}


def colours(board: Board) -> int:
    """How many different colours the picture has."""
    return int(
        board.heatmap.evaluate(
            """canvas => {
                const { width, height } = canvas;
                const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
                return new Set(new Uint32Array(data.buffer)).size;
            }"""
        )
    )


def blank_share(board: Board) -> float:
    """The share of the picture's pixels that are as blank as the paper."""
    return float(
        board.heatmap.evaluate(
            """canvas => {
                const { width, height } = canvas;
                const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
                const board = canvas.getRootNode().querySelector("[data-testid=board]");
                const paper = getComputedStyle(board).getPropertyValue("--st-background-color");
                const [r, g, b] = paper.trim().slice(1).match(/../g).map((x) => parseInt(x, 16));
                let blank = 0;
                for (let i = 0; i < data.length; i += 4)
                    blank += data[i] === r && data[i + 1] === g && data[i + 2] === b;
                return blank / (width * height);
            }"""
        )
    )


def test_cut_weights_are_blank_in_the_picture(visit: Visit) -> None:
    board = visit("?model=lenet300")
    board.page.get_by_test_id("row-fc2").get_by_role("button", name="fc2", exact=True).click()
    board.until("the focus", lambda: "fc2" in (board.heatmap.get_attribute("aria-label") or ""))
    whole = blank_share(board)
    assert whole < 0.02
    for percent in (30, 90):
        board.type("number-fc2", str(percent))
        assert blank_share(board) == pytest.approx(percent / 100, abs=0.12)


def test_neurons_are_cut_as_whole_rows(visit: Visit) -> None:
    board = visit("?model=lenet5")
    board.choose("Granularity", "Neurons and filters")
    expect(board.page.get_by_test_id("kept-conv1")).to_have_text("6 / 6")
    assert board.slider("fc3").is_disabled(), "the head is locked"
    board.page.get_by_test_id("slider-conv1").scroll_into_view_if_needed()
    board.click("lock-conv1")
    board.page.get_by_role("button", name="conv1", exact=True).click()
    board.until("the focus", lambda: "conv1" in (board.heatmap.get_attribute("aria-label") or ""))
    board.type("number-conv1", "50")
    expect(board.page.get_by_test_id("kept-conv1")).to_have_text("3 / 6")

    fates = [fate for row in range(6) for fate in [{tip(board, row, col) for col in (0, 11, 24)}]]
    assert all(len(fate) == 1 for fate in fates), "a row is cut whole or kept whole"
    assert sum(fate == {"cut"} for fate in fates) == 3


def tip(board: Board, row: int, column: int) -> str:
    """Whether the hint at a cell of conv1 (6 × 25) says kept or cut."""
    box = board.heatmap.bounding_box()
    assert box is not None
    x = box["x"] + (column + 0.5) / 25 * box["width"]
    y = box["y"] + (row + 0.5) / 6 * box["height"]
    board.page.mouse.move(x, y)
    hint = board.root.locator(".tip")
    expect(hint).to_contain_text(f"filter {row}, weight {column}")
    for name in ("weight", "score", "rank"):
        expect(hint).to_contain_text(name)
    return hint.inner_text().split()[-1]


def test_importance_and_activations_are_drawn(visit: Visit) -> None:
    board = visit("?model=lenet5")
    board.wait_for_pictures()
    seen = {board.heatmap.evaluate("canvas => canvas.toDataURL()")}
    for view in ("importance", "activations"):
        board.page.get_by_test_id(f"view-{view}").click()
        expect(board.heatmap).to_have_attribute("aria-label", re.compile(view))
        assert colours(board) > 10
        seen.add(board.heatmap.evaluate("canvas => canvas.toDataURL()"))
    assert len(seen) == 3


def test_the_picture_of_a_big_matrix_says_what_is_left_out(visit: Visit) -> None:
    board = visit("?model=lenet300")
    expect(board.root.locator(".cutnote")).to_contain_text("of 784 columns")


def test_a_question_mark_opens_and_closes_by_keyboard(visit: Visit) -> None:
    board = visit("?model=lenet5")
    button, words = board.page.get_by_test_id("help-accuracy"), board.root.locator(".explains")
    assert not words.is_visible()
    button.focus()
    board.page.keyboard.press("Enter")
    expect(words).to_be_visible()
    for text in ("Accuracy", "validation samples", "Wilson"):
        expect(words).to_contain_text(text)
    board.page.keyboard.press("Escape")
    expect(words).to_be_hidden()
    assert board.focused() == "help-accuracy"


def test_layers_are_found_by_a_regular_expression_and_set_together(visit: Visit) -> None:
    board = visit("?model=lenet5")
    search, rows = (
        board.page.get_by_test_id("search"),
        board.page.locator("[data-testid^='row-']:visible"),
    )
    search.fill("/^fc[12]$/")
    expect(rows).to_have_count(2)
    board.type("master-number", "40")
    search.fill("/([")
    expect(board.root.locator(".status")).to_contain_text("Not a regular expression")
    search.fill("no such layer")
    expect(rows).to_have_count(0)
    search.fill("")
    expect(rows).to_have_count(5)
    assert board.percents() == {"conv1": 0, "conv2": 0, "fc1": 40, "fc2": 40, "fc3": 0}


def test_a_snapshot_leads_back_to_its_plan(visit: Visit) -> None:
    board = visit("?model=lenet5")
    with board.changing_address():
        board.type("number-fc1", "60")
    kept = board.numbers()
    board.page.get_by_role("textbox", name="Snapshot").fill("my plan")
    board.page.get_by_role("button", name="Keep", exact=True).click()
    expect(board.page.get_by_text("my plan")).to_be_visible()
    with board.changing_address():
        board.click("reset")
    with board.changing_address():
        board.page.get_by_role("button", name="Return").click()
    assert board.numbers() == kept


def test_another_criterion_says_what_it_changed_and_can_be_undone(visit: Visit) -> None:
    board = visit("?model=lenet5")
    with board.changing_address():
        board.type("number-fc1", "60")
    undo = board.page.get_by_test_id("undo-change")
    expect(undo).to_be_hidden()
    with board.changing_address():
        board.choose("Criterion", "Random (control)")
    expect(board.root.locator(".message")).to_contain_text("instead of Magnitude")
    with board.changing_address():
        undo.click()
    expect(board.page.get_by_role("combobox", name="Criterion")).to_have_value("Magnitude")
    expect(undo).to_be_hidden()


def test_the_choices_of_a_link_outlive_the_next_clicks(visit: Visit) -> None:
    layers = ("conv1", "conv2", "fc1", "fc2")
    plan = Plan("taylor", "neuron", "global", dict.fromkeys(layers, 0.25), relative=True)
    link = to_link(plan, mark_of("lenet5"))
    for _ in range(3):  # what a browser makes of the first two runs of a page is a race
        board = visit(f"?model=lenet5&plan={link}")
        before, address = board.numbers(), board.link()
        for chart in ("loss", "by layer"):
            board.page.get_by_role("radio", name=chart).click()
            expect(board.page.get_by_role("radio", name=chart)).to_be_checked()
            board.page.wait_for_timeout(1000)  # for what must not happen
        assert board.link() == address
        assert "model=lenet5" in board.page.url
        assert board.numbers() == before
        shown = [box.input_value() for box in board.page.get_by_role("combobox").all()]
        assert {"lenet5", "Taylor (first order)", "Neurons and filters"} <= set(shown)
        for choice in ("Global", "Relative"):
            expect(board.page.get_by_role("radio", name=choice)).to_be_checked()


def mark_of(network: str) -> str:
    """What a link to this network says of its weights."""
    return fingerprint(load_registered(network).model)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("?model=lenet5&plan=broken", "damaged"),
        ("?model=nosuch", "Unknown model 'nosuch'"),
    ],
)
def test_a_link_that_does_not_hold_is_said_and_shows_the_dense_network(
    visit: Visit, address: str, says: str
) -> None:
    board = visit(address)
    expect(board.page.get_by_test_id("stAlert").filter(has_text=says)).to_be_visible()
    assert set(board.percents().values()) == {0.0}
    assert board.page.url.endswith(address), "it stays as it came"


def test_the_board_wears_the_colours_of_the_page(visit: Visit) -> None:
    board = visit("?model=lenet5", dark=True)
    expect(board.root).to_have_attribute("data-theme", "dark")
    assert paper(board) < 128
    board.page.emulate_media(color_scheme="light")
    expect(board.root).to_have_attribute("data-theme", "light")
    assert paper(board) > 128
    assert colours(board) > 20


def paper(board: Board) -> int:
    """How red, from 0 to 255, the page's background is."""
    colour = board.page.locator(".stApp").evaluate("x => getComputedStyle(x).backgroundColor")
    return int(re.findall(r"\d+", colour)[0])


def test_a_deep_network_folds_by_block(visit: Visit) -> None:
    board = visit("?model=deep")
    blocks = board.page.locator("[data-testid^='row-block-']:visible")
    rows = board.page.locator("[data-testid^='row-']:visible")
    assert blocks.count() == 25
    assert rows.count() == 26, "25 blocks, and the head alone"
    board.page.get_by_test_id("fold-blocks.7").click()
    expect(rows).to_have_count(28)
    dense = int(board.word("kept"))
    board.type("number-block-blocks.7", "50")
    assert board.percents() == {"blocks.7.fc1": 50, "blocks.7.fc2": 50, "head": 0}
    assert dense - int(board.word("kept")) == 8 * 12, "half of two layers"
    board.page.get_by_test_id("fold-blocks.7").click()
    expect(rows).to_have_count(26)
