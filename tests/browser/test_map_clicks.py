"""Does the map of the network lead to its layers and follow the plan?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import Board
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser
Visit = Callable[..., Board]


def opened(board: Board) -> Locator:
    board.page.get_by_role("tab", name="Network map").click()
    drawn = board.page.get_by_test_id("map")
    expect(drawn).to_be_visible()
    return drawn


def mark(drawn: Locator, name: str) -> Locator:
    return drawn.locator(f".mark[data-name='{name}']")


def test_a_click_on_a_layer_puts_it_into_focus(visit: Visit) -> None:
    board = visit("?model=lenet5")
    drawn = opened(board)
    expect(mark(drawn, "conv2")).to_have_attribute("aria-current", "true")
    mark(drawn, "fc2").click()
    board.until("the focus", lambda: "fc2" in (board.heatmap.get_attribute("aria-label") or ""))
    expect(mark(drawn, "fc2")).to_have_attribute("aria-current", "true")
    mark(drawn, "fc2").press("ArrowLeft")
    drawn.locator(":focus").press("Enter")
    board.until("the focus", lambda: "fc1" in (board.heatmap.get_attribute("aria-label") or ""))


def test_the_map_follows_the_plan(visit: Visit) -> None:
    board = visit("?model=lenet5")
    drawn = opened(board)
    shape = mark(drawn, "fc1").locator(".shape")
    before = shape.get_attribute("style")
    board.type("number-fc1", "80")
    expect(mark(drawn, "fc1").locator(".value")).to_have_text("80 %")
    assert shape.get_attribute("style") != before
    board.page.get_by_test_id("map-by-parameters").click()
    expect(mark(drawn, "fc1").locator(".value")).to_have_text("16 %")
    board.click("undo")
    expect(mark(drawn, "fc1").locator(".value")).to_have_text("78 %")


def test_blocks_unfold_and_fold(visit: Visit) -> None:
    board = visit("?model=resnet20")
    drawn = opened(board)
    mark(drawn, "layer2.0").click()
    for name in ("layer2.0.conv1", "layer2.0.downsample.0", "layer2.0.add"):
        expect(mark(drawn, name)).to_be_visible()
    drawn.get_by_role("button", name="fold layer2", exact=True).click()
    expect(mark(drawn, "layer2")).to_be_visible()
    expect(mark(drawn, "layer2.0.conv1")).to_have_count(0)
    drawn.get_by_test_id("map-unfold").click()
    expect(drawn.locator(".mark")).to_have_count(33)
    drawn.get_by_test_id("map-fold").click()
    expect(drawn.locator(".mark")).to_have_count(7)
