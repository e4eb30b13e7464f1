"""Does the trade-off show what was measured, and lead back to it?"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from pruneviz.allocation.request import SearchRequest
from pruneviz.plan import Plan
from pruneviz.pruning.labels import label
from pruneviz.sensitivity.scan import LEVELS
from pruneviz.training import Training
from pruneviz.ui.board import parse
from pruneviz.ui.session import Session, obey, start
from pruneviz.ui.session.chart import PlanFacts
from pruneviz.ui.workbench.trade_off import best_within, chance, chart, plan_at, promise, visits
from pruneviz.workbench import Workbench
from tests.small import small_bench

HALF = Plan(sparsity={"fc1": 0.5})


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(), "dense"),
        (Plan("wanda", sparsity={"a": 0.0}), "dense"),
        (Plan(sparsity={"a": 0.5}), "Magnitude, weight: 50 % in 1 layer"),
        (Plan(sparsity={"a": 0.5, "b": 0.5, "c": 0.0}), "Magnitude, weight: 50 % in 2 layers"),
        (
            Plan("wanda", "2:4", sparsity={"a": 0.25, "b": 0.9}),
            "Wanda, 2:4: 25–90 % in 2 layers",
        ),
        (
            Plan("l2", "neuron", "global", {"a": 0.3, "b": 0.3}),
            "L2 norm, neuron, global: 30 % in 2 layers",
        ),
    ],
)
def test_a_plan_in_a_few_words(plan: Plan, words: str) -> None:
    assert label(plan) == words


TABLE = pd.DataFrame(
    {
        "params": [100, 70, 40, 20],
        "accuracy": [0.98, 0.975, 0.97, 0.5],
        "kind": ["dense", "visited", "visited", "visited"],
        "returns": True,
    }
)


@pytest.mark.parametrize(
    ("points", "place"), [(0.0, 0), (0.4, 0), (0.5, 1), (0.9, 1), (1.0, 2), (48.0, 3), (100.0, 3)]
)
def test_the_smallest_plan_within_a_loss(points: float, place: int) -> None:
    assert best_within(TABLE, points / 100) == place


def test_a_plan_better_than_dense_costs_no_points() -> None:
    assert best_within(TABLE.assign(accuracy=[0.98, 0.985, 0.97, 0.5]), 0.0) == 1


def test_without_a_dense_point_nothing_can_be_compared() -> None:
    assert best_within(TABLE.iloc[1:].reset_index(drop=True), 100.0) is None
    assert best_within(TABLE.iloc[:0], 100.0) is None


def test_only_what_was_measured_is_a_point(new_bench: Callable[[str], Workbench]) -> None:
    bench = new_bench("lenet5")
    seen = visits(bench, [Plan(), HALF], PlanFacts())
    assert seen.plans == ()
    assert len(seen.table) == len(seen.controls) == 0

    bench.evaluate(Plan())
    result = bench.evaluate(HALF, 64)
    seen = visits(bench, [Plan(), HALF], PlanFacts())
    assert seen.plans == (Plan(), HALF)
    row = seen.table.iloc[1]
    assert row["label"] == label(HALF)
    assert row["params"] == bench.counts(HALF).params_kept
    assert (row["n"], row["accuracy"], row["loss"]) == (64, result.accuracy, result.loss)
    assert (row["low"], row["high"]) == (result.low, result.high)
    assert seen.table["kind"].tolist() == ["dense", "visited"]
    assert len(seen.controls) == 0


def test_a_control_is_a_point_when_it_is_measured_in_full(
    new_bench: Callable[[str], Workbench],
) -> None:
    bench = new_bench("lenet5")
    control = Plan("random", sparsity={"fc1": 0.5})
    bench.evaluate(HALF)
    bench.evaluate(control, 64)
    assert len(visits(bench, [Plan(), HALF], PlanFacts()).controls) == 0
    result = bench.evaluate(control)
    controls = visits(bench, [Plan(), HALF], PlanFacts()).controls
    assert controls["accuracy"].tolist() == [result.accuracy]
    assert controls["params"].tolist() == [bench.counts(control).params_kept]


@pytest.mark.parametrize(
    ("sparsity", "words"),
    [({}, "Magnitude, neuron: 2 by hand"), ({"fc1": 0.5}, "50 % in 1 layer, 2 by hand")],
)
def test_a_plan_made_by_hand_says_so(sparsity: dict[str, float], words: str) -> None:
    pinned = {"conv2": {"3": False, "5": True}}
    plan = Plan("magnitude", "neuron", sparsity=sparsity, pinned=pinned)
    assert label(plan).endswith(words)


# -- on the board ------------------------------------------------------------------------------


@pytest.fixture
def session(new_bench: Callable[[str], Workbench]) -> Session:
    """At half of fc1, which is measured as the dense network is."""
    session = start(new_bench("lenet5"))
    session.bench.evaluate(Plan())
    half = replace(session.settled, sparsity={**session.settled.sparsity, "fc1": 0.5})
    session.settle(half)
    session.bench.evaluate(half)
    return session


def marks(session: Session) -> dict[str, list[int]]:
    """Name -> positions of the points of the chart that can be clicked."""
    traces = json.loads(chart(session).figure)["data"]
    return {one["name"]: one["customdata"] for one in traces if "customdata" in one}


def test_a_predicted_point_leads_to_its_plan() -> None:
    session = start(small_bench(400))
    session.bench.evaluate(Plan())
    assert promise(session) == ()
    session.bench.studies.curves(levels=LEVELS)
    line = session.bench.studies.pareto(SearchRequest(locked=tuple(session.locked)))
    shown = chart(session)
    places = marks(session)["best predicted"]
    assert [plan_at(session, shown.keys[place]) for place in places] == [
        one.plan for one in line.points
    ]
    other = next(name for name in session.bench.layer_of if name not in session.locked)
    session.settle(session.settled, {**session.locked, other: ""})
    assert promise(session) == (), "of other locks it tells nothing"


def test_a_point_of_the_board_leads_back_to_its_plan(session: Session) -> None:
    shown = chart(session)
    assert [plan_at(session, key) for key in shown.keys] == session.visited
    assert plan_at(session, "nosuch") is plan_at(session, "") is None
    assert sorted(place for places in marks(session).values() for place in places) == [0, 1]


def test_the_chart_is_another_once_there_is_another_point(session: Session) -> None:
    first = chart(session)
    assert chart(session) is first, "nothing has changed"
    session.drag(replace(session.live, sparsity={**session.live.sparsity, "conv2": 0.5}))
    assert chart(session) is first, "what moves under the thumb is no point yet"
    session.settle(session.live)
    assert chart(session) is first, "nothing of it is measured"
    session.bench.evaluate(session.settled, 64)
    second = chart(session)
    assert second.id != first.id
    assert second.keys[:2] == first.keys
    assert len(second.keys) == 3
    samples = len(session.bench.source.validation)
    session.bench.evaluate(session.settled, samples // 2)
    assert chart(session) is second, "the board moves the point until all of it is measured"
    session.bench.evaluate(session.settled)
    assert chart(session).id != second.id


def test_the_loss_allowed_and_the_measure_are_the_browsers(session: Session) -> None:
    ids = {chart(session).id}
    assert marks(session)["fewest parameters"] == [1]
    assert "at most 1 point lost: 61.1 % kept, accuracy " in chart(session).words
    asked = {"sparsity": dict(session.live.sparsity), "locked": [*session.locked], "focus": "fc1"}
    for seq, choice in enumerate(({"lose": 0.5}, {"measure": "loss"}, {"measure": "layers"}), 1):
        request = parse({"seq": seq, "kind": "need", "have": {"scene": "", "picture": ""}, **asked,
                         **choice})  # fmt: skip
        assert request is not None
        obey(session, request)
        ids.add(chart(session).id)
    assert len(ids) == 4
    names = [one["name"] for one in json.loads(chart(session).figure)["data"]]
    assert names == ["kept", "cut"]
    assert chart(session).keys == ()


def test_the_axis_begins_at_chance(new_bench: Callable[[str], Workbench]) -> None:
    assert chance(new_bench("lenet5")) == pytest.approx(0.1)


def test_versions_stand_on_the_chart_of_the_network_they_come_from_and_on_their_own(
    new_bench: Callable[[str], Workbench],
) -> None:
    bench = new_bench("lenet300")
    version = Workbench(bench.train(HALF, Training(epochs=1, samples=64)).source("v1"), bench)
    seen = visits(version, [Plan(), HALF], PlanFacts())
    assert seen.table["kind"].tolist() == ["dense"], "nothing is measured for the chart"
    for mark in version.landmarks:
        mark.bench.evaluate(mark.plan)
    dense = bench.evaluate(Plan())
    seen = visits(version, [Plan()], PlanFacts())
    assert seen.table["kind"].tolist() == ["trained", "dense", "cut, not trained"]
    assert seen.table["returns"].tolist() == [True, False, False]
    trained, first, cut = (row for _, row in seen.table.iterrows())
    assert (first["params"], first["accuracy"]) == (bench.counts(Plan()).params, dense.accuracy)
    assert trained["params"] == cut["params"] == bench.counts(HALF).params_kept
    assert cut["accuracy"] == bench.evaluate(HALF).accuracy
    assert len(seen.controls) == 1
    assert best_within(seen.table, 1.0) == 0, "only what one can return to"

    seen = visits(bench, [Plan()], PlanFacts(), [version])
    assert seen.table["kind"].tolist() == ["dense", "trained"]
