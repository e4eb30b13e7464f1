"""Is memory given back while visitors come and go, and nothing before?"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pruneviz.plan import Plan
from pruneviz.ui.session import departures as module
from pruneviz.ui.session.departures import Departures
from pruneviz.workbench import Workbench


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []
    monkeypatch.setattr(module.gc, "collect", lambda: 0)  # a hundred of them take seconds
    monkeypatch.setattr(module, "trim", lambda: made.append("freed"))
    monkeypatch.setattr(module, "let_go_of_spares", lambda: made.append("held"))
    return made


def test_what_is_held_to_be_quicker_goes_with_the_last_visitor(calls: list[str]) -> None:
    here = {"a", "b"}
    door = Departures(here.__contains__)
    for visitor in ("a", "b"):
        door.come(visitor)
    door.look()
    here.remove("a")
    door.look()
    assert calls == ["freed", "freed"], "somebody is still here"
    here.remove("b")
    door.look()
    assert calls == ["freed", "freed", "held"]
    here.add("c")
    door.come("c")
    door.look()
    assert calls[-1] == "freed"


def test_nobody_looks_where_nobody_has_been_for_long(calls: list[str]) -> None:
    door = Departures(lambda visitor: False)
    door.come("a")
    looks = 0
    while door._came.is_set() and looks < 100:
        door.look()
        looks += 1
    assert 130 <= looks * module._LOOK <= 300, "what Streamlit keeps for two minutes is gone then"
    assert calls == ["held"] * looks


def test_a_network_measures_the_same_after_it_let_go(
    new_bench: Callable[[str], Workbench],
) -> None:
    bench = new_bench("lenet5")
    _ = bench.graph
    plans = [Plan(sparsity={"fc2": level}) for level in (0.25, 0.5, 0.75)]
    first = [bench.evaluate(plan).accuracy for plan in plans]
    parts = bench._evaluation_cache._parts()
    assert parts is not None
    assert parts.bytes > 0
    module.let_go_of_spares()
    assert parts.bytes == 0
    again = new_bench("lenet5")
    assert [again.evaluate(plan).accuracy for plan in plans] == first
    more = Plan(sparsity={"fc2": 0.9})
    assert bench.evaluate(more).accuracy == again.evaluate(more).accuracy
    assert parts.bytes > 0, "it holds values again once somebody is back"
