"""Does a workbench predict as it measures?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from pruneviz.background import CancelledError
from pruneviz.data import Data
from pruneviz.plan import Plan
from pruneviz.sensitivity.damage_model import fit
from pruneviz.sensitivity.prediction import (
    Prediction,
    known_predictor,
    predictor,
    random_plans,
)
from pruneviz.sensitivity.scan import known_curves, scan
from pruneviz.sources import Source
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.workbench import Workbench
from tests.cases import slow_but
from tests.counting_bench import CountingBench


def quiet(label: str, done: float) -> None:
    assert label
    assert 0 <= done <= 1


SETTINGS = [
    ("lenet300", Plan()),
    ("lenet5", Plan()),
    ("lenet5", Plan(granularity="neuron")),
    ("lenet5", Plan(granularity="2:4")),
    ("lenet5", Plan("random", seed=2)),
    ("lenet5", Plan("l2", "neuron", repair=("fold",))),
]


@pytest.mark.parametrize(
    ("name", "plan"),
    slow_but(lambda name, plan: name == "lenet300", SETTINGS),
)
def test_laws(benches: Callable[[str], Workbench], name: str, plan: Plan) -> None:
    bench, memory = benches(name), MeasurementStore(None)
    told = scan(bench, plan, memory, (0.3, 0.8, 0.95))
    found = predictor(bench, told, memory, quiet)
    dense = bench.evaluate(Plan()).accuracy
    assert found.predict(plan) == Prediction(dense, dense, dense)
    for table in found.tables.values():
        assert table.shape == (101,)
        assert table[0] == 0
        assert (np.diff(table) >= 0).all()
    damage, accuracy = found.link
    assert (np.diff(damage) > 0).all()
    assert (np.diff(accuracy) <= 0).all()
    assert sum(found.mix.values()) == pytest.approx(1)
    assert 0 < found.error < 0.3
    some = random_plans(told, 3, 5, dense)[0]
    before = found.predict(some)
    assert 0 <= before.low <= before.accuracy <= before.high <= 1
    for one in told.curves:
        more = one.slider.raise_to(some, min(one.slider.level(some) + 0.2, 1.0))
        assert found.predict(more).accuracy <= before.accuracy


def test_a_second_call_measures_nothing(benches: Callable[[str], Workbench]) -> None:
    bench, memory = CountingBench(benches("lenet5")), MeasurementStore(None)
    told = scan(bench, Plan(), memory, (0.5, 0.9))
    assert known_predictor(bench, told, memory) is None
    bench.asked.clear()
    first = predictor(bench, told, memory, quiet)
    assert len(bench.cuts) == first.plans == 48
    assert {n for _, n in bench.cuts} == {128} == {first.samples}
    bench.asked.clear()
    second, third = predictor(bench, told, memory, quiet), known_predictor(bench, told, memory)
    assert bench.cuts == []
    assert third is not None
    plans = random_plans(told, 20, 9)
    assert [second.predict(p) for p in plans] == [third.predict(p) for p in plans]
    both = zip((first.predict(p).accuracy for p in plans), map(third.predict, plans), strict=True)
    assert all(one == pytest.approx(other.accuracy, abs=1e-4) for one, other in both)
    assert second.words == first.words


def test_one_that_was_stopped_goes_on(benches: Callable[[str], Workbench]) -> None:
    bench, memory = CountingBench(benches("lenet5")), MeasurementStore(None)
    told = scan(bench, Plan(), memory, (0.5, 0.9))

    def stop(label: str, done: float) -> None:
        if label == "random plan 11 of 48":
            raise CancelledError

    bench.asked.clear()
    with pytest.raises(CancelledError):
        predictor(bench, told, memory, stop)
    assert len(bench.cuts) == 10
    assert known_predictor(bench, told, memory) is None
    bench.asked.clear()
    predictor(bench, told, memory, quiet)
    assert len(bench.cuts) == 38


@pytest.mark.slow
def test_other_curves_are_fitted_to_anew(benches: Callable[[str], Workbench]) -> None:
    bench, memory = benches("lenet5"), MeasurementStore(None)
    few = scan(bench, Plan(), memory, (0.5,), budget=400)
    assert not few.complete
    found = predictor(bench, few, memory, quiet)
    bare = [one.slider.name for one in few.curves if not one.points]
    assert bare
    assert not any(found.tables[name].any() for name in bare if "taylor" not in found.mix)
    whole = scan(bench, Plan(), memory, (0.5, 0.9))
    assert known_predictor(bench, whole, memory) is None
    assert known_predictor(bench, scan(bench, Plan("lamp"), memory, (0.5,)), memory) is None
    assert known_predictor(bench, few, memory) is not None


@pytest.mark.slow
def test_what_is_damaged_is_fitted_again(benches: Callable[[str], Workbench]) -> None:
    class Damaged(MeasurementStore):
        def get(self, key: str) -> str | None:
            return None if super().get(key) is None else "{]"

    bench, memory = benches("lenet5"), Damaged(None)
    told = scan(bench, Plan(), MeasurementStore(None), (0.5,))
    predictor(bench, told, memory, quiet)
    assert known_predictor(bench, told, memory) is None
    assert predictor(bench, told, memory, quiet).plans == 48


def test_nothing_is_foretold_before_a_scan(benches: Callable[[str], Workbench]) -> None:
    bench, memory = benches("lenet5"), MeasurementStore(None)
    told = known_curves(bench, Plan("fisher"), memory)
    assert known_predictor(bench, told, memory) is None
    with pytest.raises(ValueError, match="scan first"):
        predictor(bench, told, memory, quiet)


def test_where_nothing_can_be_cut_nothing_changes(benches: Callable[[str], Workbench]) -> None:
    bench, memory = benches("lenet5"), MeasurementStore(None)
    told = scan(bench, Plan(granularity="head"), memory)
    found = predictor(bench, told, memory, quiet)
    assert found.plans == 0
    assert found.error == 0
    dense = bench.evaluate(Plan()).accuracy
    assert found.predict(Plan(granularity="head")).accuracy == dense
    assert known_predictor(bench, told, memory) is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    "metric",
    slow_but(
        lambda metric: metric is None, [None, lambda outputs, targets: -(outputs - targets).abs()]
    ),
)
def test_values_have_no_odds_and_may_fall_below_zero(metric: Any) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1)).eval()
    inputs = torch.randn(160, 8)
    with torch.no_grad():
        targets = model(inputs) + 0.05 * torch.randn(160, 1)
    data = Data(inputs, targets)
    bench = Workbench(Source("values", model, data, data, (), metric=metric))
    told = bench.studies.curves()
    found = bench.studies.predictor()
    assert "odds" not in found.mix
    dense = bench.evaluate(Plan()).accuracy
    fresh = random_plans(told, 30, 3, abs(dense))
    guesses = [found.predict(plan).accuracy for plan in fresh]
    measured = [bench.evaluate(plan).accuracy for plan in fresh]
    assert spearmanr(guesses, measured).statistic > 0.8
    assert found.predict(Plan()).accuracy == dense


@pytest.mark.slow
def test_fresh_plans_are_ranked_as_they_measure(benches: Callable[[str], Workbench]) -> None:
    bench = benches("lenet300")
    told = bench.studies.curves(Plan("lamp"))
    found = bench.studies.predictor(Plan("lamp"))
    again = bench.studies.known_predictor(Plan("lamp"))
    assert again is not None
    fresh = random_plans(told, 40, 2, bench.evaluate(Plan()).accuracy)
    guesses = [again.predict(plan) for plan in fresh]
    measured = [bench.evaluate(plan).accuracy for plan in fresh]
    assert spearmanr([one.accuracy for one in guesses], measured).statistic > 0.9
    missed = [abs(one.accuracy - real) for one, real in zip(guesses, measured, strict=True)]
    assert np.mean(missed) < max(0.08, 2 * found.error)
    within = [one.low <= real <= one.high for one, real in zip(guesses, measured, strict=True)]
    assert np.mean(within) > 0.75


def test_the_reach_of_the_first_plans_holds_their_own_errors() -> None:
    """The plan of least damage is far off, and no other is: it widens what is near it alone."""
    damage = np.arange(1.0, 41.0)
    scores = 1 - damage / 1000
    scores[0] = 0.5
    at, wide = fit({"score": damage}, scores, 1.0).reach
    assert at[0] < at[-1]
    assert wide[0] > 0.45
    assert wide[-1] < 0.1
