"""What is measured while nobody waits for it?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from pruneviz.background import Job
from pruneviz.measuring.bench import Bench
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import UNITS, Plan
from pruneviz.progress import Progress
from pruneviz.pruning.chance import control_of
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.evidence import parts_for
from pruneviz.sensitivity.pieces import in_pieces
from pruneviz.storage.cache import Cache
from pruneviz.turns import Rank, later, turns
from pruneviz.workbench import Workbench


def measure(
    bench: Workbench,
    plan: Plan,
    warnings: Cache[dict[str, str]] | None = None,
    write: Callable[[Plan], None] | None = None,
) -> Job:
    """Measure a settled plan on all validation samples, then its random control, then what is
    missing of the evidence and the dense network. Each piece is kept as far as it got.

    A slow network is spared what nobody asked for: control and evidence. `warnings` keeps what
    has collapsed under the plan. `write` is called with the plan when its measuring has ended.
    """

    def work(report: Progress) -> None:
        if plan.repair:
            report("repairing", 0.0)
            bench.prune(plan)
        elif bench.slow:  # so that the plans after it begin where they differ
            report("reading the network's graph", 0.0)
            with suppress(ValueError):  # what cannot be traced is run as a whole
                _ = bench.graph
        try:
            _in_pieces(bench, plan, "full validation", report)
        finally:  # also where it was stopped: what is measured until then is kept
            if write is not None:
                write(plan)
        if warnings is not None:
            warnings.get_or(plan, lambda: bench.warnings(plan))
        if not bench.slow:
            with later(Rank.STUDY):
                _measure_beside(bench, plan, report)

    return Job(work, Rank.RESULT)


def _measure_beside(bench: Workbench, plan: Plan, report: Progress) -> None:
    """What stands beside the number of a plan: nobody else's number waits for it."""
    control = control_of(plan)
    if control is not None:
        _in_pieces(bench, control, "random control", report)
    for mark in bench.landmarks:
        _in_pieces(mark.bench, mark.plan, mark.words, report)
    if not bench.has_evidence():
        bench.evidence(progress=lambda done: report("calibration pass", done))
    if not _is_confirmed(bench):
        bench.confirm_dense(lambda done: report("dense network", done))


def waits(bench: Workbench, plan: Plan) -> bool:
    """Whether nothing of a plan is measured but by its job: samples or repairs take too long."""
    return bool(plan.repair) or (bench.slow and not bench.follows(plan))


def so_far(bench: Workbench, plan: Plan) -> Evaluation | None:
    """The numbers of `plan` on as many samples as have been measured; None before any.

    Of a plan that need not wait for its job the probe is measured for it.
    """
    n, late = bench.samples_measured(plan), waits(bench, plan)
    if bench.slow:  # the dense network is not measured for it
        dense = bench.samples_measured(Plan())
        n = min(dense, n if late else bench.answer_soon(plan, dense))
    if bench.slow or late:
        return bench.evaluate(plan, n) if n else None
    return bench.evaluate(plan, max(n, _probe(bench)))


def sharpen(bench: Workbench, plan: Plan) -> None:
    """Measure a plan on a probe more of samples; not one that waits for its job."""
    if bench.slow or waits(bench, plan):  # what a slow network can is done by looking
        return
    with suppress(ValueError):  # the network's own: whoever shows the numbers says so
        n = bench.samples_measured(plan) + _probe(bench)
        bench.evaluate(plan, min(n, len(bench.source.validation)))


def is_measured(bench: Workbench, plan: Plan) -> bool:
    """Whether a job for `plan` would find nothing to do."""
    plans = [plan] if bench.slow else [plan, control_of(plan)]
    of = len(bench.source.validation)
    whole = all(p is None or bench.samples_measured(p) == of for p in plans)
    if not bench.slow:
        whole &= all(m.bench.samples_measured(m.plan) == of for m in bench.landmarks)
    return whole and (bench.slow or (_is_confirmed(bench) and bench.has_evidence()))


def prepare(bench: Workbench, plan: Plan, make: Callable[[], Plan]) -> Job:
    """Make ready what a plan of this kind needs: the graph, the evidence, and the rankings of the
    plan that `make` returns. The job's error says why it cannot be.
    """

    def work(report: Progress) -> None:
        criterion = CRITERIA[plan.criterion]
        if plan.granularity in UNITS or "scale" in criterion.needs:
            report("reading the network's graph", 0.0)
            _ = bench.graph_cache.groups_for(plan.granularity) or bench.graph
        parts = parts_for(criterion.needs)
        if criterion.needs_gathering and not bench.has_evidence(*parts):
            label = f"calibration pass over {len(bench.source.calibration):,} samples"
            report(label, 0.0)
            bench.evidence(*parts, progress=lambda done: report(label, done))
        report("ranking", 0.9)
        bench.masks(make())

    return Job(work, Rank.RESULT)


def _probe(bench: Bench) -> int:
    """Samples that answer a thumb: all of a fast network's; fewer, in whole blocks, the more
    visitors share the machine.
    """
    visitors = turns().visitors()
    if visitors == 1:
        return bench.probe
    return min(bench.probe, bench.block * max(1, bench.probe // bench.block // visitors))


def _is_confirmed(bench: Workbench) -> bool:
    # Only what a source brought along was measured elsewhere.
    return bench.dense_confirmed or bench.source.dense is None


def _in_pieces(bench: Bench, plan: Plan, label: str, report: Progress) -> None:
    total = len(bench.source.validation)
    in_pieces(bench, plan, total, report, label, None if bench.slow else bench.probe)
    report(label, 1.0)
