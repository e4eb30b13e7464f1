"""Can a person scan, look elsewhere, cancel, go on, and read the curves?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import Board, press
from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def go(board: Board) -> Page:
    """To the page of curves by the bar on top."""
    board.page.get_by_role("link", name="Sensitivity", exact=True).click()
    board.page.get_by_role("heading", name="Sensitivity").wait_for()
    return board.page


def overflows(page: Page) -> bool:
    """Whether the page is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def test_curves_are_drawn_each_way(visit: Callable[..., Board]) -> None:
    board = visit("?model=lenet300", dark=True)
    page = go(board)
    start, done = page.get_by_test_id("stBaseButton-primary"), page.get_by_text("every interval is")
    start.or_(done).first.wait_for()  # another test of this server may have scanned it before
    if start.count():
        start.click()
    done.wait_for()
    charts = page.locator(".js-plotly-plot")
    board.until("small charts", lambda: charts.locator(".subplot.x3y3").count() == 1)
    for layer in ("fc1", "fc2", "fc3"):
        charts.get_by_text(layer).wait_for()
    page.get_by_text("Overlaid").click()
    board.until("a legend", lambda: charts.locator(".legend .traces").count() == 3)
    page.get_by_text("Heatmap").click()
    charts.get_by_text("98 %").wait_for()
    page.get_by_role("button", name="Download all points").wait_for()
    with page.expect_download() as download:
        press(page, "Download all points")
    rows = download.value.path().read_text("utf-8").splitlines()
    assert rows[0].startswith("layer,layers,sparsity,got,n,")
    assert len(rows) == 1 + 33
    assert not overflows(page)


def test_a_slow_scan_tells_its_price_stops_and_goes_on(visit: Callable[..., Board]) -> None:
    board = visit("?model=slow", measured=False)
    board.until("the heatmap", board.heatmap.is_visible)
    page = go(board)
    page.get_by_text("on this machine. It stops after").wait_for()
    assert page.get_by_role("spinbutton", name="Stop after (seconds)").input_value() == "60"
    press(page, "Scan")
    bar = page.get_by_test_id("stProgress")
    bar.filter(has_text="left").wait_for()
    page.get_by_role("link", name="Workbench", exact=True).click()
    board.until("the board", board.root.is_visible)
    page = go(board)
    bar.filter(has_text="left").wait_for()
    press(page, "Cancel")
    page.get_by_text("Stopped. What was measured until now is kept.").wait_for()
    page.get_by_text("not finished").wait_for()
    press(page, "Go on")
    bar.wait_for()
    press(page, "Cancel")
    page.get_by_role("button", name="Go on").wait_for()
    assert not overflows(page)
