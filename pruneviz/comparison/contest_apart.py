"""How do several processes share a contest?"""

from __future__ import annotations

from functools import partial

from pruneviz.comparison.contest import ContestRequest, contest
from pruneviz.measuring.bench import Bench
from pruneviz.measuring.executor import Workers, measure_apart
from pruneviz.progress import Progress
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.evidence import parts_for
from pruneviz.sensitivity.curves import Curves
from pruneviz.storage.measurement_store import Memory, Recorder


def contest_apart(
    bench: Bench,
    memory: Memory,
    request: ContestRequest,
    workers: Workers,
    progress: Progress,
    curves: Curves | None = None,
) -> None:
    """Have the plans of a contest measured by `workers`, criterion by criterion.

    What is measured is in `memory` at once, where `contest` finds it, and measures what is still
    missing. `progress` may raise to stop: no process is left behind. What did not go as it should
    is told as a RuntimeWarning.
    """
    recorder = Recorder(memory)
    known = contest(bench, recorder, request, None, curves)
    open_ = {entry.criterion: None for entry in known.entries if entry not in known.answers}
    if len(open_) < 2:
        return
    needs = {need for name in open_ for need in CRITERIA[name].needs}
    gathers = any(CRITERIA[name].needs_gathering for name in open_)
    evidence = parts_for(needs) if gathers else ()
    parts = {name: partial(_measure_one, request, curves, name) for name in open_}
    measure_apart(bench, parts, memory, recorder.known, tuple(evidence), workers, progress)


def _measure_one(
    request: ContestRequest,
    curves: Curves | None,
    name: str,
    bench: Bench,
    memory: Memory,
    progress: Progress,
) -> None:
    """The part of a worker."""
    contest(bench, memory, request, progress, curves, only=name)
