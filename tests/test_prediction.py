"""Does an estimate follow from tables and a link as by hand, and obey its laws?"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

import pruneviz as pv
from pruneviz.background import CancelledError
from pruneviz.data import Data
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.pruning.sliders import Slider
from pruneviz.sensitivity.curves import Curve, Curves, Point
from pruneviz.sensitivity.damage import features_of
from pruneviz.sensitivity.damage_model import fit, link_of
from pruneviz.sensitivity.prediction import (
    Prediction,
    Predictor,
    known_predictor,
    predictor,
    random_plans,
)
from pruneviz.sensitivity.scan import known_curves, scan
from pruneviz.sensitivity.taylor import LEVELS, rises
from pruneviz.sources import Source
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.workbench import Workbench
from tests.cases import slow_but

FRACTION = (0.0, 1.0)


def point(got: float, accuracy: float, loss: float = 0.2) -> Point:
    """On 1000 samples, of which a dense network that loses 0.1 gets 900 right."""
    delta = accuracy - 0.9
    return Point(got, got, 1000, accuracy, 0.0, 1.0, delta, delta, delta, loss, 0.9, 0.1)


def curve(name: str, *points: Point, items: int = 100, layers: tuple[str, ...] = ()) -> Curve:
    return Curve(Slider(name, layers or (name,), items), points, "" if points else "nothing goes")


def curves(*found: Curve, plan: Plan = pv.Plan()) -> Curves:  # noqa: B008
    return Curves(plan, found, 1000, 0.01, 0, True, "")


def by_hand() -> Predictor:
    """a does 1 at its end and moves two layers; b does 3, all of it from the middle on."""
    return Predictor(
        plan=Plan(),
        layers={"a": ("a", "a2"), "b": ("b",)},
        tables={"a": LEVELS, "b": np.where(LEVELS < 0.5, 0.0, 3.0)},
        link=(np.array([0.0, 1.0, 3.0]), np.array([0.9, 0.8, 0.2])),
        reach=(np.array([1.0, 3.0]), np.array([0.01, 0.21])),
        error=0.03,
        mix={"score": 1.0},
        plans=10,
        samples=500,
        bounds=FRACTION,
    )


# -- by hand -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("levels", "damage", "told"),
    [
        ({}, 0.0, (0.9, 0.9, 0.9)),
        ({"a": 0.0, "b": 0.0}, 0.0, (0.9, 0.9, 0.9)),
        ({"a": 0.5}, 0.5, (0.85, 0.84, 0.86)),
        ({"a2": 0.5}, 0.5, (0.85, 0.84, 0.86)),
        ({"a": 0.255}, 0.255, (0.8745, 0.8645, 0.8845)),  # between two entries of the table
        ({"b": 0.4}, 0.0, (0.9, 0.89, 0.91)),  # no damage, but something went
        ({"b": 0.5}, 3.0, (0.2, 0.0, 0.41)),  # an accuracy is never below 0
        ({"a": 1.0, "b": 1.0}, 4.0, (0.2, 0.0, 0.41)),  # beyond all that was fitted
    ],
)
def test_damages_add_up_and_the_link_tells(
    levels: dict[str, float], damage: float, told: tuple[float, float, float]
) -> None:
    plan = Plan(sparsity=levels)
    assert by_hand().damage(plan) == pytest.approx(damage)
    found = by_hand().predict(plan)
    assert (found.accuracy, found.low, found.high) == pytest.approx(told)


@pytest.mark.parametrize(
    ("plan", "named"),
    [
        (Plan("l2", sparsity={"a": 0.5}), "this predictor is for Plan(criterion='magnitude'"),
        (Plan(repair=("recalibrate",)), "repair=('recalibrate',)"),
        (Plan(scope="global", sparsity={"a": 0.5}), "scope 'global' gives layers no levels"),
        (Plan(sparsity={"c": 0.5}), "no layer 'c' to predict from"),
    ],
)
def test_what_it_was_not_fitted_for_is_refused_by_name(plan: Plan, named: str) -> None:
    with pytest.raises(ValueError, match=re.escape(named)):
        by_hand().predict(plan)


def test_a_seed_that_is_not_obeyed_and_pins_do_not_matter() -> None:
    plan = Plan(sparsity={"a": 0.5}, seed=3, pinned={"a": {"0": False}})
    assert by_hand().predict(plan) == by_hand().predict(Plan(sparsity={"a": 0.5}))


def test_it_says_what_it_rests_on() -> None:
    assert "10 random plans" in by_hand().words
    assert "500 samples each, were off by 3.0 points" in by_hand().words
    assert replace(by_hand(), plans=0).words == "nothing can be cut, so nothing changes."


def test_features_by_hand() -> None:
    two = curves(curve("a", point(0.5, 0.9, 0.1), point(0.8, 0.5, 0.2)), curve("stuck"))
    found = features_of(two, FRACTION, {"a": LEVELS})
    assert list(found) == ["score", "loss", "odds", "taylor"]
    score = found["score"]["a"]
    assert score[[0, 50, 65, 80]] == pytest.approx([0, 0, 0.2, 0.4])
    assert score[100] == pytest.approx(0.4 + 0.2 * 0.4 / 0.3), "as steep as before the last point"
    assert found["loss"]["a"][[50, 80]] == pytest.approx([0, math.log(2)])
    odds = math.log(900.5 / 100.5) - math.log(500.5 / 500.5)
    assert found["odds"]["a"][[50, 80]] == pytest.approx([0, odds])
    assert found["taylor"]["a"] is LEVELS
    assert not any(tables["stuck"].any() for tables in found.values())


def test_where_a_score_is_no_fraction_it_has_no_odds() -> None:
    one = curves(curve("a", point(0.5, -3.0)))
    assert list(features_of(one, (-math.inf, 1.0), {})) == ["score", "loss"]
    assert features_of(one, (-math.inf, 1.0), {})["score"]["a"][50] == pytest.approx(3.9)


def test_noise_makes_no_table_fall_or_go_below_zero() -> None:
    noisy = curves(curve("a", point(0.2, 0.92), point(0.4, 0.7), point(0.6, 0.8), point(0.9, 0.1)))
    table = features_of(noisy, FRACTION, {})["score"]["a"]
    assert table[[0, 20, 40, 60]] == pytest.approx([0, 0, 0.15, 0.15])
    assert (np.diff(table) >= 0).all()


def test_a_loss_that_is_not_finite_is_a_bad_one() -> None:
    broken = curves(curve("a", point(0.5, 0.1, math.inf), point(0.9, 0.1, math.nan)))
    table = features_of(broken, FRACTION, {})["loss"]["a"]
    assert np.isfinite(table).all()
    assert table[50] == 20


def test_a_level_counts_by_the_units_that_go() -> None:
    four = curves(curve("a", point(0.25, 0.8), point(0.5, 0.7), point(0.75, 0.5), items=4))
    table = features_of(four, FRACTION, {})["score"]["a"]
    assert table[[0, 12, 13, 30, 37, 38, 60]] == pytest.approx([0, 0, 0.1, 0.1, 0.1, 0.2, 0.2])


def test_a_pattern_does_all_of_its_damage_or_none() -> None:
    one = curves(curve("a", point(0.5, 0.7)), plan=Plan(granularity="2:4"))
    table = features_of(one, FRACTION, {})["score"]["a"]
    assert table[[0, 24, 25, 50, 100]] == pytest.approx([0, 0, 0.2, 0.2, 0.2])


def test_a_link_runs_through_the_middles_of_what_is_level() -> None:
    damage, accuracy = link_of(np.array([4.0, 1.0, 3.0, 2.0]), np.array([0.1, 0.95, 0.5, 0.3]), 0.9)
    assert damage.tolist() == [0, 1, 2.5, 4]
    assert accuracy.tolist() == pytest.approx([0.9, 0.9, 0.4, 0.1])


def test_the_feature_that_tells_is_found_among_others() -> None:
    draw = np.random.default_rng(0)
    tells, noise = draw.uniform(0, 1, 40), draw.uniform(0, 1, 40)
    found = fit({"noise": noise, "tells": tells}, 0.9 - 0.5 * tells, 0.9)
    assert found.mix == {"tells": 1.0}
    assert found.weights["tells"] == pytest.approx(1 / tells.mean())
    assert found.error < 0.01
    assert found.plans == 40


def test_plans_without_a_score_teach_nothing() -> None:
    scores = np.array([0.8, math.nan, 0.4])
    found = fit({"f": np.array([1.0, 2.0, 3.0])}, scores, 0.9, finest=0.01)
    assert found.plans == 2
    assert np.isfinite(found.link[1]).all()
    assert (found.reach[1] >= 0.01).all()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_few_plans_or_none_will_do(number: int) -> None:
    found = fit({"f": np.ones(number)}, np.full(number, 0.5), 0.9)
    assert found.plans == number
    assert found.link[1][0] == 0.9
    assert math.isfinite(found.error)


# -- random plans ------------------------------------------------------------------------------


def test_random_plans_run_from_harmless_to_where_the_drops_add_up() -> None:
    two = curves(
        curve("a", point(0.5, 0.9), point(0.9, 0.1), layers=("a", "a2")), curve("b", point(1, 0.0))
    )
    plans = random_plans(two, 200, 7, whole=0.9)
    assert plans == random_plans(two, 200, 7, whole=0.9)
    assert plans != random_plans(two, 200, 8, whole=0.9)
    assert all(plan.sparsity["a"] == plan.sparsity["a2"] for plan in plans)
    drops = [
        -sum(one.at(plan.sparsity[one.slider.name])[0] for one in two.curves) for plan in plans
    ]
    assert min(drops) < 0.05
    assert 0.7 < max(drops) < 0.91
    levels = [plan.sparsity["b"] for plan in plans]
    assert all(0 <= level < 1 for level in levels)


def test_random_plans_cut_nothing_where_nothing_can_go() -> None:
    assert random_plans(curves(curve("stuck")), 2, 0) == [Plan(), Plan()]


# -- Taylor ------------------------------------------------------------------------------------


def test_the_taylor_term_is_the_sum_over_what_goes(benches: Callable[[str], Workbench]) -> None:
    bench = benches("lenet5")
    sliders = bench.sliders(Plan())
    found = rises(bench, Plan(), sliders)
    evidence = bench.evidence("gradients")["fc2"]
    felt = 0.5 * evidence.of("gradient_power").double() * evidence.weight.double() ** 2
    for level in (0.0, 0.3, 0.9, 1.0):
        gone = ~bench.masks(Plan(sparsity={"fc2": level})).masks.get("fc2", felt > -1)
        assert found["fc2"][round(100 * level)] == pytest.approx(float(felt[gone].sum()))
    assert set(found) == set(bench.layer_of)
    assert all((np.diff(table) >= 0).all() for table in found.values())


def test_a_pattern_has_its_taylor_term_at_its_own_level(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("lenet5")
    plan = Plan(granularity="2:4")
    table = rises(bench, plan, bench.sliders(plan))["fc1"]
    assert table[0] == table[24] == 0 < table[25] == table[50] == table[100]


def test_whole_units_have_no_taylor_term(benches: Callable[[str], Workbench]) -> None:
    bench = benches("lenet5")
    plan = Plan(granularity="neuron")
    assert rises(bench, plan, bench.sliders(plan)) == {}


# -- a workbench -------------------------------------------------------------------------------


class Counting:
    """A workbench that notes what it was asked to measure."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.asked: list[tuple[Plan, int | None]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bench, name)

    def evaluate(self, plan: Plan, n: int | None = None, start: int = 0) -> Evaluation:
        if not plan.is_dense:
            self.asked.append((plan, n))
        return self.bench.evaluate(plan, n, start)


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
    bench, memory = Counting(benches("lenet5")), MeasurementStore(None)
    told = scan(bench, Plan(), memory, (0.5, 0.9))
    assert known_predictor(bench, told, memory) is None
    bench.asked.clear()
    first = predictor(bench, told, memory, quiet)
    assert len(bench.asked) == first.plans == 48
    assert {n for _, n in bench.asked} == {128} == {first.samples}
    bench.asked.clear()
    second, third = predictor(bench, told, memory, quiet), known_predictor(bench, told, memory)
    assert bench.asked == []
    assert third is not None
    plans = random_plans(told, 20, 9)
    assert [second.predict(p) for p in plans] == [third.predict(p) for p in plans]
    both = zip((first.predict(p).accuracy for p in plans), map(third.predict, plans), strict=True)
    assert all(one == pytest.approx(other.accuracy, abs=1e-4) for one, other in both)
    assert second.words == first.words


def test_one_that_was_stopped_goes_on(benches: Callable[[str], Workbench]) -> None:
    bench, memory = Counting(benches("lenet5")), MeasurementStore(None)
    told = scan(bench, Plan(), memory, (0.5, 0.9))

    def stop(label: str, done: float) -> None:
        if label == "random plan 11 of 48":
            raise CancelledError

    bench.asked.clear()
    with pytest.raises(CancelledError):
        predictor(bench, told, memory, stop)
    assert len(bench.asked) == 10
    assert known_predictor(bench, told, memory) is None
    bench.asked.clear()
    predictor(bench, told, memory, quiet)
    assert len(bench.asked) == 38


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
