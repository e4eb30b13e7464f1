"""Where does a budget hurt least, by measurement?"""

from __future__ import annotations

from dataclasses import dataclass, field

from pruneviz.allocation.exact_target import Field, Share, field_of, prepare
from pruneviz.allocation.methods import ALLOCATIONS
from pruneviz.allocation.request import SearchRequest
from pruneviz.measuring.bench import Bench
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.progress import Progress, part
from pruneviz.sensitivity.curves import Curves
from pruneviz.sensitivity.scan import scan
from pruneviz.storage.measurement_store import Memory

EVALUATIONS = 80
_STEP, _LAST_STEP = 1.6, 1.1  # by what a density is multiplied, at first and at last
_RUNGS = 4  # a plan is looked at on a quarter of the samples first
_CLEAR = 0.02  # of the score: what a quarter of the samples must not fall behind by
_NEARLY = 0.0005  # of the target


@dataclass(frozen=True)
class MethodResult:
    """A method's plan at the target, measured on the n samples that the search used."""

    method: str
    plan: Plan
    accuracy: float
    low: float
    high: float
    delta: float
    delta_low: float
    delta_high: float
    n: int


@dataclass(frozen=True)
class SearchResult:
    """The plan that a search ended with, and how.

    method: as asked. start: of the methods the one whose plan the search began with. target, got:
    fractions of what is free to go, in the unit of `budget`. words: the same for people.
    evaluations: plans that were measured; samples: answered for them. result: on the samples that
    the search used; holdout: on validation samples that it did not use; None where nothing was
    measured. tried: the methods that were measured at the target.
    """

    plan: Plan
    method: str
    start: str
    target: float
    got: float
    budget: str
    words: str
    evaluations: int
    samples: int
    result: Evaluation | None
    holdout: Evaluation | None
    tried: tuple[MethodResult, ...]


def search(
    bench: Bench,
    memory: Memory,
    method: str,
    target: float,
    request: SearchRequest,
    progress: Progress,
) -> SearchResult:
    """A plan of `method` that takes `target` away; "sensitivity" measures and improves it.

    The other methods are formulas: nothing is measured for them. Raises ValueError where names or
    numbers do not fit, or the target cannot be met.
    """
    space = field_of(bench, request)
    if method != "sensitivity":
        own, allocation = prepare(space, method)
        plan = own.meet(allocation.share, target)
        return search_result(PlanScores(space, 1), plan, method, method, target, ())
    half = half_of(bench)
    curves = scan(bench, space.base, memory, progress=part(progress, 0.0, 0.5), of=half)
    measured = PlanScores(space, half)
    results = _candidates(measured, curves, target, part(progress, 0.5, 0.6))
    start = max(results, key=lambda one: measured.worth(one.plan))
    moves = EVALUATIONS if request.evaluations is None else request.evaluations
    best = _improve(measured, start.plan, target, moves, part(progress, 0.6, 1.0))
    return search_result(measured, best, method, start.method, target, tuple(results))


def half_of(bench: Bench) -> int:
    """How many validation samples a search may use: half, in whole blocks; the rest judges it."""
    samples = len(bench.source.validation)
    return max(1, samples // 2 // bench.block * bench.block or samples // 2)


@dataclass
class PlanScores:
    """Plans measured on the first n samples, and how many of them there were."""

    space: Field
    n: int
    samples_of: dict[Plan, int] = field(default_factory=dict)

    def on(self, plan: Plan, n: int | None = None) -> Evaluation:
        """A plan on the first n samples of those that the search may use."""
        n = n or self.n
        self.samples_of[plan] = max(self.samples_of.get(plan, 0), n)
        return self.space.bench.evaluate(plan, n)

    def worth(self, plan: Plan, n: int | None = None) -> tuple[float, float]:
        """What is better is larger: the score, and where it is the same the loss."""
        result = self.on(plan, n)
        return result.accuracy, -result.loss

    def beats(self, plan: Plan, best: Plan) -> bool:
        """Whether a plan measures better; on a quarter of the samples first."""
        few = max(1, self.n // _RUNGS)
        if self.worth(plan, few)[0] < self.worth(best, few)[0] - _CLEAR:
            return False
        return self.worth(plan) > self.worth(best)


def _candidates(
    measured: PlanScores, curves: Curves, target: float, progress: Progress
) -> list[MethodResult]:
    """Every method's plan at the target, measured; those that cannot meet it are left out."""
    results, refusals = [], []
    ways = ways_of(measured.space, curves)
    for place, (name, space, share) in enumerate(ways):
        progress(f"measuring {name}", place / len(ways))
        try:
            plan = space.meet(share, target)
        except ValueError as error:
            refusals.append(error)
            continue
        results.append(method_result(name, plan, measured.on(plan)))
    if not results:
        raise refusals[0]
    return results


def ways_of(space: Field, curves: Curves) -> list[tuple[str, Field, Share]]:
    """Every method with the field as it looks at it, the likeliest to be good last."""
    ways = []
    for name, allocation in ALLOCATIONS.items():
        for kind in ("accuracy", "loss") if allocation.measured else ("",):
            own, _ = prepare(space, name, curves, kind)
            ways.append((f"{name} by {kind}" if kind else name, own, allocation.share))
    return ways


def method_result(name: str, plan: Plan, result: Evaluation) -> MethodResult:
    """A method's plan as it was measured."""
    return MethodResult(
        name,
        plan,
        result.accuracy,
        result.low,
        result.high,
        result.delta,
        result.delta_low,
        result.delta_high,
        result.n,
    )


def _improve(
    measured: PlanScores, plan: Plan, target: float, evaluations: int, progress: Progress
) -> Plan:
    """The plan after moves that measured better, each at the target itself.

    A move multiplies or divides what one slider keeps, and the others make up for it. When no
    slider has a move that helps, the steps get smaller.
    """
    space, step, best = measured.space, _STEP, plan
    order = sorted(range(len(space.parts)), key=lambda i: -space.parts[i].cost)
    begun, visited = len(measured.samples_of), {best}
    while step > _LAST_STEP:
        before = best
        for place in order:
            for factor in (1 / step, step):
                spent = len(measured.samples_of) - begun
                if spent >= evaluations:
                    return best
                name = space.parts[place].slider.name
                progress(f"moving {name}", spent / evaluations)
                candidate = move(space, best, place, factor, target)
                if candidate is None or candidate in visited:
                    continue
                visited.add(candidate)
                if measured.beats(candidate, best):
                    best = candidate
                    break
        if best == before:
            step = step**0.5
    return best


def move(space: Field, plan: Plan, place: int, factor: float, target: float) -> Plan | None:
    """`plan` with `factor` times as much kept of one part, the others making up for it."""
    densities = space.densities(plan)
    densities[place] *= factor
    try:
        return space.meet(space.share_by(densities), target)
    except ValueError:
        return None


def search_result(
    measured: PlanScores,
    plan: Plan,
    method: str,
    start: str,
    target: float | None,
    results: tuple[MethodResult, ...],
    words: str = "",
) -> SearchResult:
    """The record of a search that ended with `plan`; target: None where none was asked for.

    words: what else is to be said first.
    """
    space, bench = measured.space, measured.space.bench
    got = space.fraction(plan)
    samples = len(bench.source.validation)
    evaluations = len(measured.samples_of)
    result = measured.on(plan) if evaluations else None
    has_rest = result is not None and measured.n < samples
    return SearchResult(
        plan,
        method,
        start,
        got if target is None else target,
        got,
        space.budget.name,
        _words(space, target, got, evaluations, start, words),
        evaluations,
        sum(measured.samples_of.values()),
        result,
        bench.evaluate(plan, samples, measured.n) if has_rest else None,
        results,
    )


def _words(
    space: Field, target: float | None, got: float, evaluations: int, start: str, first: str
) -> str:
    whole = space.full - space.none
    gone, of = space.budget.number(got * whole), space.budget.number(whole)
    text = f"{100 * got:.2f} % goes: {gone} of {of} {space.budget.unit} that are free to go"
    text = f"{first}: {text}" if first else text
    if target is not None and abs(got - target) >= _NEARLY:
        text += (
            f"; {100 * target:g} % was asked for, and whole items come no nearer than "
            f"{100 * abs(got - target):.2f} points"
        )
    if evaluations and space.base.granularity == "block":
        text += f". {evaluations} plans were measured, each round without one block more"
    elif evaluations:
        text += f". {evaluations} plans were measured, beginning with the best of {start or 'none'}"
    return text + "."
