"""Does an estimate follow from tables and a link as by hand, and obey its laws?"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import pruneviz as pv
from pruneviz.plan import Plan
from pruneviz.pruning.sliders import Slider
from pruneviz.sensitivity.curves import Curve, Curves, Point
from pruneviz.sensitivity.damage import features_of
from pruneviz.sensitivity.damage_model import fit, link_of
from pruneviz.sensitivity.prediction import (
    Predictor,
    random_plans,
)
from pruneviz.sensitivity.taylor import LEVELS, rises
from pruneviz.workbench import Workbench

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
