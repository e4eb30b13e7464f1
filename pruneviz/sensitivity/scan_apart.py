"""How do several processes share a scan?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pruneviz.measuring.bench import Bench
from pruneviz.measuring.executor import Workers, measure_apart
from pruneviz.plan import Plan, settings_of
from pruneviz.progress import Progress
from pruneviz.pruning.criteria import find_criterion
from pruneviz.pruning.evidence import parts_for
from pruneviz.sensitivity.scan import known_curves, scan
from pruneviz.storage.measurement_store import Memory, Recorder


def scan_apart(
    bench: Bench,
    plan: Plan,
    memory: Memory,
    levels: Sequence[float],
    precision: float,
    workers: Workers,
    progress: Progress,
) -> None:
    """Have the points of a scan measured by `workers`, slider by slider.

    Each has the network, the data and its own frontier; what is measured is in `memory` at once,
    where `scan` finds it, and measures what is still missing. `progress` may raise to stop: no
    process is left behind. What did not go as it should is told as a RuntimeWarning.
    """
    settings = settings_of(plan)
    recorder = Recorder(memory)
    curves = known_curves(bench, settings, recorder, levels, precision)
    names = [slider.name for slider in bench.sliders(settings)]
    if curves.complete or len(names) < 2:
        return
    criterion = find_criterion(settings.criterion, settings.granularity)
    evidence = parts_for(criterion.needs) if criterion.needs_gathering else ()
    parts = {name: partial(_scan_one, settings, levels, precision, name) for name in names}
    measure_apart(bench, parts, memory, recorder.known, tuple(evidence), workers, progress)


def _scan_one(
    plan: Plan,
    levels: Sequence[float],
    precision: float,
    name: str,
    bench: Bench,
    memory: Memory,
    progress: Progress,
) -> None:
    """The part of a worker."""
    scan(bench, plan, memory, levels, precision, progress=progress, only=name)
