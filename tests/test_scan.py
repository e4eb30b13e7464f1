"""Does a scan measure what it says, no more than it needs, and nothing twice?"""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import pruneviz as pv
from pruneviz.background import CancelledError
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.measuring.looks import looks
from pruneviz.plan import Plan, settings_of
from pruneviz.sensitivity.curves import LOSE
from pruneviz.sensitivity.scan import LEVELS, known_curves, scan
from pruneviz.storage.home import VARIABLE
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.workbench import Workbench
from tests.benchmarks.coverage import scanned
from tests.cases import slow_but

NEURONS = Plan(granularity="neuron")
PATIENCE = 120.0


class Counting:
    """A workbench that notes what it was asked to measure."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.asked: list[tuple[Plan, int | None]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bench, name)

    def evaluate(self, plan: Plan, n: int | None = None, start: int = 0) -> Evaluation:
        self.asked.append((plan, n))
        return self.bench.evaluate(plan, n, start)


@pytest.fixture
def lenet5(benches: Callable[[str], Workbench]) -> Counting:
    """lenet5 over 128 samples."""
    return Counting(benches("lenet5"))


@pytest.fixture(scope="module")
def opened() -> Workbench:
    """lenet300 over all its samples, so that some points may have more of them than others."""
    return pv.open("lenet300")


@pytest.fixture
def lenet300(opened: Workbench) -> Counting:
    return Counting(opened)


@pytest.fixture
def memory() -> MeasurementStore:
    return MeasurementStore(None)


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
    lenet5: Counting, memory: MeasurementStore, plan: Plan
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
    lenet5: Counting, memory: MeasurementStore
) -> None:
    labels: list[str] = []
    scan(lenet5, Plan(), memory, (0.1, 0.5, 0.9), progress=lambda label, done: labels.append(label))
    layers = list(lenet5.layer_of)
    assert labels == [f"{name} at {level} %" for level in (50, 10, 90) for name in layers]


def test_an_array_of_levels_will_do(lenet5: Counting, memory: MeasurementStore) -> None:
    levels = np.linspace(0.25, 0.5, 2, dtype=np.float32)
    table = scan(lenet5, Plan(), memory, levels).table  # type: ignore[arg-type]
    assert set(table["sparsity"]) == {0.25, 0.5}


# -- no-ops ------------------------------------------------------------------------------------


def test_a_level_that_cuts_nothing_is_no_point(lenet5: Counting, memory: MeasurementStore) -> None:
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
    lenet5: Counting, memory: MeasurementStore
) -> None:
    found = scan(lenet5, NEURONS, memory, (0.3, 0.35, 0.5))
    conv1 = found.by_name["conv1"]  # 6 filters: 1.8, 2.1 and 3
    assert [round(point.got * 6) for point in conv1.points] == [2, 3]


def test_where_no_layer_can_be_cut_each_says_why(
    lenet5: Counting, memory: MeasurementStore
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
    lenet5: Counting,
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
    lenet5: Counting, memory: MeasurementStore
) -> None:
    found = scan(lenet5, Plan(granularity="1:32"), memory)
    short = found.by_name["conv1"]  # 25 inputs
    assert short.points == ()
    assert short.no_op


# -- samples -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_samples_go_where_they_tell_something(lenet300: Counting, memory: MeasurementStore) -> None:
    found = scan(lenet300, Plan(), memory)
    points = [point for curve in found.curves for point in curve.points]
    first = min(point.n for point in points)
    assert found.complete
    assert found.spent == sum(point.n for point in points) < 0.7 * 2000 * len(points)
    assert all(point.fine(0.01) or point.n == 2000 for point in points)
    for curve in found.curves:
        assert curve.points[0].n == first, "where nothing changes few samples do"
    assert any(point.n == 2000 for point in points), "some points needed all"


def test_a_budget_is_kept_and_told(lenet300: Counting, memory: MeasurementStore) -> None:
    found = scan(lenet300, Plan(), memory, budget=9_000)
    points = [point for curve in found.curves for point in curve.points]
    assert not found.complete
    assert 8_000 < found.spent == sum(point.n for point in points) <= 9_000
    assert "stopped at the budget of 9,000 samples" in found.words
    assert f"{len(points)} of 33 points" in found.words
    assert f"{33 - len(points)} points are missing" in found.words
    assert min(len(curve.points) for curve in found.curves) > 0, "every layer has its share"


def test_a_greater_precision_takes_more_samples(
    lenet300: Counting, memory: MeasurementStore
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
    lenet5: Counting, options: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(named)):
        lenet5.bench.scan(**options)


def test_a_criterion_that_is_none_is_refused(lenet5: Counting) -> None:
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


# -- memory ------------------------------------------------------------------------------------


def test_a_second_scan_measures_nothing(lenet300: Counting, memory: MeasurementStore) -> None:
    first = scan(lenet300, Plan(), memory)
    assert lenet300.asked
    lenet300.asked.clear()
    second = scan(lenet300, Plan(), memory)
    told = known_curves(lenet300, Plan(), memory)
    assert lenet300.asked == []
    assert second == first
    assert told.complete
    assert_frame_equal(told.table, first.table)


def test_nothing_is_known_before(lenet300: Counting, memory: MeasurementStore) -> None:
    told = known_curves(lenet300, Plan(), memory)
    assert lenet300.asked == []
    assert not told.complete
    assert [one.points for one in told.curves] == [()] * 3
    assert told.words_of("fc1") == "not scanned"


def test_other_choices_have_points_of_their_own(lenet5: Counting, memory: MeasurementStore) -> None:
    scan(lenet5, Plan(), memory, (0.5,))
    for plan in (Plan("random"), Plan("l2", "neuron"), Plan(granularity="2:4")):
        assert not any(one.points for one in known_curves(lenet5, plan, memory, (0.5,)).curves)
    assert known_curves(lenet5, Plan(seed=7, scope="global"), memory, (0.5,)).complete, (
        "is not obeyed"
    )
    scan(lenet5, Plan("random", seed=1), memory, (0.5,))
    assert not known_curves(lenet5, Plan("random", seed=2), memory, (0.5,)).complete


def test_other_weights_or_data_have_points_of_their_own(
    lenet5: Counting, memory: MeasurementStore, new_bench: Callable[[str], Workbench]
) -> None:
    scan(lenet5, Plan(), memory, (0.5,))
    source = new_bench("lenet5").source
    fewer = Workbench(replace(source, validation=source.validation.first(100)))
    assert not known_curves(fewer, Plan(), memory, (0.5,)).complete
    assert known_curves(new_bench("lenet5"), Plan(), memory, (0.5,)).complete


@pytest.mark.parametrize("after", slow_but(lambda after: after == 1, [1, 20]))
def test_a_scan_that_was_cancelled_goes_on_to_the_same_numbers(
    lenet300: Counting, memory: MeasurementStore, after: int
) -> None:
    whole = scan(lenet300, Plan(), MeasurementStore(None))
    calls = 0

    def progress(label: str, done: float) -> None:
        nonlocal calls
        calls += 1
        if calls > after:
            raise CancelledError

    with pytest.raises(CancelledError):
        scan(lenet300, Plan(), memory, progress=progress)
    kept = known_curves(lenet300, Plan(), memory)
    assert 0 < kept.spent < whole.spent
    assert "not finished" in kept.words
    done = [curve.points for curve in kept.curves]
    lenet300.asked.clear()
    assert scan(lenet300, Plan(), memory) == whole
    again = {plan for plan, n in lenet300.asked if not plan.is_dense}
    fine = [
        curve.slider.raise_to(Plan(), point.sparsity)
        for curve, points in zip(kept.curves, done, strict=True)
        for point in points
        if point.fine(0.01)
    ]
    assert not again & set(fine), "what was fine is not measured again"


@pytest.mark.slow
def test_a_scan_stopped_by_its_budget_goes_on(lenet300: Counting, memory: MeasurementStore) -> None:
    whole = scan(lenet300, Plan(), MeasurementStore(None))
    for budget in (3_000, 9_000, 30_000):
        scan(lenet300, Plan(), memory, budget=budget)
    assert scan(lenet300, Plan(), memory) == whole


def test_progress_rises_to_the_end(lenet300: Counting, memory: MeasurementStore) -> None:
    seen: list[float] = []
    scan(lenet300, Plan(), memory, (0.5, 0.9), progress=lambda label, done: seen.append(done))
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert 0.9 < seen[-1] <= 1


def test_a_slow_network_can_be_cancelled_within_a_point(
    lenet300: Counting, memory: MeasurementStore
) -> None:
    class Slow(Counting):
        seconds_per_sample = 1.0

    calls: list[str] = []

    def progress(label: str, done: float) -> None:
        calls.append(label)
        if len(calls) > 2:
            raise CancelledError

    slow = Slow(lenet300.bench)
    with pytest.raises(CancelledError):
        scan(slow, Plan(), memory, progress=progress)
    assert len(set(calls)) == 1, "still at the first point"
    assert [n for _, n in slow.asked] == [slow.block, 2 * slow.block]
    whole = scan(slow, Plan(), memory, (0.5,))
    assert whole == scan(lenet300, Plan(), MeasurementStore(None), (0.5,))


def test_what_is_damaged_in_memory_is_measured_again(
    lenet5: Counting, memory: MeasurementStore
) -> None:
    class Damaged:
        def get(self, key: str) -> str | None:
            text = memory.get(key)
            return None if text is None else text[: len(text) // 2]

        def put(self, key: str, value: str) -> None:
            memory.put(key, value)

    found = scan(lenet5, Plan(), memory, (0.5,))
    assert scan(lenet5, Plan(), Damaged(), (0.5,)) == found
    assert not known_curves(lenet5, Plan(), Damaged(), (0.5,)).complete


# -- processes ---------------------------------------------------------------------------------

SCAN = """
import sys, torch, pruneviz as pv
torch.set_num_threads(1)
bench = pv.open("lenet5")
bench.scan().to_pickle(sys.argv[1])
assert not bench.studies.memory.complaint, bench.studies.memory.complaint
"""


def start(home: Path, table: Path) -> subprocess.Popen[bytes]:
    """A process that scans lenet5, keeps what it measures in `home`, and writes its table."""
    return subprocess.Popen(
        [sys.executable, "-c", SCAN, str(table)], env=os.environ | {VARIABLE: str(home)}
    )


def rows(home: Path) -> int:
    """How many points are kept in `home` by now."""
    file = home / "measured.sqlite3"
    if not file.exists():
        return 0
    base = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return int(base.execute("SELECT count(*) FROM measured").fetchone()[0])
    except sqlite3.OperationalError:  # not made yet
        return 0
    finally:
        base.close()


@pytest.mark.slow
def test_killed_half_way_it_ends_with_the_numbers_of_an_undisturbed_one(tmp_path: Path) -> None:
    home, calm = tmp_path / "home", tmp_path / "calm"
    table, undisturbed = tmp_path / "table", tmp_path / "undisturbed"
    victim = start(home, table)
    end = time.monotonic() + PATIENCE
    while rows(home) < 15:
        assert victim.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.005)
    victim.send_signal(signal.SIGKILL)
    assert victim.wait(PATIENCE) == -signal.SIGKILL
    survived = rows(home)
    assert survived >= 15
    assert not table.exists()
    again, other = start(home, table), start(calm, undisturbed)
    assert [again.wait(PATIENCE), other.wait(PATIENCE)] == [0, 0]
    assert survived < rows(home) == rows(calm)
    assert_frame_equal(pd.read_pickle(table), pd.read_pickle(undisturbed), check_exact=True)


@pytest.mark.slow
def test_two_processes_at_once_share_what_they_find(tmp_path: Path) -> None:
    home = tmp_path / "home"
    tables = [tmp_path / "one", tmp_path / "two"]
    both = [start(home, table) for table in tables]
    assert [one.wait(PATIENCE) for one in both] == [0, 0]
    first, second = (pd.read_pickle(table) for table in tables)
    assert_frame_equal(first, second, check_exact=True)
    assert len(first) == 55
