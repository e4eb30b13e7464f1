"""Is nothing scanned twice, however a scan ends and whoever scans beside it?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from pruneviz.background import CancelledError
from pruneviz.plan import Plan
from pruneviz.sensitivity.scan import known_curves, scan
from pruneviz.storage.home import VARIABLE
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.workbench import Workbench
from tests.cases import slow_but
from tests.counting_bench import CountingBench, rows

PATIENCE = 120.0


@pytest.fixture
def lenet5(benches: Callable[[str], Workbench]) -> CountingBench:
    return CountingBench(benches("lenet5"))


@pytest.fixture
def lenet300(whole_lenet300: Workbench) -> CountingBench:
    return CountingBench(whole_lenet300)


# -- memory ------------------------------------------------------------------------------------


def test_a_second_scan_measures_nothing(lenet300: CountingBench, memory: MeasurementStore) -> None:
    first = scan(lenet300, Plan(), memory)
    assert lenet300.asked
    lenet300.asked.clear()
    second = scan(lenet300, Plan(), memory)
    told = known_curves(lenet300, Plan(), memory)
    assert lenet300.asked == []
    assert second == first
    assert told.complete
    assert_frame_equal(told.table, first.table)


def test_nothing_is_known_before(lenet300: CountingBench, memory: MeasurementStore) -> None:
    told = known_curves(lenet300, Plan(), memory)
    assert lenet300.asked == []
    assert not told.complete
    assert [one.points for one in told.curves] == [()] * 3
    assert told.words_of("fc1") == "not scanned"


def test_other_choices_have_points_of_their_own(
    lenet5: CountingBench, memory: MeasurementStore
) -> None:
    scan(lenet5, Plan(), memory, (0.5,))
    for plan in (Plan("random"), Plan("l2", "neuron"), Plan(granularity="2:4")):
        assert not any(one.points for one in known_curves(lenet5, plan, memory, (0.5,)).curves)
    assert known_curves(lenet5, Plan(seed=7, scope="global"), memory, (0.5,)).complete, (
        "is not obeyed"
    )
    scan(lenet5, Plan("random", seed=1), memory, (0.5,))
    assert not known_curves(lenet5, Plan("random", seed=2), memory, (0.5,)).complete


def test_other_weights_or_data_have_points_of_their_own(
    lenet5: CountingBench, memory: MeasurementStore, new_bench: Callable[[str], Workbench]
) -> None:
    scan(lenet5, Plan(), memory, (0.5,))
    source = new_bench("lenet5").source
    fewer = Workbench(replace(source, validation=source.validation.first(100)))
    assert not known_curves(fewer, Plan(), memory, (0.5,)).complete
    assert known_curves(new_bench("lenet5"), Plan(), memory, (0.5,)).complete


@pytest.mark.parametrize("after", slow_but(lambda after: after == 1, [1, 20]))
def test_a_scan_that_was_cancelled_goes_on_to_the_same_numbers(
    lenet300: CountingBench, memory: MeasurementStore, after: int
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
def test_a_scan_stopped_by_its_budget_goes_on(
    lenet300: CountingBench, memory: MeasurementStore
) -> None:
    whole = scan(lenet300, Plan(), MeasurementStore(None))
    for budget in (3_000, 9_000, 30_000):
        scan(lenet300, Plan(), memory, budget=budget)
    assert scan(lenet300, Plan(), memory) == whole


def test_progress_rises_to_the_end(lenet300: CountingBench, memory: MeasurementStore) -> None:
    seen: list[float] = []
    scan(lenet300, Plan(), memory, (0.5, 0.9), progress=lambda label, done: seen.append(done))
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert 0.9 < seen[-1] <= 1


def test_a_slow_network_can_be_cancelled_within_a_point(
    lenet300: CountingBench, memory: MeasurementStore
) -> None:
    class Slow(CountingBench):
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
    lenet5: CountingBench, memory: MeasurementStore
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
bench.scan(levels=(0.1, 0.3, 0.5, 0.7, 0.9)).to_pickle(sys.argv[1])
assert not bench.studies.memory.complaint, bench.studies.memory.complaint
"""


def start(home: Path, table: Path) -> subprocess.Popen[bytes]:
    """A process that scans lenet5, keeps what it measures in `home`, and writes its table."""
    return subprocess.Popen(
        [sys.executable, "-c", SCAN, str(table)], env=os.environ | {VARIABLE: str(home)}
    )


@pytest.mark.slow
def test_killed_and_gone_on_with_by_two_at_once_it_ends_as_if_undisturbed(tmp_path: Path) -> None:
    home, calm = tmp_path / "home", tmp_path / "calm"
    table, beside, undisturbed = (tmp_path / name for name in ("table", "beside", "undisturbed"))
    victim = start(home, table)
    end = time.monotonic() + PATIENCE
    while rows(home) < 8:
        assert victim.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.005)
    victim.send_signal(signal.SIGKILL)
    assert victim.wait(PATIENCE) == -signal.SIGKILL
    survived = rows(home)
    assert survived >= 8
    assert not table.exists()
    others = [start(home, table), start(home, beside), start(calm, undisturbed)]
    assert [one.wait(PATIENCE) for one in others] == [0, 0, 0]
    assert survived < rows(home) == rows(calm)
    right = pd.read_pickle(undisturbed)
    assert len(right) == 5 * 5
    for each in (table, beside):
        assert_frame_equal(pd.read_pickle(each), right, check_exact=True)
