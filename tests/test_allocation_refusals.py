"""What does the allocation on the page refuse, and in which words?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest
import streamlit as st

from pruneviz.allocation.request import SearchRequest
from pruneviz.plan import Plan
from pruneviz.ui.allocate import allocation_work as room
from pruneviz.ui.allocate.allocation_work import AllocationWish
from pruneviz.ui.session import start
from pruneviz.workbench import Workbench
from tests.page import Page
from tests.test_allocation_page import ended, press, state, texts


@pytest.fixture
def page() -> Page:
    """lenet300, its head locked as usual."""
    return Page(model="lenet300").finish()


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_pattern_has_nothing_to_share_out(page: Page) -> None:
    page.choose("ask_granularity", "N:M")
    assert "2:4 has one level only" in texts(page.app)
    assert page.app.button(key="allocate-fill").disabled
    assert page.app.button(key="allocate-find").disabled


def test_latency_needs_whole_units_and_says_why(page: Page) -> None:
    page.app.session_state["allocate_budget"] = "latency"
    page.run()
    assert "for latency, cut neurons or heads" in texts(page.app)
    assert page.app.button(key="allocate-fill").disabled


def test_refusals_are_said_and_change_nothing(page: Page) -> None:
    page.ask("lock", locked=["fc1", "fc2", "fc3"])
    before, at = page.plan, page.session.at
    for button in ("fill", "find"):
        ended(press(page, button, method="lamp"))
        assert (page.plan, page.session.at) == (before, at)
        assert "Every layer is locked, or nothing in it can be cut: unlock one." in texts(page.app)


def test_a_target_beyond_the_floor_is_refused(page: Page) -> None:
    before = page.plan
    ended(press(page, "fill", method="uniform", target=80.0, floor=50.0))
    assert page.plan == before
    assert state(page).message is not None
    assert "50" in texts(page.app)


# -- words ---------------------------------------------------------------------------------------


def test_side_effects_are_none_where_only_levels_change() -> None:
    plan = Plan(sparsity={"fc1": 0.5})
    assert room.side_effects(plan, replace(plan, sparsity={"fc1": 0.7})) == []
    lost = room.side_effects(replace(plan, scope="global"), plan)
    assert len(lost) == 1
    other = room.side_effects(replace(plan, criterion="l2", granularity="neuron"), plan)
    assert other == ["Criterion, granularity and repair: those of the search."]


def test_the_table_tells_what_each_plan_keeps(benches: Callable[[str], Workbench]) -> None:
    bench = benches("lenet300")
    found = bench.studies.search("sensitivity", 0.5, SearchRequest(locked=tuple(bench.locks)))
    table = room.table(bench, found)
    assert isinstance(table, pd.DataFrame)
    counts = bench.counts(found.plan)
    assert table["kept"].iloc[-1] == f"{100 * counts.params_kept / counts.params:.1f} %"
    assert found.result is not None
    assert table[found.result.task.word].iloc[-1] == f"{100 * found.result.accuracy:.1f} %"
    assert room.table(bench, bench.studies.search("uniform", 0.5)).empty


def test_a_wish_goes_from_network_to_network(
    benches: Callable[[str], Workbench], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, object] = {}
    monkeypatch.setattr(st, "session_state", kept)
    first = room.AllocationWork.of(start(benches("lenet300")))
    first.wish = AllocationWish("erk", 33.0)
    second = room.AllocationWork.of(start(benches("lenet5")))
    assert (second.wish, second.message) == (AllocationWish("erk", 33.0), None)
    assert room.AllocationWork.of(second.session) is second
