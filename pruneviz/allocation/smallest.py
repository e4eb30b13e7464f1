"""How small can a network get that loses no more than so much?"""

from __future__ import annotations

import math

from pruneviz.allocation.exact_target import Field, Share, field_of
from pruneviz.allocation.request import SearchRequest
from pruneviz.allocation.search import (
    PlanScores,
    SearchResult,
    half_of,
    method_result,
    move,
    search_result,
    ways_of,
)
from pruneviz.measuring.bench import Bench
from pruneviz.measuring.intervals import ALPHA, fewest
from pruneviz.measuring.looks import surely
from pruneviz.plan import Plan
from pruneviz.progress import Progress, part
from pruneviz.sensitivity.scan import scan
from pruneviz.storage.measurement_store import Memory

EVALUATIONS = 120
_HALVINGS = 6
_MOST = 0.995
_STAGES, _FIRST = 20, 0.4  # on the way that is confirmed; how much of the target the first cuts
_FURTHER, _LAST = 0.08, 0.01  # of what is kept: how much less the next plan keeps


def smallest(
    bench: Bench,
    memory: Memory,
    lose: float,
    request: SearchRequest,
    progress: Progress,
) -> SearchResult:
    """The plan that takes most away of those found whose loss is surely (95 %) at most `lose`.

    Each method's plans are halved in on, as long as they promise more than the best so far; the
    best one is then pushed further, by the moves of a search. All this on half of the validation
    samples, and the best of so many plans owes part of its rank to them: so the promise is kept on
    the other half, see `_SmallestSearch.confirm`. Raises ValueError for `lose` outside (0, 1),
    where names or numbers do not fit, and where so few samples cannot tell, see `undecidable`.
    """
    if isinstance(lose, bool) or not 0 < lose < 1:
        raise ValueError(f"lose must be in (0, 1), 0.01 for one point, got {lose!r}")
    if why := undecidable(bench, lose):
        raise ValueError(why)
    if request.plan.granularity == "block":
        raise ValueError("blocks go whole: ask for a target, with method 'sensitivity' measured")
    space, half = field_of(bench, request), half_of(bench)
    curves = scan(bench, space.base, memory, progress=part(progress, 0.0, 0.4), of=half)
    most = EVALUATIONS if request.evaluations is None else request.evaluations
    hunt = _SmallestSearch(PlanScores(space, half), lose, most, part(progress, 0.4, 1.0))
    best, target, start, results = space.base, 0.0, "", []
    ways = ways_of(space, curves)
    for name, own, share in reversed(ways):  # the likeliest first
        success = hunt.halve(name, own, share, target)
        if success is not None:
            best, target, start = success[0], success[1], name
            results.append(method_result(name, best, hunt.measured.on(best)))
    if start:
        best = hunt.confirm(*hunt.push(best, target))
    bound = f"at most {bench.task.scale.amount_text(lose)}"
    cut = best != space.base
    words = f"loses {bound} (95 % confidence)"
    if not cut:
        words = f"With 95 % confidence nothing can be cut that loses {bound}"
    return search_result(hunt.measured, best, "smallest", start, None, tuple(results), words)


def undecidable(bench: Bench, lose: float) -> str:
    """Why the validation samples cannot tell of any plan that it loses at most `lose`, or "".

    Known before anything is measured: even where no answer changes, too few leave a larger loss
    possible. Of scores without bounds it cannot be known before.
    """
    samples = len(bench.source.validation)
    judging = samples - half_of(bench) or samples
    width = bench.task.bounds[1] - bench.task.bounds[0]
    if not math.isfinite(width) or judging >= (minimum := fewest(lose, width=width)):
        return ""
    least = math.ceil(1000 * width * (1 - (ALPHA / 2) ** (1 / judging))) / 1000
    scale = bench.task.scale
    return (
        f"to be sure that no more than {scale.amount_text(lose)} is lost takes {minimum:,} judging "
        f"samples at least, there are {judging:,} (half of the validation samples judge): give "
        f"{2 * minimum:,} validation samples, or allow {scale.amount_text(least)}"
    )


class _SmallestSearch:
    """A search for the most that can go, within so many evaluations."""

    def __init__(
        self, measured: PlanScores, lose: float, evaluations: int, progress: Progress
    ) -> None:
        self.measured, self._lose = measured, lose
        self._evaluations, self._progress = evaluations, progress

    def holds(self, plan: Plan) -> bool:
        """Whether a plan surely loses no more; few samples tell where it surely does."""
        for n in (self.measured.n // 4, self.measured.n // 2):
            if n and self.measured.on(plan, n).delta_high < -self._lose:
                return False
        return self.measured.on(plan).delta_low >= -self._lose

    def halve(
        self, name: str, space: Field, share: Share, least: float
    ) -> tuple[Plan, float] | None:
        """The method's plan that takes most away, and its target; None where not above `least`."""
        best = None
        low, high = least, _MOST
        for step in range(_HALVINGS):
            # What is kept is halved in on in proportion, as 98 % is as far from 96 as 60 from 20.
            target = least + 0.01 if best is None and least else 0.0
            if not target or step:
                target = 1 - ((1 - low) * (1 - high)) ** 0.5
            self._say(f"{name} at {100 * target:.1f} %")
            try:
                plan = space.meet(share, target)
            except ValueError:
                high = target
                continue
            if self.spent or not self.holds(plan):
                if step == 0 and least:
                    return None
                high = target
            else:
                low, best = target, (plan, target)
        return best

    def push(self, plan: Plan, target: float) -> tuple[Plan, float]:
        """`plan` as much further as moves can bring it, and its target."""
        space, further, best = self.measured.space, _FURTHER, plan
        while further > _LAST and not self.spent:
            next_target = 1 - (1 - target) * (1 - further)
            self._say(f"pushing on to {100 * next_target:.1f} %")
            success = self._first_that_holds(space, best, next_target)
            if success is None:
                further /= 2
            else:
                best, target = success, next_target
        return best, target

    def confirm(self, plan: Plan, target: float) -> Plan:
        """The last plan on the way to `plan` that keeps the promise on samples without a say.

        The way: what each layer keeps in the proportions of `plan`, from where two fifths of it
        are cut up to all of it, without those that fail on the samples of the search. Tested in
        this order up to the first that fails, a promise is wrong in at most 2.5 % of searches (a
        fixed sequence; Maurer et al. 1995), however many were tried before.
        """
        space, bench = self.measured.space, self.measured.space.bench
        samples = len(bench.source.validation)
        if self.measured.n == samples:
            return plan
        densities, best = space.densities(plan), space.base
        ratio = (1 - _FIRST * target) / (1 - target)
        for step in range(_STAGES, -1, -1):
            share = 1 - (1 - target) * ratio ** (step / _STAGES)
            self._say(f"confirming {100 * share:.1f} % on other samples")
            candidate = plan if not step else space.meet(space.share_by(densities), share)
            if self.measured.on(candidate).delta_low < -self._lose:
                continue  # left out before the test, by samples that it does not use
            self.measured.samples_of[candidate] = samples
            result, dense = (
                one.evaluate(plan, samples, self.measured.n)
                for one, plan in ((bench, candidate), (bench.original, Plan()))
            )
            if not surely(result, dense)[0] >= -self._lose:
                break
            best = candidate
        return best

    def _first_that_holds(self, space: Field, plan: Plan, target: float) -> Plan | None:
        moves = [(0, 1.0)]
        moves += [(i, f) for i in range(len(space.parts)) for f in (1 / 1.3, 1.3)]
        for place, factor in moves:
            if self.spent:
                return None
            candidate = move(space, plan, place, factor, target)
            self._say(f"pushing on to {100 * target:.1f} %")
            if (
                candidate is not None
                and candidate not in self.measured.samples_of
                and self.holds(candidate)
            ):
                return candidate
        return None

    @property
    def spent(self) -> bool:
        """Whether there is no evaluation left."""
        return len(self.measured.samples_of) >= self._evaluations

    def _say(self, label: str) -> None:
        self._progress(
            label, min(1.0, len(self.measured.samples_of) / (self._evaluations + _STAGES))
        )
