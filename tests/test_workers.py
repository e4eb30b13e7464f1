"""Do several processes measure what one would, and is nobody left behind?"""

from __future__ import annotations

import io
import os
import pickle
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from pruneviz.background import CancelledError
from pruneviz.data import Data
from pruneviz.measuring import processes
from pruneviz.measuring.crew import Message, Part, Setup
from pruneviz.measuring.executor import VARIABLE, check_workers, measure_apart, usual_workers
from pruneviz.plan import Plan
from pruneviz.sensitivity.scan import PRECISION, scan
from pruneviz.sensitivity.scan_apart import _scan_one
from pruneviz.sources import Source
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.workbench import Workbench
from pruneviz.workbench.worker import work

AT = (0.3, 0.7)


def tiny() -> Source:
    """A network that torch alone can read again, with 40 samples."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    data = Data(torch.randn(40, 6), torch.arange(40) % 3)
    return Source("tiny", model, data, data, ("a", "b", "c"))


def answers_to(*what: object) -> list[Message]:
    """What a worker says that is given this on its standard input."""
    said: list[Message] = []
    work(io.BytesIO(b"".join(pickle.dumps(one) for one in what)), said.append)
    return said


def setup_for(bench: Workbench) -> Setup:
    threads = torch.get_num_threads()
    return Setup(bench.plain_source, {}, (), bench.identity, threads, threads)


def test_a_worker_says_each_point_as_one_process_keeps_it() -> None:
    bench, memory = Workbench(tiny()), MeasurementStore(None)
    curves = scan(bench, Plan(), memory, AT)
    parts = [partial(_scan_one, Plan(), AT, PRECISION, name) for name in bench.layer_of]
    said = answers_to(setup_for(bench), *parts)
    assert [one.kind for one in said if one.kind in ("done", "failed", "refused")] == ["done"] * 2
    puts = {one.words: one.value for one in said if one.kind == "put"}
    assert len(puts) >= len(curves.table.dropna(subset="sparsity")) == 4
    assert all(memory.get(key) == value for key, value in puts.items())


def test_a_worker_measures_nothing_that_is_known() -> None:
    bench = Workbench(tiny())
    part = partial(_scan_one, Plan(), AT, PRECISION, "0")
    puts = [one for one in answers_to(setup_for(bench), part) if one.kind == "put"]
    known = {one.words: one.value for one in puts}
    said = answers_to(replace(setup_for(bench), known=known), part)
    assert "put" not in [one.kind for one in said]


def test_a_worker_refuses_another_network_and_passes_on_what_failed() -> None:
    bench = Workbench(tiny())
    part = partial(_scan_one, Plan(), AT, PRECISION, "0")
    (refused,) = answers_to(replace(setup_for(bench), identity="other"), part)
    assert refused.kind == "refused"
    assert "weights, data or code" in refused.words
    wrong = partial(_scan_one, Plan("magnitud"), AT, PRECISION, "0")
    (failed,) = answers_to(setup_for(bench), wrong)
    assert failed.kind == "failed"
    assert "magnitud" in failed.words


def test_what_cannot_be_sent_is_measured_by_one_process() -> None:
    bench = Workbench(replace(tiny(), metric=lambda outputs, targets: outputs.mean(1)))
    table = Workbench(bench.plain_source).scan(Plan(), AT)
    with pytest.warns(RuntimeWarning, match="cannot be sent to other processes.*one process"):
        again = bench.scan(Plan(), AT, workers=2)
    assert again.equals(table)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "2", "ray:", "rays"])
def test_a_number_of_workers_is_one(wrong: object) -> None:
    with pytest.raises(ValueError, match=f"workers must be .* got {wrong!r}"):
        Workbench(tiny()).scan(workers=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("right", [1, 3, "ray", "ray:auto", "ray:10.0.0.1:6379"])
def test_workers_are_a_number_or_ray(right: object) -> None:
    assert check_workers(right) == right


def test_the_environment_says_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert usual_workers() == 1
    monkeypatch.setenv(VARIABLE, "3")
    assert usual_workers() == 3
    monkeypatch.setenv(VARIABLE, "many")
    with pytest.raises(ValueError, match=f"{VARIABLE} must be .* got 'many'"):
        usual_workers()
    monkeypatch.setenv(VARIABLE, "ray:auto")
    assert usual_workers() == "ray:auto"


# -- processes ---------------------------------------------------------------------------------


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every process that is started."""
    begun: list[subprocess.Popen[bytes]] = []
    start = processes._start

    def noted() -> subprocess.Popen[bytes]:
        begun.append(start())
        return begun[-1]

    monkeypatch.setattr(processes, "_start", noted)
    return begun


class Noting(MeasurementStore):
    """A memory that does something at its first point."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__(None)
        self._act, self.points = act, 0

    def put(self, key: str, value: str) -> None:
        super().put(key, value)
        self.points += 1
        if self.points == 1:
            self._act()


def parts_of(bench: Workbench) -> dict[str, Part]:
    return {name: partial(_scan_one, Plan(), AT, PRECISION, name) for name in bench.layer_of}


@pytest.mark.slow
def test_two_processes_find_what_one_finds(
    new_bench: Callable[[str], Workbench], crew: list[subprocess.Popen[bytes]]
) -> None:
    table = new_bench("lenet5").scan(Plan("taylor"), AT)
    bench = new_bench("lenet5")
    bench.studies = type(bench.studies)(bench, MeasurementStore(None))
    assert bench.scan(Plan("taylor"), AT, workers=2).equals(table)
    assert len(crew) == 2
    assert all(one.poll() is not None for one in crew)


@pytest.mark.slow
def test_of_a_killed_process_the_points_are_measured_again(
    new_bench: Callable[[str], Workbench], crew: list[subprocess.Popen[bytes]]
) -> None:
    bench = new_bench("lenet5")
    memory = Noting(lambda: [one.kill() for one in crew])
    with pytest.warns(RuntimeWarning, match=r"\(signal 9\); .* is measured again") as notes:
        measure_apart(bench, parts_of(bench), memory, {}, (), 2, lambda label, done: None)
    assert len(notes) == 2
    assert len(crew) == 4
    alone = scan(new_bench("lenet5"), Plan(), MeasurementStore(None), AT)
    before = memory.points
    assert scan(bench, Plan(), memory, AT).table.equals(alone.table)
    assert memory.points == before, "nothing was left to measure"


@pytest.mark.slow
def test_whoever_cancels_leaves_nobody_behind(
    new_bench: Callable[[str], Workbench], crew: list[subprocess.Popen[bytes]]
) -> None:
    bench, stop = new_bench("lenet5"), []
    memory = Noting(lambda: stop.append(True))

    def progress(label: str, done: float) -> None:
        if stop:
            raise CancelledError

    with pytest.raises(CancelledError):
        measure_apart(bench, parts_of(bench), memory, {}, (), 2, progress)
    assert memory.points
    assert [one.poll() for one in crew] == [-signal.SIGKILL] * 2


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_process_whose_asker_is_gone_ends_by_itself() -> None:
    with processes._start() as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) is not None
