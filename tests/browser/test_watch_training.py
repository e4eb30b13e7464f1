"""Can a person watch a training prune, leave it alone, stop it, resume it, and keep it?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import Board, press
from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

CHARTS = {"loss", "score", "left", "weights", "levels"}


def go(board: Board) -> Page:
    """To the page of trainings by the bar on top."""
    board.page.get_by_role("link", name="Train", exact=True).click()
    board.page.get_by_role("heading", name="Train").wait_for()
    return board.page


def back(board: Board) -> None:
    """To the workbench by the bar on top."""
    board.page.get_by_role("link", name="Workbench", exact=True).click()
    board.until("the board", board.heatmap.is_visible)


def moving(page: Page, name: str) -> Locator:
    """A chart that moves while it trains."""
    return page.locator(f"img[data-chart={name}]")


def fill(page: Page, label: str, value: str) -> None:
    """Type a number."""
    field = page.get_by_role("spinbutton", name=label)
    field.fill(value)
    field.press("Enter")


def overflows(page: Page) -> bool:
    """Whether the page is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def choose_gradual(board: Board, epochs: str) -> Page:
    """A gradual run on a part of the digits, from a cut of the first layer."""
    board.type("number-fc1", "90")
    page = go(board)
    board.choose("Method", "Gradual, cubic")
    page.get_by_text("more at first and less and less later").first.wait_for()
    fill(page, "Epochs", epochs)
    page.get_by_text(f"{epochs} epochs in all").wait_for()
    return page


def test_a_gradual_run_is_watched_left_alone_cancelled_resumed_and_kept(
    visit: Callable[..., Board],
) -> None:
    board = visit("?model=lenet300")
    page = choose_gradual(board, "48")
    press(page, "Train", exact=True)

    # It moves: the mask in the heatmap, the layer's bar, and the curves, none of them ever blank.
    moving(page, "weights").wait_for()
    pictures, bars, blank = set(), set(), 0
    for _ in range(120):
        names = page.locator("img[data-chart]").evaluate_all(
            "all => all.filter(x => x.naturalWidth).map(x => x.dataset.chart)"
        )
        blank += set(names) != CHARTS
        pictures.add(moving(page, "weights").get_attribute("src"))
        bars.add(moving(page, "levels").get_attribute("alt"))
        if len(pictures) >= 4 and len(bars) >= 3:
            break
        page.wait_for_timeout(100)
    assert len(pictures) >= 4
    assert len(bars) >= 3
    assert blank <= 2
    board.until(
        "two epochs",
        lambda: "epoch 1:" not in (moving(page, "score").get_attribute("alt") or ""),
    )

    # Elsewhere nothing has moved, and everything still answers.
    back(board)
    board.until("the numbers", board.is_full)
    assert board.percents()["fc1"] == 90
    link = board.link()
    board.drag(board.slider("fc2"), 0.1, 0.5)
    assert board.percent("fc2") > 0
    board.click("undo")
    board.until("its address", lambda: board.link() == link)

    page = go(board)
    press(page, "Pause")
    page.get_by_text("paused").wait_for()
    press(page, "Resume")
    page.get_by_role("button", name="Pause").wait_for()
    press(page, "Cancel")
    page.get_by_text("it can be resumed below").wait_for()
    back(board)
    assert board.link() == link, "a cancelled training leaves the session as it was"

    page = go(board)
    press(page, "Resume (epoch")
    page.get_by_role("button", name="Use as a new version").wait_for()
    page.get_by_test_id("stPlotlyChart").nth(4).wait_for()
    assert not overflows(page)
    press(page, "Use as a new version")
    board.until("the board", board.heatmap.is_visible)
    board.until("the version's numbers", board.is_full)
    network = page.get_by_role("combobox", name="Network")
    board.until("its name", lambda: network.input_value() == "lenet300 · v1")
    assert board.percents()["fc1"] == pytest.approx(90, abs=0.1)
    page = go(board)
    page.get_by_text("Versions in this session").wait_for()


def test_the_form_fits_a_narrow_window(visit: Callable[..., Board]) -> None:
    board = visit("?model=lenet300", dark=True)
    page = choose_gradual(board, "3")
    page.set_viewport_size({"width": 480, "height": 850})
    page.get_by_role("button", name="Train", exact=True).scroll_into_view_if_needed()
    assert not overflows(page)
    fill(page, "Learning rate", "0")
    page.get_by_text("Learning rate must be above 0").wait_for()
    assert page.get_by_role("button", name="Train", exact=True).is_disabled()
