"""Do the first steps tick themselves off, and stay away from whoever has seen them?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import Board
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_steps_are_ticked_by_what_is_done_and_do_not_come_back(visit: Callable[..., Board]) -> None:
    here = visit("?model=lenet300")
    steps = here.page.get_by_test_id("welcome")
    done = steps.locator("li[data-done]")
    expect(steps).to_be_visible()
    expect(done).to_have_count(0)
    here.drag(here.slider("fc1"), 0.0, 0.9)
    expect(done).to_have_text(["Drag a slider to the right"])
    steps.get_by_role("button", name="Flipped examples").click()
    expect(done).to_have_count(2)
    expect(here.page.get_by_role("tab", name="Flipped examples")).to_be_in_viewport()
    here.click("undo")
    expect(done).to_have_count(3)
    here.page.reload()
    here.open()
    expect(steps).to_be_hidden()


def test_steps_can_be_dismissed(visit: Callable[..., Board]) -> None:
    here = visit("?model=lenet300")
    here.page.get_by_role("button", name="Do not show the first steps again").click()
    expect(here.page.get_by_test_id("welcome")).to_be_hidden()
    here.page.reload()
    here.open()
    expect(here.page.get_by_test_id("welcome")).to_be_hidden()
