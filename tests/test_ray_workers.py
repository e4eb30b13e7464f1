"""Do actors of a Ray cluster measure what one process would, and what if there is no Ray?"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import pytest

from pruneviz.comparison.contest import ContestRequest
from pruneviz.measuring import ray_workers
from pruneviz.measuring.crew import Message, Part
from pruneviz.plan import Plan
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.workbench import Workbench
from tests.small import small_bench

AT = (0.3, 0.7)
NewBench = Callable[[str], Workbench]
here = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None,
    reason="Ray is not installed: pip install pruneviz[ray]",
)


def forgetful(bench: Workbench) -> Workbench:
    """The same with an empty memory of its own."""
    bench.studies = type(bench.studies)(bench, MeasurementStore(None))
    return bench


def test_without_ray_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ValueError, match=r"Ray is not here.*pip install 'pruneviz\[ray\]'"):
        forgetful(small_bench()).scan(Plan(), AT, workers="ray")


@here
@pytest.mark.slow
def test_a_scan_and_a_contest_on_ray_are_those_of_one_process(new_bench: NewBench) -> None:
    table = forgetful(new_bench("lenet5")).scan(Plan("taylor"), AT)
    bench = forgetful(new_bench("lenet5"))
    assert bench.scan(Plan("taylor"), AT, workers="ray").equals(table)
    request = ContestRequest(("magnitude", "wanda"), levels=(0.8,), n=64)
    contest = bench.studies.contest(request, workers="ray")
    assert contest.table.equals(forgetful(new_bench("lenet5")).studies.contest(request).table)


@here
@pytest.mark.slow
def test_of_an_actor_that_dies_the_part_is_measured_again(
    new_bench: NewBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure, deaths = ray_workers.RayWorker.measure, []

    def die_once(worker: ray_workers.RayWorker, part: Part) -> list[Message]:
        if not deaths:
            deaths.append(worker)
            worker.end()
        return list(measure(worker, part))

    monkeypatch.setattr(ray_workers.RayWorker, "measure", die_once)
    bench = forgetful(new_bench("lenet5"))
    with pytest.warns(RuntimeWarning, match="is measured again"):
        table = bench.scan(Plan(), AT, workers="ray")
    assert table.equals(forgetful(new_bench("lenet5")).scan(Plan(), AT))


@here
@pytest.mark.slow
def test_no_cluster_at_an_address_is_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"no Ray cluster answers at '127\.0\.0\.1:1'"):
        forgetful(small_bench()).scan(Plan(), AT, workers="ray:127.0.0.1:1")
