"""How far is the scan of a session?"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import ClassVar

import pandas as pd

from pruneviz.allocation.request import SearchRequest
from pruneviz.background import Job
from pruneviz.measuring.executor import Workers, workers_worth
from pruneviz.plan import Plan, pattern, settings_of
from pruneviz.progress import Progress, part
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.evidence import parts_for
from pruneviz.scale import SHARE, Scale
from pruneviz.sensitivity.curves import LOSE, Curve, Curves
from pruneviz.sensitivity.scan import LEVELS
from pruneviz.ui.session.countdown import after_the_accuracy, pace
from pruneviz.ui.session.page_work import PageWork
from pruneviz.workbench import Workbench

_LOOK = 2.0
_USUAL = 0.45  # of the samples that a point takes before it is fine, on the sample networks
_MINUTE = 60.0


@dataclass
class ScanWork(PageWork):
    """What is shown of the curves in one session, and the work on them.

    plan: the choices that `job` scans. lose, limit, view: what was chosen on the page: what of the
    score is a loss, seconds to spend (0: as many as it takes), the chart. seen: whether the page
    was opened: others ask for the curves too.
    """

    page: ClassVar[str] = "Sensitivity"
    goes_on: ClassVar[bool] = True

    plan: Plan = field(init=False)
    lose: float = LOSE
    limit: float = field(init=False)
    view: str = "apart"
    seen: bool = False
    _shown: tuple[object, float, Curves] | None = None

    def __post_init__(self) -> None:
        self.plan = settings_of(self.session.settled)
        self.limit = _MINUTE if self.session.bench.slow else 0.0

    def curves(self, plan: Plan) -> Curves:
        """The curves under the choices of `plan` as far as they are known; nothing is measured.

        While they are being measured not looked for more often than every two seconds.
        """
        bench = self.session.bench
        fresh = (settings_of(plan), bench.studies.memory.version)
        if self._shown is not None:
            had, when, curves = self._shown
            young = self.running and time.monotonic() - when < _LOOK
            if had == fresh or (young and curves.plan == fresh[0]):
                return curves
        curves = bench.studies.known_curves(plan)
        self._shown = (fresh, time.monotonic(), curves)
        return curves


def start(work: ScanWork, budget: int | None) -> Job:
    """Start scanning under the choices of the plan settled on, or go on where it was stopped.

    budget: the most samples to answer, those that are known included. When the curves are whole
    the estimates that are made of them are made ready too.
    """
    session, bench = work.session, work.session.bench
    plan = work.plan = settings_of(session.settled)
    work.message, work.left = None, None
    request = SearchRequest(session.settled, locked=tuple(session.locked))

    def run(report: Progress) -> None:
        after_the_accuracy(session, report)
        _gather(bench, plan, report)
        until = None if budget is None else time.monotonic() + work.limit
        tell = pace(report, work, until)
        curves = bench.studies.curves(
            plan, budget=budget, progress=tell, workers=_workers(bench, plan)
        )
        work.left = None
        if curves.complete and curves.ranked():
            _estimate(bench, request, report)

    work.job = Job(run)
    return work.job


def _estimate(bench: Workbench, request: SearchRequest, report: Progress) -> None:
    """Make ready what follows from whole curves: predictions, and the best plans at every size."""

    def tell(label: str, done: float) -> None:
        report(f"estimates: {label}", done)

    bench.studies.predictor(request.plan, part(tell, 0.0, 0.5))
    with contextlib.suppress(ValueError):  # one level only, or all is locked: there is no line
        bench.studies.pareto(request, part(tell, 0.5, 1.0))


def _workers(bench: Workbench, plan: Plan) -> Workers:
    _, seconds = work_left(bench, bench.studies.known_curves(plan))
    return workers_worth(seconds)


def take(work: ScanWork) -> bool:
    """Take note of work that has ended; returns whether there was any."""
    job = work.take_ended()
    if job is None:
        return False
    if job.error is not None:
        work.message = f"The scan stopped: {job.error}."
    elif job.cancelled:
        work.message = "Stopped. What was measured until now is kept."
    return True


def work_left(bench: Workbench, curves: Curves) -> tuple[int, float]:
    """(samples, seconds) that a whole scan would still take, about."""
    samples, points = 0.0, 0
    for curve in curves.curves:
        if curve.no_op:
            continue
        missing = len(_counts(curve, curves.plan)) - len(curve.points)
        points += missing
        samples += missing * max(_USUAL * curves.of, min(curves.of, bench.block))
        wide = (p for p in curve.points if not p.fine(curves.precision))
        samples += sum((curves.of - p.n) / 2 for p in wide)
    repairs = points * len(curves.plan.repair) * len(bench.source.calibration)
    return round(samples), (samples + repairs) * bench.seconds_per_sample


def cells(curves: Curves, scale: Scale = SHARE) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(change in the unit of `scale`, mark where there is none) by slider and sparsity.

    Levels that cut the same number of items have the same number. Marks: "no-op" where nothing
    goes, "·" where nothing was measured.
    """
    shape = pattern(curves.plan.granularity)
    levels = LEVELS if shape is None else (1 - shape[0] / shape[1],)
    change, marks = {}, {}
    for curve in curves.curves:
        name = curve.slider.name
        deltas = {round(p.got * curve.slider.items): scale.factor * p.delta for p in curve.points}
        deltas |= {
            round(p.sparsity * curve.slider.items): scale.factor * p.delta for p in curve.points
        }
        counts = [round(level * curve.slider.items) for level in levels]
        change[name] = [deltas.get(count, float("nan")) for count in counts]
        marks[name] = [
            "" if count in deltas else "no-op" if curve.no_op or not count else "·"
            for count in counts
        ]
    columns = list(levels)
    return (
        pd.DataFrame.from_dict(change, orient="index", columns=columns),
        pd.DataFrame.from_dict(marks, orient="index", columns=columns),
    )


def table(curves: Curves, lose: float) -> pd.DataFrame:
    """One row a slider as people read it, the most sensitive first, then those without points.

    lose: of the score.
    """
    ranked = curves.ranked(lose)
    rows = []
    for curve in (*ranked, *(c for c in curves.curves if not c.points)):
        samples = [point.n for point in curve.points]
        rows.append(
            {
                "rank": ranked.index(curve) + 1 if curve.points else None,
                "layer": ", ".join(curve.slider.layers),
                "in words": curves.words_of(curve.slider.name, lose),
                "robust to": _percent(curve.robust(lose)),
                "knee": _percent(curve.knee),
                "certain loss from": _percent(curve.certain(lose)),
                "samples per point": _span(samples),
                "why not": curve.no_op,
            }
        )
    frame = pd.DataFrame(rows)
    return frame.astype({"rank": "Int64"}) if rows else frame


def _counts(curve: Curve, plan: Plan) -> set[int]:
    if pattern(plan.granularity) is not None:
        return {1}
    return {round(level * curve.slider.items) for level in LEVELS} - {0}


def _percent(level: float | None) -> str:
    return "–" if level is None else f"{100 * level:.0f} %"


def _span(samples: list[int]) -> str:
    if not samples:
        return "–"
    low, high = min(samples), max(samples)
    return f"{low:,}" if low == high else f"{low:,} – {high:,}"


def _gather(bench: Workbench, plan: Plan, report: Progress) -> None:
    """What the criterion looks at, with progress of its own."""
    criterion = CRITERIA[plan.criterion]
    parts = parts_for(criterion.needs)
    if criterion.needs_gathering and not bench.has_evidence(*parts):
        label = f"calibration pass over {len(bench.source.calibration):,} samples"
        bench.evidence(*parts, progress=lambda done: report(label, done))
