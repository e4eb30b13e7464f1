"""Does a training that was killed, cancelled or doubled end as an undisturbed one does?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
import torch

from pruneviz.network.replica import fingerprint
from pruneviz.plan import Plan
from pruneviz.training import Moment, Trained, Training, reopen, train
from pruneviz.training.checkpoints import in_use, place_for, trainings
from pruneviz.workbench import Workbench
from tests.small import small_bench

Benches = Callable[[str], Workbench]
WEIGHTS = Plan(sparsity={"0": 0.75, "4": 0.5})
UNITS = Plan("l2", "neuron", sparsity={"0": 0.5})
FEW = {"epochs": 3, "batch": 8, "every": 2, "learning_rate": 0.01}
CASES = {
    "one-cycle": (WEIGHTS, {"method": "one-shot", "schedule": "one-cycle"}),
    "linear sgd": (WEIGHTS, {"method": "iterative", "schedule": "linear", "optimizer": "sgd"}),
    "gradual, removed": (UNITS, {"method": "gradual", "remove": True, "schedule": "one-cycle"}),
    "lottery": (WEIGHTS, {"method": "lottery", "rounds": 2, "controls": True, "rewind": 1}),
    "rigl": (WEIGHTS, {"method": "rigl", "start": "new"}),
    "activity, removed": (UNITS, {"method": "activity", "remove": True}),
    "l1": (WEIGHTS, {"method": "l1", "augmentation": "noise"}),
}


class StoppedError(Exception):
    """Raised where a user cancels."""


class Stop:
    """A progress that stops a training at its nth step."""

    def __init__(self, at: int) -> None:
        self.at, self.steps = at, 0

    def __call__(self, label: str, done: float) -> None:
        self.steps += 1
        if self.steps == self.at:
            raise StoppedError


def same(one: Trained, other: Trained) -> None:
    """Bit by bit the same, but for the time it took."""
    assert fingerprint(one.model) == fingerprint(other.model)
    pd.testing.assert_frame_equal(
        one.table.drop(columns="seconds"), other.table.drop(columns="seconds"), check_exact=True
    )
    pd.testing.assert_frame_equal(one.events, other.events)
    assert all(torch.equal(one.masks[name], other.masks[name]) for name in one.masks)
    assert one.plan == other.plan
    assert one.notes == other.notes


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_cancelled_and_resumed_is_undisturbed(case: str, tmp_path: Path) -> None:
    plan, settings = CASES[case]
    training = Training(**{**FEW, **settings})
    bench = small_bench(norm="removed" in case)
    before = fingerprint(bench.source.model)
    alone = train(bench, plan, training)
    for at in (9, 4):  # counted from the last checkpoint
        with pytest.raises(StoppedError):
            train(bench, plan, training, tmp_path, progress=Stop(at))
        assert fingerprint(bench.source.model) == before
    (kept,) = trainings(tmp_path)
    assert 0 < kept.done < 1
    with pytest.raises(ValueError, match="has not ended"):
        reopen(bench, kept)
    assert kept.plan == plan
    assert kept.training == training
    resumed = train(bench, plan, training, tmp_path)
    same(resumed, alone)
    same(train(bench, plan, training, tmp_path, progress=Stop(1)), alone)  # only read
    same(reopen(bench, *trainings(tmp_path)), alone)
    same(train(bench, plan, training, tmp_path, fresh=True), alone)


_SCRIPT = """
import sys, torch
torch.set_num_threads(1)
from pruneviz.training import train
from tests.small import small_bench
from tests.test_training_resume import CASES, FEW, Training
plan, settings = CASES[sys.argv[2]]
def progress(label, done):
    print(done, flush=True)
train(small_bench(norm="removed" in sys.argv[2]), plan, Training(**{**FEW, **settings}),
      sys.argv[1], progress=progress)
"""


@pytest.mark.slow
def test_killed_and_resumed_is_undisturbed(tmp_path: Path) -> None:
    case = "gradual, removed"
    plan, settings = CASES[case]
    training = Training(**{**FEW, **settings})
    process = subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, str(tmp_path), case],
        stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONPATH": "."},
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if float(line) > 0.45:
            process.send_signal(signal.SIGKILL)
            break
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    assert [kept.done for kept in trainings(tmp_path)] != [1.0]
    bench = small_bench(norm="removed" in case)
    steps = Stop(10**9)
    same(train(bench, plan, training, tmp_path, progress=steps), train(bench, plan, training))
    whole = Stop(10**9)
    train(bench, plan, training, progress=whole)
    assert steps.steps < 0.7 * whole.steps  # it went on, and did not begin again


@pytest.mark.slow
def test_two_at_once_are_as_each_alone(tmp_path: Path) -> None:
    """With dropout and new weights, which draw from torch's own generators."""
    cases = [CASES[name] for name in ("rigl", "lottery", "gradual, removed")]
    bench = small_bench()

    def go(case: tuple[Plan, dict[str, object]]) -> Trained:
        plan, settings = case
        return train(bench, plan, Training(**{**FEW, **settings}), tmp_path)

    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(go, cases))
    for case, found in zip(cases, together, strict=True):
        plan, settings = case
        same(found, train(bench, plan, Training(**{**FEW, **settings})))


def test_the_same_training_twice_at_once_has_a_folder_each(tmp_path: Path) -> None:
    plan, settings = CASES["one-cycle"]
    bench, training = small_bench(), Training(**{**FEW, **settings})

    def slow(label: str, done: float) -> None:
        time.sleep(0.01)

    def go(_: int) -> Trained:
        return train(bench, plan, training, tmp_path, progress=slow)

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(go, range(2))
    same(one, other)
    assert len(trainings(tmp_path)) == 2


def test_who_asks_whether_a_folder_is_in_use(tmp_path: Path) -> None:
    with place_for(tmp_path, "key") as path:
        assert path == tmp_path / "key"
        assert in_use(path)
        with place_for(tmp_path, "key") as second:
            assert second == tmp_path / "key-2"
    assert not in_use(tmp_path / "key")
    with place_for(tmp_path, "key") as path:
        assert path == tmp_path / "key"


@pytest.mark.parametrize(("case", "saves"), [("one-cycle", False), ("lottery", True)])
def test_first_weights_are_saved_for_those_who_go_back(case: str, saves: bool) -> None:
    plan, settings = CASES[case]
    seen: list[Moment] = []
    train(small_bench(), plan, Training(**{**FEW, **settings}), watch=seen.append)
    assert bool(seen[-1].run.saved) is saves
