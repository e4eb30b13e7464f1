"""How far is the comparison of criteria in a session?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from pruneviz.allocation.methods import ALLOCATIONS
from pruneviz.background import Job
from pruneviz.comparison.contest import LEVELS, Contest, ContestRequest
from pruneviz.comparison.sameness import SLIDERS, UNIFORM
from pruneviz.comparison.similar import OVERLAPS, Similarity
from pruneviz.measuring.executor import workers_worth
from pruneviz.plan import Plan, pattern, settings_of
from pruneviz.progress import Progress
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.storage.cache import Cache
from pruneviz.ui.session import Session
from pruneviz.ui.session.countdown import after_the_accuracy, pace
from pruneviz.ui.session.page_work import PageWork

_LOOK = 1.5
_MINUTE = 60.0
_USUAL = ("magnitude", "wanda", "taylor", "fisher")

SHARES = {
    **{name: ALLOCATIONS[name].label for name in (UNIFORM, "uniform+", "erk")},
    SLIDERS: "Like my sliders, scaled",
}


@dataclass
class ContestWork(PageWork):
    """What one session chose to compare, what came of it, and the work on it.

    chosen: criteria by kind of granularity; levels: sparsities; share: how they are shared out; n:
    how many samples. layer: of the likeness, None for the mean; at: the sparsity at which what is
    cut is compared. likeness: found so far, by what it depends on. holding: whether the job is the
    contest.
    """

    page: ClassVar[str] = "Criteria"

    holding: bool = False
    chosen: dict[str, tuple[str, ...]] = field(default_factory=dict)
    levels: tuple[float, ...] = LEVELS
    share: str = UNIFORM
    n: int = field(init=False)
    layer: str | None = None
    at: float = 0.5
    likeness: Cache[Similarity] = field(default_factory=lambda: Cache(8))
    _shown: tuple[object, float, Contest] | None = None

    def __post_init__(self) -> None:
        self.n = _first(self.session)

    @property
    def allowed(self) -> tuple[str, ...]:
        """The criteria that the session's granularity allows."""
        granularity = self.session.settled.granularity
        return tuple(name for name, criterion in CRITERIA.items() if criterion.allows(granularity))

    @property
    def criteria(self) -> tuple[str, ...]:
        """Those that are to take part in the contest."""
        usual = tuple(name for name in _USUAL if name in self.allowed)
        return self.chosen.get(self.session.settled.granularity, usual)

    @property
    def shares(self) -> tuple[str, ...]:
        """The ways to share out a sparsity that there are now."""
        fixed = pattern(self.session.settled.granularity) is not None
        return (UNIFORM,) if fixed else tuple(SHARES)

    @property
    def request(self) -> ContestRequest:
        """The contest as it is chosen now."""
        share = self.share if self.share in self.shares else UNIFORM
        plan = self.session.settled
        return ContestRequest(
            self.criteria,
            self.levels,
            plan if share == SLIDERS else settings_of(plan),
            share,
            tuple(self.session.locked),
            self.n,
        )

    @property
    def alike(self) -> Similarity | None:
        """How alike the criteria are under the session's granularity, once it is known."""
        return self.likeness.get(_alone(self.session.settled))

    def contest(self) -> Contest:
        """What is known of the contest as it is chosen; ValueError where it cannot be held.

        While it is being measured not looked for more often than every second or two.
        """
        studies = self.session.bench.studies
        fresh = (self.request, studies.memory.version)
        if self._shown is not None:
            had, when, contest = self._shown
            young = self.running and time.monotonic() - when < _LOOK
            if had == fresh or (young and isinstance(had, tuple) and had[0] == fresh[0]):
                return contest
        contest = studies.known_contest(self.request)
        self._shown = (fresh, time.monotonic(), contest)
        return contest


def compare(work: ContestWork) -> Job:
    """Start finding out how alike the criteria judge."""
    session, plan = work.session, _alone(work.session.settled)

    def run(report: Progress) -> None:
        after_the_accuracy(session, report)
        tell = pace(report, work)
        work.likeness.put(plan, session.bench.studies.similarity(plan, OVERLAPS, tell))

    return _start(work, run, holding=False)


def hold(work: ContestWork) -> Job:
    """Start measuring the contest as it is chosen, or go on where it was stopped."""
    session, request = work.session, work.request

    def run(report: Progress) -> None:
        after_the_accuracy(session, report)
        _, seconds = work_left(work, session.bench.studies.known_contest(request))
        session.bench.studies.contest(request, pace(report, work), workers_worth(seconds))

    return _start(work, run, holding=True)


def take(work: ContestWork) -> None:
    """Take note of work that has ended."""
    job = work.take_ended()
    if job is None:
        return
    work.holding = False
    if job.error is not None:
        work.message = f"It stopped: {job.error}."
    elif job.cancelled:
        work.message = "Stopped. What was measured until now is kept."


def work_left(work: ContestWork, contest: Contest) -> tuple[int, float]:
    """(plans, seconds) that the contest would still take, about."""
    bench = work.session.bench
    missing = sum(entry not in contest.answers for entry in contest.entries)
    mending = len(contest.plan.repair) * len(bench.source.calibration)
    return missing, missing * (contest.n + mending) * bench.seconds_per_sample


def _first(session: Session) -> int:
    """All samples; of a slow network as many as a contest answers in about a minute."""
    bench, samples = session.bench, len(session.bench.source.validation)
    if not bench.slow:
        return samples
    plans = len(LEVELS) * (len(_USUAL) + 3)
    few = int(_MINUTE / plans / bench.seconds_per_sample) // bench.block * bench.block
    return min(samples, max(2, bench.block, few))


def _alone(plan: Plan) -> Plan:
    """What the likeness of criteria depends on."""
    return Plan(granularity=plan.granularity, aggregate=plan.aggregate)


def _start(work: ContestWork, run: Callable[[Progress], None], *, holding: bool) -> Job:
    work.message = work.left = None
    work.holding = holding
    work.job = Job(run)
    return work.job
