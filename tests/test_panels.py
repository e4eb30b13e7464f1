"""Do the words and tables beside the charts say what was measured?"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from pruneviz.plan import Plan
from pruneviz.pruning.labels import label
from pruneviz.storage.cache import Cache
from pruneviz.ui.workbench.panels import best_within, visits
from pruneviz.workbench import Workbench

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
        "dense": [True, False, False, False],
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
    seen = visits(bench, [Plan(), HALF], Cache(8))
    assert seen.plans == ()
    assert len(seen.table) == len(seen.controls) == 0

    bench.evaluate(Plan())
    result = bench.evaluate(HALF, 64)
    seen = visits(bench, [Plan(), HALF], Cache(8))
    assert seen.plans == (Plan(), HALF)
    row = seen.table.iloc[1]
    assert row["label"] == label(HALF)
    assert row["params"] == bench.counts(HALF).params_kept
    assert (row["n"], row["accuracy"], row["loss"]) == (64, result.accuracy, result.loss)
    assert (row["low"], row["high"]) == (result.low, result.high)
    assert seen.table["dense"].tolist() == [True, False]
    assert len(seen.controls) == 0


def test_a_control_is_a_point_when_it_is_measured_in_full(
    new_bench: Callable[[str], Workbench],
) -> None:
    bench = new_bench("lenet5")
    control = Plan("random", sparsity={"fc1": 0.5})
    bench.evaluate(HALF)
    bench.evaluate(control, 64)
    assert len(visits(bench, [Plan(), HALF], Cache(8)).controls) == 0
    result = bench.evaluate(control)
    controls = visits(bench, [Plan(), HALF], Cache(8)).controls
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
