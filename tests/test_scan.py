"""Does a scan measure what it says, and no more than it needs?"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pruneviz.measuring.looks import looks
from pruneviz.plan import Plan, settings_of
from pruneviz.sensitivity.curves import LOSE
from pruneviz.sensitivity.scan import LEVELS, known_curves, scan
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.workbench import Workbench
from tests.benchmarks.coverage import scanned
from tests.cases import slow_but
from tests.counting_bench import CountingBench

NEURONS = Plan(granularity="neuron")


@pytest.fixture
def lenet5(benches: Callable[[str], Workbench]) -> CountingBench:
    """lenet5 over 128 samples."""
    return CountingBench(benches("lenet5"))


@pytest.fixture
def lenet300(whole_lenet300: Workbench) -> CountingBench:
    return CountingBench(whole_lenet300)


# -- points ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "plan",
    [
        Plan(),
        Plan("random", "neuron", seed=3),
        Plan("l2", "neuron", repair=("fold",), aggregate="max"),
    ],
)
def test_a_point_is_one_slider_at_one_level_measured_as_always(
    lenet5: CountingBench, memory: MeasurementStore, plan: Plan
) -> None:
    found = scan(lenet5, plan, memory, (0.3, 0.8))
    assert found.complete
    assert [one.slider.name for one in found.curves] == list(lenet5.layer_of)
    for curve in found.curves:
        assert [point.sparsity for point in curve.points] == [0.3, 0.8]
        for point in curve.points:
            cut = replace(plan, sparsity=dict.fromkeys(curve.slider.layers, point.sparsity))
            result, dense = lenet5.evaluate(cut, point.n), lenet5.evaluate(Plan(), point.n)
            for name in ("accuracy", "low", "high", "delta", "delta_low", "delta_high", "loss"):
                assert getattr(point, name) == getattr(result, name)
            assert (point.dense_accuracy, point.dense_loss) == (dense.accuracy, dense.loss)
            items = curve.slider.items
            assert round(point.got * items) == round(point.sparsity * items)


def test_the_plan_gives_criterion_granularity_and_repair_and_nothing_else() -> None:
    plan = Plan(
        "l2", "neuron", "global", {"fc1": 0.5}, True, pinned={"fc1": {"2": False}},
        repair=("fold",), aggregate="sum",
    )  # fmt: skip
    assert settings_of(plan) == Plan("l2", "neuron", repair=("fold",), aggregate="sum")


@pytest.mark.slow
def test_layers_that_are_cut_together_are_one_curve(
    benches: Callable[[str], Workbench], memory: MeasurementStore
) -> None:
    bench = benches("resnet20")
    found = scan(bench, NEURONS, memory, (0.5,))
    assert {layer for one in found.curves for layer in one.slider.layers} == set(bench.layer_of)
    (together,) = (one for one in found.curves if "layer1.1.conv2" in one.slider.layers)
    assert together.slider.layers == bench.groups.members("layer1.1.conv2")
    (point,) = together.points
    cut = bench.evaluate(
        Plan(granularity="neuron", sparsity=dict.fromkeys(together.slider.layers, 0.5)), point.n
    )
    assert point.accuracy == cut.accuracy


def test_points_come_from_the_middle_of_the_levels_outwards(
    lenet5: CountingBench, memory: MeasurementStore
) -> None:
    labels: list[str] = []
    scan(lenet5, Plan(), memory, (0.1, 0.5, 0.9), progress=lambda label, done: labels.append(label))
    layers = list(lenet5.layer_of)
    assert labels == [f"{name} at {level} %" for level in (50, 10, 90) for name in layers]


def test_an_array_of_levels_will_do(lenet5: CountingBench, memory: MeasurementStore) -> None:
    levels = np.linspace(0.25, 0.5, 2, dtype=np.float32)
    table = scan(lenet5, Plan(), memory, levels).table  # type: ignore[arg-type]
    assert set(table["sparsity"]) == {0.25, 0.5}


# -- no-ops ------------------------------------------------------------------------------------


def test_a_level_that_cuts_nothing_is_no_point(
    lenet5: CountingBench, memory: MeasurementStore
) -> None:
    found = scan(lenet5, Plan(), memory, (0.001, 0.003))
    conv1 = found.by_name["conv1"]  # 150 weights: 0.15 and 0.45 of one
    assert conv1.points == ()
    assert conv1.no_op == "no level asked for cuts even one of its items"
    assert conv1.robust() is None
    assert found.words_of("conv1") == "nothing could be cut"
    assert "conv1" not in {one.slider.name for one in found.ranked()}
    fc1 = found.by_name["fc1"]  # 48,000
    assert [round(point.got * 48_000) for point in fc1.points] == [48, 144]
    rows = found.table.set_index("layer")
    assert rows.loc["conv1", "no_op"] == conv1.no_op
    assert np.isnan(rows.loc["conv1", "delta"])


def test_levels_that_cut_the_same_are_measured_once(
    lenet5: CountingBench, memory: MeasurementStore
) -> None:
    found = scan(lenet5, NEURONS, memory, (0.3, 0.35, 0.5))
    conv1 = found.by_name["conv1"]  # 6 filters: 1.8, 2.1 and 3
    assert [round(point.got * 6) for point in conv1.points] == [2, 3]


def test_where_no_layer_can_be_cut_each_says_why(
    lenet5: CountingBench, memory: MeasurementStore
) -> None:
    found = scan(lenet5, Plan(granularity="head"), memory)
    assert lenet5.asked == []
    assert [one.no_op for one in found.curves] == list(
        lenet5.cannot(Plan(granularity="head")).values()
    )
    assert all(one.no_op for one in found.curves)
    assert found.ranked() == ()
    assert (found.complete, found.spent) == (True, 0)
    assert "nothing can be cut" in found.words


@pytest.mark.slow
def test_heads_are_scanned_where_there_are_any(
    benches: Callable[[str], Workbench], memory: MeasurementStore
) -> None:
    bench = benches("vit")
    found = scan(bench, Plan(granularity="head"), memory, (0.25, 0.5))
    with_heads = [one for one in found.curves if one.points]
    assert with_heads
    assert all(len(one.points) == 2 for one in with_heads)
    assert {one.slider.name for one in found.curves if one.no_op} == set(
        bench.cannot(Plan(granularity="head"))
    )


@pytest.mark.parametrize("levels", [LEVELS, (0.1,), (0.98,)])
@pytest.mark.parametrize(("granularity", "level"), [("2:4", 0.5), ("1:4", 0.75)])
def test_a_pattern_has_one_point_at_its_own_level(
    lenet5: CountingBench,
    memory: MeasurementStore,
    granularity: str,
    level: float,
    levels: tuple[float, ...],
) -> None:
    found = scan(lenet5, Plan(granularity=granularity), memory, levels)
    for curve in found.curves:
        (point,) = curve.points
        assert point.sparsity == level
        cut = lenet5.masks(curve.slider.raise_to(Plan(granularity=granularity), level))
        assert point.got == cut.sparsity[curve.slider.name] > 0
    assert known_curves(lenet5, Plan(granularity=granularity), memory).complete


def test_a_row_too_short_for_the_pattern_is_a_no_op(
    lenet5: CountingBench, memory: MeasurementStore
) -> None:
    found = scan(lenet5, Plan(granularity="1:32"), memory)
    short = found.by_name["conv1"]  # 25 inputs
    assert short.points == ()
    assert short.no_op


# -- samples -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_samples_go_where_they_tell_something(
    lenet300: CountingBench, memory: MeasurementStore
) -> None:
    found = scan(lenet300, Plan(), memory)
    points = [point for curve in found.curves for point in curve.points]
    first = min(point.n for point in points)
    assert found.complete
    assert found.spent == sum(point.n for point in points) < 0.7 * 2000 * len(points)
    assert all(point.fine(0.01) or point.n == 2000 for point in points)
    for curve in found.curves:
        assert curve.points[0].n == first, "where nothing changes few samples do"
    assert any(point.n == 2000 for point in points), "some points needed all"


def test_a_budget_is_kept_and_told(lenet300: CountingBench, memory: MeasurementStore) -> None:
    found = scan(lenet300, Plan(), memory, budget=9_000)
    points = [point for curve in found.curves for point in curve.points]
    assert not found.complete
    assert 8_000 < found.spent == sum(point.n for point in points) <= 9_000
    assert "stopped at the budget of 9,000 samples" in found.words
    assert f"{len(points)} of 33 points" in found.words
    assert f"{33 - len(points)} points are missing" in found.words
    assert min(len(curve.points) for curve in found.curves) > 0, "every layer has its share"


def test_a_greater_precision_takes_more_samples(
    lenet300: CountingBench, memory: MeasurementStore
) -> None:
    rough = scan(lenet300, Plan(), memory, (0.5,), precision=0.05)
    close = scan(lenet300, Plan(), memory, (0.5,), precision=0.004)
    assert rough.spent < close.spent
    points = [point for curve in close.curves for point in curve.points]
    assert all(point.fine(0.004) or point.n == 2000 for point in points)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"levels": ()}, "levels must be in (0, 1], at least one, got []"),
        ({"levels": (0.5, 0.0)}, "got [0.0]"),
        ({"levels": (1.5, 0.5, -1)}, "got [1.5, -1.0]"),
        ({"levels": (float("nan"),)}, "got [nan]"),
        ({"precision": 0.0}, "precision must be above 0 (0.01 is ± 1 point), got 0.0"),
        ({"precision": float("nan")}, "precision"),
        ({"budget": 0}, "budget must be a number of samples above 0, or None, got 0"),
        ({"budget": -5}, "got -5"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    lenet5: CountingBench, options: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(named)):
        lenet5.bench.scan(**options)


def test_a_criterion_that_is_none_is_refused(lenet5: CountingBench) -> None:
    with pytest.raises(ValueError, match="magnitud"):
        lenet5.bench.scan(Plan("magnitud"))


@pytest.mark.parametrize("gain", slow_but(lambda gain: gain == 0, [0.0, 0.01]))
def test_a_scan_rarely_calls_a_loss_of_more_than_a_point_surely_none(gain: float) -> None:
    chance = np.random.default_rng(0)
    points = [scanned(chance, gain, gain + LOSE + 1e-4) for _ in range(1500)]
    assert np.mean([point.sure_low >= -LOSE for point in points]) <= 0.025
    chance = np.random.default_rng(0)
    points = [scanned(chance, gain, gain + LOSE - 1e-4) for _ in range(1500)]
    assert np.mean([point.sure_high < -LOSE for point in points]) <= 0.025


@pytest.mark.parametrize(("block", "of"), [(64, 2000), (64, 128), (1, 10_000), (16, 448)])
@pytest.mark.parametrize("precision", [0.01, 0.05, 2.0])
def test_the_looks_at_a_point_err_together_no_more_than_one(
    block: int, of: int, precision: float
) -> None:
    rungs = looks(block, of, precision)
    assert list(rungs)[-1] == of
    assert all(n % block == 0 for n in list(rungs)[:-1])
    assert sum(rungs.values()) <= 0.025
    assert all(later <= 2 * n for n, later in pairwise(rungs))
