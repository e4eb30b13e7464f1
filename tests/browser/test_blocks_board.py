"""Is a block switched off and on, and is a bulk slider over blocks taken back?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import Board

pytestmark = pytest.mark.browser
Visit = Callable[..., Board]
NAME = "blocks.1.mlp.fc1"


def test_a_block_is_left_out_and_comes_back(visit: Visit) -> None:
    board = visit("?model=vit")
    board.choose("Granularity", "Whole blocks")
    board.until("blocks to leave out", lambda: "blocks kept" in board.root.inner_text())
    board.until("full validation", board.is_full)
    switch = board.page.get_by_test_id(f"switch-{NAME}")
    switches = board.page.get_by_role("switch")
    assert switches.count() == 8
    assert "block: no residual" in board.page.get_by_test_id("row-head").inner_text()
    with board.changing_address():
        switch.click()
    board.until("it is left out", lambda: switch.inner_text() == "left out")
    assert board.page.get_by_test_id(f"kept-{NAME}").inner_text() == "0 / 1"
    assert "122,314 of 139,018" in board.root.inner_text()
    with board.changing_address():
        board.type("master-number", "50")
    off = board.page.get_by_role("switch", checked=False)
    board.until("half of them are left out", lambda: off.count() == 4)
    for number in (1, 0):
        with board.changing_address():
            board.page.get_by_test_id("undo").click()
        board.until("undone", lambda number=number: off.count() == number)
    assert board.page.get_by_test_id(f"kept-{NAME}").inner_text() == "1 / 1"
