"""What is measured while nobody waits for it?"""

from __future__ import annotations

from dataclasses import replace

from pruneviz.background import Job, Report
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.workbench import Workbench


def measure(bench: Workbench, plan: Plan) -> Job:
    """Measure a settled plan on all validation samples, then its random control, then what is
    missing of the evidence and the dense network. Each piece is kept as far as it got.
    """

    def work(report: Report) -> None:
        _in_pieces(bench, plan, "full validation", report)
        control = control_of(plan)
        if control is not None:
            _in_pieces(bench, control, "random control", report)
        if not bench.evidence_ready:
            bench.evidence(lambda done: report("calibration pass", done))
        if not bench.dense_confirmed:
            bench.confirm_dense(lambda done: report("dense network", done))

    return Job(work)


def is_measured(bench: Workbench, plan: Plan) -> bool:
    """Whether a job for `plan` would find nothing to do."""
    plans = [plan, control_of(plan)]
    whole = all(p is None or bench.measured(p) == len(bench.source.validation) for p in plans)
    return whole and bench.dense_confirmed and bench.evidence_ready


def control_of(plan: Plan) -> Plan | None:
    """The same plan by the random criterion, or None where there is nothing to compare."""
    random = CRITERIA["random"]
    if plan.is_dense or plan.criterion == random.name or not random.allows(plan.granularity):
        return None
    return replace(plan, criterion=random.name)


def _in_pieces(bench: Workbench, plan: Plan, label: str, report: Report) -> None:
    total = len(bench.source.validation)
    done = bench.measured(plan)
    while done < total:
        report(label, done / total)
        done = min(total, done + bench.probe)
        bench.evaluate(plan, done)
    report(label, 1.0)
