"""What becomes of a wish for sliders that move by themselves?"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import pandas as pd

from pruneviz.allocation.methods import ALLOCATIONS
from pruneviz.allocation.request import SearchRequest
from pruneviz.allocation.search import EVALUATIONS as MOVES
from pruneviz.allocation.search import MethodResult, SearchResult, half_of
from pruneviz.allocation.smallest import EVALUATIONS as HUNT
from pruneviz.background import Job
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.progress import Progress
from pruneviz.sensitivity.curves import LOSE
from pruneviz.storage.faults import public
from pruneviz.ui.allocate.scan_work import ScanWork, work_left
from pruneviz.ui.session import Session, UndoStep
from pruneviz.ui.session.countdown import pace
from pruneviz.ui.session.page_work import PageWork
from pruneviz.workbench import Workbench

_NAP, _QUICK = 0.1, 0.8
_CHOICES = ("criterion", "granularity", "seed", "aggregate", "repair")
_STOPPED = "Stopped. Your sliders have not moved; what was measured is kept."
_MOVED_ON = "You moved on while it was running, so your sliders stay where you put them."


@dataclass(frozen=True)
class AllocationWish:
    """What was asked for last. target, floor: per cent; lose: of the score."""

    method: str = "sensitivity"
    target: float = 80.0
    lose: float = LOSE
    budget: str = "parameters"
    floor: float = 0.0


@dataclass(frozen=True)
class Answer:
    """What a wish came to. plan: with a level for every layer; begun: where the search began."""

    result: SearchResult
    plan: Plan
    begun: UndoStep
    table: pd.DataFrame

    @property
    def empty(self) -> bool:
        """Whether nothing can go: there is nothing to take."""
        return not self.result.start


@dataclass
class AllocationWork(PageWork):
    """What one session asked for, the work on it, and what came of it."""

    page: ClassVar[str] = "Workbench"

    wish: AllocationWish = field(default_factory=AllocationWish)
    answer: Answer | None = None
    _box: list[Answer] = field(default_factory=list)

    def succeed(self, before: Self) -> None:
        """Take over the wish; a search that is dropped is told."""
        self.wish = before.wish
        if before.job is not None:
            name = before.session.name
            self.message = f"The search on {name} was dropped: it is no longer open."


def begin(work: AllocationWork, *, smallest: bool) -> Job:
    """Start to look for the smallest network, or for what the method makes of the target.

    A method that measures nothing has mostly ended when this returns.
    """
    session, wish = work.session, work.wish
    begun, box = UndoStep(session.settled, dict(session.locked)), list[Answer]()
    measures = smallest or ALLOCATIONS[wish.method].measured
    scan_work = ScanWork.of(session)

    def run(report: Progress) -> None:
        while measures and (_busy(session.job) or scan_work.running):
            report("waiting for other measurements", 0.0)
            time.sleep(_NAP)
        result = _search(session.bench, begun, wish, smallest, pace(report, work))
        report("counting", 1.0)
        plan = whole(session.bench, result.plan)
        box.append(Answer(result, plan, begun, table(session.bench, result)))

    work.message = work.answer = work.left = None
    work.job, work._box = Job(run), box
    if not measures:
        work.job.wait(_QUICK)
    return work.job


def take(session: Session) -> None:
    """Take note of work that has ended: the sliders move, if nothing else was done meanwhile."""
    work = AllocationWork.of(session)
    job = work.take_ended()
    if job is None:
        return
    if job.cancelled:
        work.message = _STOPPED
    elif job.error is not None:
        work.message = f"{job.error[:1].upper()}{job.error[1:].rstrip('.')}."
    else:
        work.answer = answer = work._box[0]
        here = UndoStep(session.settled, session.locked)
        still = (
            here == answer.begun and session.live == session.settled and session.next_change is None
        )
        if still:
            accept(work)
        else:
            work.message = _MOVED_ON


def accept(work: AllocationWork) -> None:
    """Move the sliders to what was found: one step, with the locks it was searched with."""
    session, answer = work.session, work.answer
    if answer is None or answer.empty:
        return
    before = session.settled
    try:
        session.settle(answer.plan, answer.begun.locked)
    except ValueError as error:
        work.message = public(error)
        return
    work.message = None
    sentence = f"{100 * answer.result.got:.1f} % was shared out; undo brings back what was."
    session.message = " ".join([sentence, *side_effects(before, answer.plan)])


def side_effects(before: Plan, after: Plan) -> list[str]:
    """Sentences on what else changes with the sliders."""
    sentences = []
    if before.scope != after.scope:
        sentences.append("Scope: per layer, each with a level of its own.")
    if any(getattr(before, name) != getattr(after, name) for name in _CHOICES):
        sentences.append("Criterion, granularity and repair: those of the search.")
    lost = sum(map(len, before.pinned.values())) - sum(map(len, after.pinned.values()))
    if lost > 0:
        sentences.append(f"No longer cut or kept by hand: {lost}.")
    return sentences


def whole(bench: Workbench, plan: Plan) -> Plan:
    """`plan` with a level for every layer, as the sliders have one."""
    return replace(plan, sparsity=dict.fromkeys(bench.layer_of, 0.0) | dict(plan.sparsity))


def price(work: AllocationWork) -> tuple[float, float]:
    """(seconds for what is missing of the scan, seconds for the search at most), about.

    ValueError where these choices cannot be scanned.
    """
    session = work.session
    bench, plan = session.bench, session.settled
    half, every = half_of(bench), len(bench.source.validation)
    _, scan = work_left(bench, ScanWork.of(session).curves(plan))
    repairs = len(plan.repair) * len(bench.source.calibration)
    most = max(HUNT, MOVES) * (half + repairs)
    return scan * half / every, most * bench.seconds_per_sample


def table(bench: Workbench, result: SearchResult) -> pd.DataFrame:
    """What was measured on the way, and the plan at the end, as people read it."""
    if result.result is None:
        return pd.DataFrame()
    task = result.result.task
    rows: list[tuple[str, Plan, MethodResult | Evaluation]] = [
        (_label(one.method), one.plan, one) for one in result.tried
    ]
    rows.append(("What was found", result.plan, result.result))
    counts_of = [bench.counts(replace(plan, repair=())) for _, plan, _ in rows]
    return pd.DataFrame(
        [
            {
                "plan": name,
                "kept": f"{100 * counts.params_kept / counts.params:.1f} %",
                task.word: task.score_text(one.accuracy),
                "change (95 %)": task.scale.paired_text(one.delta, one.delta_low, one.delta_high),
            }
            for (name, _, one), counts in zip(rows, counts_of, strict=True)
        ]
    )


def answer_sentences(answer: Answer) -> list[str]:
    """What was found, in sentences."""
    result = answer.result
    sentences = [f"{result.words[:1].upper()}{result.words[1:]}"]
    checks = []
    if result.result is not None:
        checks.append(
            f"On the {result.result.n:,} samples it searched with: {result.result.words}."
        )
    if result.holdout is not None:
        checks.append(f"On {result.holdout.n:,} others: {result.holdout.words}.")
    return [*sentences, " ".join(checks)] if checks else sentences


def _label(method: str) -> str:
    allocation = ALLOCATIONS.get(method)
    return method.capitalize() if allocation is None else allocation.label


def _busy(job: Job | None) -> bool:
    return job is not None and job.running


def _search(
    bench: Workbench,
    begun: UndoStep,
    wish: AllocationWish,
    smallest: bool,
    progress: Progress,
) -> SearchResult:
    request = SearchRequest(begun.plan, wish.budget, tuple(begun.locked), wish.floor / 100)
    if smallest:
        return bench.studies.smallest(wish.lose, request, progress)
    return bench.studies.search(wish.method, wish.target / 100, request, progress)
