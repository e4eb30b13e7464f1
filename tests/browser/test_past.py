"""Can a person come back to what was tried, after a reload too, and see two plans side by side?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import Board, press
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
ROW, HEADER = 28, 36  # pixels of the table, which is a canvas


def go(board: Board) -> Page:
    """To the page of the history by the bar on top."""
    board.page.get_by_role("link", name="History").click()
    board.page.get_by_role("heading", name="History").wait_for()
    return board.page


def snapshot(board: Board, name: str) -> None:
    """Name the plan on the screen."""
    board.page.get_by_role("textbox", name="Snapshot").fill(name)
    board.page.get_by_test_id("stForm").get_by_role("button", name="Keep").click()
    board.page.get_by_text(name, exact=True).wait_for()


def grow(board: Board) -> None:
    """Two branches from the dense network, each with a name."""
    board.drag(board.slider("fc1"), 0.0, 0.8)
    snapshot(board, "wide")
    board.click("undo")
    board.drag(board.slider("fc2"), 0.0, 0.6)
    board.type("number-conv2", "40")
    snapshot(board, "narrow")
    board.wait_for_pictures()


def tick(page: Page, *rows: int) -> None:
    """Tick the boxes at the left of the table, which must stand as it will be."""
    grid = page.get_by_test_id("stDataFrame").first
    for row in rows:
        expect(grid).to_be_visible()
        box = grid.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + 16, box["y"] + HEADER + ROW * row + ROW / 2)
        page.wait_for_timeout(700)


def only_this(page: Page) -> None:
    """Leave the sessions of other tests out."""
    page.get_by_text("this one", exact=True).click()
    page.wait_for_timeout(700)


def cells(page: Page) -> list[str]:
    """What the table says, by what it tells those who cannot see it."""
    grid = page.get_by_test_id("stDataFrame").first
    return [text.strip() for text in grid.locator("td").all_inner_texts()]


def plans(page: Page) -> list[str]:
    """The plans in the table, one row each."""
    return [text for text in cells(page) if "○" in text or "●" in text]


def overflows(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def test_drag_snapshot_branch_compare_restore_and_reload(visit: Callable[..., Board]) -> None:
    board = visit("?model=lenet5", dark=True)
    grow(board)
    wanted = board.percents()
    page = go(board)
    only_this(page)
    # One look at a time: a table that is drawn anew is empty for a moment.
    begins = [
        "○ dense",
        "├─○ Magnitude, weight: ",
        "○ Magnitude, weight: ",
        "● Magnitude, weight: ",
    ]

    def is_drawn() -> bool:
        found = plans(page)
        return len(found) == 4 and all(map(str.startswith, found, begins))

    board.until("four plans, two of them on a branch", is_drawn)
    board.until("the names of both", lambda: {"wide", "narrow"} <= {*cells(page)})

    tick(page, 1, 3)
    page.get_by_text("Second minus first: ").wait_for()
    page.get_by_role("tab", name="Per-class accuracy").click()
    page.locator(".js-plotly-plot").first.wait_for()
    page.get_by_role("tab", name="Flipped examples").click()
    page.get_by_text("answers changed").wait_for()
    page.get_by_role("tab", name="Masks").click()
    page.get_by_text("weights are kept by one of the two alone").wait_for()
    page.get_by_role("tab", name="Cost").click()
    page.get_by_text("The ledger of both was not measured").wait_for()
    assert not overflows(page)
    with page.expect_download() as download:
        press(page, "Download CSV")
    assert len(download.value.path().read_text("utf-8").splitlines()) == 5

    press(page, "Return to the first")
    board.until("the board", board.heatmap.is_visible)
    board.until("the plan", lambda: board.percent("fc1") > 0)
    board.until("full validation", board.is_full)
    assert board.percent("fc2") == 0
    board.click("undo")
    assert board.percents() == wanted

    page.goto(page.url.split("?")[0] + "history")  # a new tab: nothing of the session is left
    page.get_by_role("heading", name="History").wait_for()
    page.get_by_role("textbox", name="Text").fill("narrow")
    page.keyboard.press("Enter")
    board.until("it alone", lambda: "narrow" in (now := cells(page)) and "wide" not in now)
    tick(page, 1)
    press(page, "Return to the first")
    board.until("the board", board.heatmap.is_visible)
    board.until("the plan", lambda: board.percents() == wanted)


def test_deleting_is_confirmed(visit: Callable[..., Board]) -> None:
    board = visit("?model=lenet300")
    board.drag(board.slider("fc1"), 0.0, 0.5)
    page = go(board)
    only_this(page)
    press(page, "Delete …")
    page.get_by_text("for good? Later plans stay.").wait_for()
    press(page, "Delete", exact=True)
    board.until("one plan", lambda: len(plans(page)) == 1)
    expect(page.get_by_test_id("stException")).to_have_count(0)
