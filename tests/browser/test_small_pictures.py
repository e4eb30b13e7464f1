"""Is the whole network seen at once, and does all of it follow the thumb?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import Board
from playwright.sync_api import Locator

pytestmark = pytest.mark.browser
Visit = Callable[..., Board]

# How many of a canvas's pixels are of the page's colour or of a line upon it.
BLANK = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let blank = 0;
  for (let i = 0; i < data.length; i += 4) {
    blank += data[i] === data[i + 1] && data[i + 1] === data[i + 2] || data[i] > 240 ? 1 : 0;
  }
  return blank / (data.length / 4);
}"""


def blank(picture: Locator) -> float:
    return float(picture.evaluate(BLANK))


def test_a_small_picture_is_repainted_under_the_thumb_before_release(visit: Visit) -> None:
    board = visit("?model=lenet5")
    picture = board.page.get_by_test_id("thumbnail-fc1")
    other = board.page.get_by_test_id("thumbnail-fc2")
    board.wait_for_pictures()  # nothing above the board comes or goes any more and moves it
    dense, still = blank(picture), other.get_attribute("data-repaints")
    asked = board.seq("seq")

    board.hold(board.slider("fc1"), 0.0, 0.2, moves=2)
    board.until("a repaint", lambda: dense + 0.1 < blank(picture) < 0.5)
    box = board.slider("fc1").bounding_box()
    assert box is not None
    board.page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2)
    board.until("as much blank as is cut", lambda: blank(picture) > 0.7)
    assert other.get_attribute("data-repaints") == still, "what has not moved is left alone"
    board.page.mouse.up()
    board.until("an answer", lambda: board.seq("seq") > asked)
    board.until("full validation", board.is_full)
    assert blank(picture) == pytest.approx(board.percent("fc1") / 100, abs=0.12)

    board.page.get_by_test_id("kind").select_option("importance")
    board.until("the ranks", lambda: "importance" in str(picture.get_attribute("title")))
    assert blank(picture) == pytest.approx(board.percent("fc1") / 100, abs=0.12)


def test_units_that_are_cut_take_their_columns_with_them(visit: Visit) -> None:
    board = visit("?model=lenet5")
    with board.changing_address():
        board.choose("Granularity", "Neurons and filters")
    board.until("the small pictures", board.has_pictures)
    behind = board.page.get_by_test_id("thumbnail-fc2")
    before = blank(behind)
    board.type("number-fc1", "60")
    board.until("the next layer's inputs", lambda: blank(behind) > before + 0.5)


def test_all_layers_stand_side_by_side_and_only_those_in_sight_are_drawn(visit: Visit) -> None:
    board = visit("?model=deep")
    board.page.get_by_test_id("wall-button").click()
    first = board.page.get_by_test_id("wall-picture-blocks.0.fc1")
    last = board.page.get_by_test_id("wall-picture-blocks.24.fc2")
    board.until("the first", lambda: int(first.get_attribute("data-repaints") or 0) > 0)
    assert board.heatmap.is_hidden()
    assert last.get_attribute("data-repaints") == "0"
    last.scroll_into_view_if_needed()
    board.until("the last", lambda: int(last.get_attribute("data-repaints") or 0) > 0)

    slider = board.page.get_by_test_id("wall-slider-blocks.24.fc2")
    dense = blank(last)
    board.hold(slider, 0.0, 0.9, moves=3)
    board.until("a repaint under the thumb", lambda: blank(last) > dense + 0.5)
    with board.changing_address():
        board.page.mouse.up()
    board.page.get_by_test_id("wall-button").click()
    board.until("the rows", board.heatmap.is_visible)
