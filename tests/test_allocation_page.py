"""Do the sliders move as they were asked to, in one step, and never against the person?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event

import pytest
from streamlit.testing.v1 import AppTest

from pruneviz.allocation.search import half_of
from pruneviz.background import Job
from pruneviz.ui.allocate.allocation_work import AllocationWork
from pruneviz.ui.allocate.scan_work import ScanWork
from tests.page import Page, read

PATIENCE = 120


@pytest.fixture
def page() -> Page:
    """lenet300, its head locked as usual."""
    return Page(model="lenet300").finish()


def state(page: Page) -> AllocationWork:
    """What the page knows of the wish."""
    found = page.app.session_state["AllocationWork"]
    assert isinstance(found, AllocationWork)
    return found


def press(page: Page, button: str, **values: object) -> Page:
    """Fill in the form, and press a button of it."""
    for name, value in values.items():
        page.app.session_state[f"allocate_{name}"] = value
    page.run()
    page.app.button(key=f"allocate-{button}").click()
    return page.run()


def ended(page: Page) -> Page:
    """The search has ended, and the page has taken note of it."""
    job = state(page).job
    if job is not None:
        job.wait(PATIENCE)
        assert not job.running
    return page.run()


@contextmanager
def held(page: Page) -> Iterator[None]:
    """A search that is begun inside waits: a scan that goes on has the processor."""
    gate = Event()
    scanning = scanning_of_page(page)
    scanning.job = Job(lambda report: ignored(gate.wait(PATIENCE)))
    try:
        yield
    finally:
        gate.set()
        scanning.job.wait(PATIENCE)


def scanning_of_page(page: Page) -> ScanWork:
    found = page.app.session_state["ScanWork"]
    assert isinstance(found, ScanWork)
    return found


def ignored(value: object) -> None:
    """A job's work returns nothing."""


def texts(app: AppTest) -> str:
    """All that is written small or as a warning."""
    return " ".join(read(one.value) for one in (*app.caption, *app.warning))


# -- filling the sliders -----------------------------------------------------------------------


@pytest.mark.slow
def test_a_formula_fills_the_sliders_in_one_step_and_undo_brings_them_back(page: Page) -> None:
    page.settle(fc1=0.3)
    before, at, locked = page.plan, page.session.at, dict(page.session.locked)
    for method in ("global", "owl"):  # of weights alone, and of evidence
        ended(press(page, "fill", method=method, target=70.0))
        levels = page.session.bench.allocate(method, 0.7, before, locked=locked).sparsity
        assert page.plan == replace(before, sparsity={"fc3": 0.0, **levels}), method
        assert page.session.live == page.plan
        assert (page.session.at, page.session.locked) == (at + 1, locked)
        assert "70.0 %" in (page.session.message or "")
        page.ask("undo")
        assert (page.plan, page.session.at) == (before, at)


@pytest.mark.slow
def test_sensitivity_is_measured_and_says_so(page: Page) -> None:
    scanned = page.session.bench.studies.known_curves(page.plan).complete
    assert ("first a scan of every layer" in texts(page.app)) != scanned
    before = page.plan
    ended(press(page, "fill", method="sensitivity", target=90.0))
    found = state(page).answer
    assert found is not None
    assert page.plan == found.plan != before
    assert page.session.at == 1
    assert page.plan.sparsity["fc3"] == 0
    assert list(found.table["plan"])[-1] == "What was found"
    assert len(found.table) == len(found.result.tried) + 1
    shown = texts(page.app)
    assert "90.00 % goes" in shown
    assert f"{found.result.evaluations} plans were measured" in shown
    assert found.result.holdout is not None
    assert found.result.holdout.words in shown
    assert any("What was found" in frame.value.to_string() for frame in page.app.dataframe)


@pytest.mark.slow
def test_other_budgets_and_a_floor_are_obeyed(page: Page) -> None:
    for budget in ("macs", "bytes"):
        ended(press(page, "fill", method="lamp", target=60.0, budget=budget, floor=30.0))
        wanted = page.session.bench.allocate(
            "lamp", 0.6, budget=budget, locked=page.session.locked, floor=0.3
        )
        assert {n: s for n, s in page.plan.sparsity.items() if s} == dict(wanted.sparsity), budget
        assert max(page.plan.sparsity.values()) <= 0.7
        page.ask("undo")


@pytest.mark.slow
def test_the_global_scope_gives_way_and_that_is_said(page: Page) -> None:
    page.choose("ask_scope", "global").settle(fc1=0.4, fc2=0.4)
    assert "The scope becomes per layer" in texts(page.app)
    ended(press(page, "fill", method="erk", target=50.0))
    assert page.plan.scope == "layer"
    assert set(page.plan.sparsity) == set(page.session.bench.layer_of)
    assert "Scope: per layer" in (page.session.message or "")
    assert page.app.session_state[page.key("ask_scope")] == "layer"


@pytest.mark.slow
def test_what_was_cut_by_hand_is_given_back_and_that_is_said(page: Page) -> None:
    plan = replace(page.plan, pinned={"fc1": {"3": False}})
    page.session.settle(plan)
    page.run()
    assert "by hand is undone" in texts(page.app)
    ended(press(page, "fill", method="uniform", target=50.0))
    assert not page.plan.pinned
    assert "cut or kept by hand: 1" in (page.session.message or "")


@pytest.mark.slow
def test_whole_units_move_in_their_groups() -> None:
    page = Page(model="lenet5").choose("ask_granularity", "neuron").finish()
    ended(press(page, "fill", method="uniform", target=50.0))
    assert page.plan.granularity == "neuron"
    assert page.session.at == 2
    for name in page.session.locked:
        assert page.plan.sparsity[name] == 0


# -- the smallest network ------------------------------------------------------------------------


@pytest.mark.slow
def test_the_smallest_network_is_found_and_locked_layers_do_not_move(page: Page) -> None:
    page.settle(fc3=0.2).ask("lock", locked=["fc2", "fc3"])
    before, at = page.plan, page.session.at
    ended(press(page, "find", lose=2.0))
    answer = state(page).answer
    assert answer is not None
    assert page.plan == answer.plan
    assert page.session.at == at + 1
    assert set(page.session.locked) == {"fc2", "fc3"}
    for name in ("fc2", "fc3"):
        assert page.plan.sparsity[name] == before.sparsity[name]
    assert page.plan.sparsity["fc1"] > 0.3
    assert answer.result.result is not None
    assert answer.result.result.delta_low >= -0.02
    assert "at most 2 points" in texts(page.app)


def test_cancel_leaves_everything_as_it_was(page: Page) -> None:
    page.settle(fc1=0.3)
    before, at = page.plan, page.session.at
    with held(page):
        press(page, "find", lose=3.0)
        job = state(page).job
        assert job is not None
        assert page.app.button(key="allocate-fill").disabled
        page.app.button(key="allocate-cancel").click()
        page.run()
        job.wait(PATIENCE)
    page.run()
    assert job.cancelled
    assert (page.plan, page.session.at, state(page).answer) == (before, at, None)
    assert "Stopped" in texts(page.app)


def test_what_the_samples_cannot_tell_is_said_before_it_is_asked(page: Page) -> None:
    bench = page.session.bench
    judging = len(bench.source.validation) - half_of(bench)
    assert 900 < judging < 1100
    page.choose("allocate_lose", 0.1)  # 0.999³⁶⁸⁸ = 0.0250
    assert page.app.button(key="allocate-find").disabled
    assert f"3,688 judging samples at least, there are {judging:,}" in texts(page.app)
    page.choose("allocate_lose", 0.4)
    assert not page.app.button(key="allocate-find").disabled
    assert "judging samples" not in texts(page.app)


# -- a person who moves on -----------------------------------------------------------------------


@pytest.mark.slow
def test_a_late_result_is_offered_and_taken_in_one_step(page: Page) -> None:
    with held(page):
        press(page, "find", lose=4.0)
        page.settle(fc1=0.11)
    mine, at = page.plan, page.session.at
    ended(page)
    assert page.plan == mine, "the person's own sliders stay"
    assert "your sliders stay" in texts(page.app)
    page.app.button(key="allocate-take").click()
    page.run()
    answer = state(page).answer
    assert answer is not None
    assert (page.plan, page.session.at) == (answer.plan, at + 1)
    page.ask("undo")
    assert page.plan == mine
    assert [b for b in page.app.button if b.key == "allocate-take"], "it can be taken again"


@pytest.mark.slow
def test_another_network_drops_the_search_and_says_so(page: Page) -> None:
    with held(page):
        press(page, "find", lose=5.0)
        job, before = state(page).job, state(page)
        assert job is not None
        page.choose("ask_model", "lenet5").finish()
    assert job.cancelled
    assert state(page) is not before
    assert page.session.name == "lenet5"
    assert page.plan.is_dense
    assert state(page).wish == replace(before.wish, lose=0.05)
    assert "The search on lenet300 was dropped" in texts(page.app)
