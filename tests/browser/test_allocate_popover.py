"""Does the network get as small as it can for what it may lose, with the locks held?"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from driving import Board, press
from playwright.sync_api import Locator

import pruneviz as pv
from pruneviz.plan import from_link

pytestmark = pytest.mark.browser
Visit = Callable[..., Board]

NETWORK = "?model=lenet300"


def opened(board: Board) -> Locator:
    """The form, open."""
    press(board.page, "Allocate", exact=True)
    form = board.page.get_by_test_id("stPopoverBody")
    form.get_by_text("Allocation: how much to cut from each layer").wait_for()
    return form


def button(form: Locator, name: str) -> Locator:
    """A button of the form."""
    return form.get_by_role("button", name=name, exact=True)


def lose(form: Locator, points: str) -> None:
    """Say how many points may be lost."""
    field = form.get_by_role("spinbutton", name="Or find the smallest network that loses")
    field.fill(points)
    field.press("Tab")


def scanned_elsewhere(board: Board, seed: str) -> None:
    """Random scores of a seed that nobody scanned: a search takes seconds."""
    board.choose("Criterion", "Random (control)")
    field = board.page.get_by_role("spinbutton", name="Seed")
    field.wait_for()
    with board.changing_address():
        field.fill(seed)
        field.press("Enter")


def test_lose_at_most_a_point_moves_the_sliders_and_undo_brings_them_back(visit: Visit) -> None:
    board = visit(NETWORK)
    with board.changing_address():
        board.type("number-fc1", "25")
    before, link = board.percents(), board.link()
    scanned_elsewhere(board, "8")
    started = board.percents()
    form = opened(board)
    lose(form, "1.0")

    with board.changing_address():
        button(form, "Find").click()
        board.until("progress", lambda: re.search(r"· \d+%", form.inner_text()) is not None)
        board.until("the end", lambda: not button(form, "Cancel").count())

    bench = pv.open("lenet300")
    plan = from_link(board.link(), bench.fingerprint)
    now = board.percents()
    assert now != started
    for layer in ("fc1", "fc2"):
        assert now[layer] == pytest.approx(100 * plan.sparsity.get(layer, 0.0), abs=0.06)
    assert now["fc3"] == started["fc3"] == 0
    assert board.page.get_by_test_id("lock-fc3").get_attribute("aria-pressed") == "true"
    text = form.inner_text()
    assert "plans were measured" in text
    assert "samples it searched with" in text
    half = bench.evaluate(plan, 960)
    assert half.delta_low >= -0.01

    board.page.keyboard.press("Escape")
    with board.changing_address():
        board.click("undo")
    assert board.percents() == started
    for _ in range(2):  # the seed, the criterion
        with board.changing_address():
            board.click("undo")
    assert (board.percents(), board.link()) == (before, link)


def test_cancel_leaves_all_as_it_was(visit: Visit) -> None:
    board = visit("?model=resnet20")  # which takes minutes to search
    board.type("number-layer1.0.conv1", "30")
    before, link = board.percents(), board.link()
    form = opened(board)
    button(form, "Find").click()
    button(form, "Cancel").click()
    board.until("the stop", lambda: "Stopped" in form.inner_text())
    assert (board.percents(), board.link()) == (before, link)
    assert not button(form, "Take it").count()
    assert button(form, "Find").is_enabled()


def test_a_formula_fills_the_sliders_in_one_step(visit: Visit) -> None:
    board = visit(NETWORK)
    board.click("lock-fc2")
    before = board.percents()
    form = opened(board)
    form.get_by_role("combobox", name="Fill the sliders by").click()
    board.page.get_by_role("option", name="LAMP").click()
    field = form.get_by_role("spinbutton", name="Cut (%)")
    field.fill("70")
    field.press("Tab")
    with board.changing_address():
        button(form, "Fill").click()
    board.page.keyboard.press("Escape")
    now = board.percents()
    assert now == {"fc1": 70.0, "fc2": 0.0, "fc3": 0.0}
    board.click("undo")
    assert board.percents() == before


def test_the_row_of_controls_stays_in_one_line(visit: Visit) -> None:
    board = visit(NETWORK)
    page = board.page
    names = ("Repair", "Allocate")
    boxes = [page.get_by_role("button", name=name, exact=True).bounding_box() for name in names]
    for box in boxes:
        assert box is not None
        assert box["height"] < 48, "its label does not wrap"
        assert box["x"] + box["width"] <= 1366
