"""Does the ledger fill in, with progress, while the page stays usable?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import Board, press

pytestmark = pytest.mark.browser


def test_the_ledger_fills_in_and_stays_with_its_plan(visit: Callable[..., Board]) -> None:
    board = visit("?model=lenet5")
    page = board.page
    page.get_by_role("tab", name="Ledger").click()
    with board.settling():
        board.slider("fc1").press("End")
    empty = page.get_by_text("The ledger of this plan is still empty")
    empty.wait_for()
    press(page, "Measure size, memory and speed")
    bar = page.get_by_test_id("stProgress").filter(has_text="%")
    seen: set[str] = set()

    def done() -> bool:
        if bar.count():
            seen.update(bar.first.all_inner_texts())
        return page.get_by_role("button", name="Measure again").count() > 0

    board.until("the ledger", done)
    assert seen, "progress is shown while it is measured"
    page.get_by_text("no ordinary CPU or GPU does this").wait_for()
    page.get_by_text("granularity 'weight' leaves the shape").first.wait_for()
    page.locator("[data-testid=stDataFrame]:visible").first.wait_for()

    with board.settling():
        board.slider("fc1").press("Home")
    empty.wait_for()
