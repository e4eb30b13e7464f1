"""Does a repair change what is measured, and does a suggestion make a network fit?"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from driving import Board, press

import pruneviz as pv
from pruneviz.plan import to_link

pytestmark = pytest.mark.browser
Visit = Callable[..., Board]


def address(name: str, level: float) -> str:
    """A link to a network with the same share of every group cut."""
    bench = pv.open(name)
    groups = bench.groups.groups.values()
    plan = pv.Plan("l2", "neuron", sparsity={n: level for g in groups for n in g.layers})
    return "?" + urlencode({"model": name, "plan": to_link(plan, bench.fingerprint)})


def test_the_switch_for_recalibration_changes_the_measured_accuracy(visit: Visit) -> None:
    board = visit(address("resnet20", 0.25))
    board.until("the plan of the link", lambda: float(board.word("accuracy")) < 0.5)
    kept = board.word("kept")
    press(board.page, "Repair")
    switch = board.page.get_by_text("Recalibrate batch norms")
    switch.click()
    board.until("the repaired accuracy", lambda: float(board.word("accuracy")) > 0.9)
    board.until("all of it", board.is_full)
    assert board.word("kept") == kept, "a repair cuts nothing and gives nothing back"
    board.page.keyboard.press("Escape")
    switch.wait_for(state="hidden")
    board.click("undo")
    board.until("the damage again", lambda: float(board.word("accuracy")) < 0.5)


def test_a_suggestion_makes_the_network_fit(visit: Visit) -> None:
    board = visit(address("lenet5", 0.0))
    page = board.page
    page.get_by_role("link", name="Small devices").click()
    flash = page.get_by_role("spinbutton", name="Your flash (KiB)")
    flash.fill("32")
    flash.press("Enter")
    page.get_by_text(re.compile(r"short by .*flash")).first.wait_for()
    press(page, "Suggest sliders")
    page.get_by_role("button", name="Apply").click()
    page.get_by_text(re.compile("^Fits Your own device: ")).wait_for()
    page.get_by_role("link", name="To the workbench").click()
    board.open()
    board.until("the smaller network", lambda: board.word("kept") != "61706")
    assert float(board.word("kept")) <= 32 * 1024  # one byte each
