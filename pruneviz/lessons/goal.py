"""Has a plan reached a goal, for sure or by luck?"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from scipy.special import betaincinv

from pruneviz.allocation.devices import KIB, needs
from pruneviz.lessons.assignment import check_controls
from pruneviz.lessons.link import code_of, decode, encode
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.workbench import Workbench

ALPHA = (
    0.025  # how often a goal that is not reached may be called reached for sure, in all attempts
)
PASSED, CHANCE, MISSED = "passed for sure", "within chance", "not passed"
_TITLE = 80


@dataclass(frozen=True)
class Goal:
    """What is to be reached on a network; None: not asked for.

    criterion, granularity: it begins with. kept: the share of the parameters that may be kept.
    flash: KiB of the weights at 8 bits each, with cut units taken out. accuracy: at least; lose:
    at most, against the dense network; both 0..1. alone: one layer, and no other, is cut to this
    sparsity or more. controls, reveal: as of an `Assignment`.

    >>> Goal("Small", "lenet5", kept=0.25, accuracy=0.97).kept
    0.25
    """

    title: str
    network: str
    criterion: str = "magnitude"
    granularity: str = "weight"
    kept: float | None = None
    flash: float | None = None
    accuracy: float | None = None
    lose: float | None = None
    alone: float | None = None
    controls: tuple[str, ...] = ()
    reveal: bool = False

    def __post_init__(self) -> None:
        for name in ("title", "network"):
            text = getattr(self, name)
            if not isinstance(text, str) or not text.strip() or len(text) > _TITLE:
                raise ValueError(f"{name} must be a text of up to {_TITLE} signs, got {text!r}")
        if self.criterion not in CRITERIA:
            raise ValueError(
                f"criterion {self.criterion!r} is none; there are {', '.join(CRITERIA)}"
            )
        Plan(granularity=self.granularity)  # names what is none
        for name in ("kept", "accuracy", "lose", "alone"):
            _check(name, getattr(self, name), 1.0)
        _check("flash", self.flash, 2.0**20)
        if self.accuracy is None and self.lose is None:
            raise ValueError("a goal says what accuracy is left: give accuracy or lose")
        if self.kept is None and self.flash is None and self.alone is None:
            raise ValueError("a goal says what is cut: give kept, flash or alone")
        object.__setattr__(self, "controls", check_controls(self.controls))
        if not isinstance(self.reveal, bool):
            raise ValueError(f"reveal must be true or false, got {self.reveal!r}")

    @property
    def plan(self) -> Plan:
        """What it begins with: nothing cut."""
        return Plan(self.criterion, self.granularity)

    @property
    def code(self) -> str:
        """Twelve signs that two goals share only if they ask for the same."""
        return code_of(asdict(self))


@dataclass(frozen=True)
class GoalVerdict:
    """word: PASSED, CHANCE or MISSED. low, high: of the accuracy, or of its change where that is
    asked for; so wide that a false "for sure" is as rare as promised. missed: what is asked for
    and does not hold, in words; it needs no chance.
    """

    word: str
    accuracy: float
    kept: float
    low: float
    high: float
    missed: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[float, ...]:
        """Of two attempts the better one has the greater: verdict, then what it is about."""
        place = (MISSED, CHANCE, PASSED).index(self.word)
        size = -self.kept if self.word == PASSED else 0.0
        return place, -len(self.missed), size, self.accuracy


def to_text(goal: Goal) -> str:
    """For an address."""
    return encode(asdict(goal))


def from_text(text: str) -> Goal:
    """The goal of a link; ValueError says that it is damaged, or what in it cannot be."""
    values = decode(text)
    try:
        unknown = sorted(set(values) - {field.name for field in fields(Goal)})
        if unknown:
            raise ValueError(f"it has {unknown[0]!r}, which is no part of a goal")
        return Goal(**values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"this goal cannot be used: {error}") from None


def judge(goal: Goal, bench: Workbench, plan: Plan, attempt: int = 1) -> GoalVerdict:
    """How far the plan reached the goal, on all validation samples.

    attempt: the how-manieth plan for this goal it is, from 1: each later one must be surer, so that
    all together keep the promise. ValueError where answers are not right or wrong.
    """
    result = bench.evaluate(plan)
    counts, dense = bench.counts(plan), bench.counts(Plan())
    kept = counts.params_kept / dense.params_kept
    missed = _lacks(goal, kept, needs(counts.params_shrunk, 0).weights / KIB, plan)
    bounds = _bounds(goal, result, bench.original.evaluate(Plan()), level(attempt))
    if missed or any(high < target for _, high, target in bounds):
        word = MISSED
    else:
        word = PASSED if all(low >= target for low, _, target in bounds) else CHANCE
    low, high, _ = min(bounds, key=lambda each: each[0] - each[2])
    return GoalVerdict(word, result.accuracy, kept, low, high, missed)


def level(attempt: int) -> float:
    """The share of all chances of error that an attempt may use up; over all of them ALPHA."""
    return ALPHA / (attempt * (attempt + 1))


def share_bounds(hits: int, n: int, alpha: float) -> tuple[float, float]:
    """Bounds of a share, each wrong at most `alpha` of the time, whatever the share and n.

    Clopper and Pearson, 1934: Wilson's are right on average alone.
    """
    low = 0.0 if hits == 0 else float(betaincinv(hits, n - hits + 1, alpha))
    high = 1.0 if hits == n else float(betaincinv(hits + 1, n - hits, 1 - alpha))
    return low, high


def change_bounds(gained: int, lost: int, n: int, alpha: float) -> tuple[float, float]:
    """Bounds of a paired change of a share, each wrong at most `alpha` of the time."""
    up, down = share_bounds(gained, n, alpha / 2), share_bounds(lost, n, alpha / 2)
    return up[0] - down[1], up[1] - down[0]


def _bounds(
    goal: Goal, result: Evaluation, dense: Evaluation, alpha: float
) -> list[tuple[float, float, float]]:
    """(low, high, target) of the accuracy, and of its change, as far as they are asked for."""
    for scores in (result.scores, dense.scores):
        if result.weight is not None or bool(((scores != 0) & (scores != 1)).any()):
            raise ValueError("a goal needs answers that are right or wrong, as digits are")
    right, before = result.scores > 0.5, dense.scores > 0.5
    bounds = []
    if goal.accuracy is not None:
        bounds.append((*share_bounds(int(right.sum()), result.n, alpha), goal.accuracy))
    if goal.lose is not None:
        gained, lost = int((right & ~before).sum()), int((~right & before).sum())
        bounds.append((*change_bounds(gained, lost, result.n, alpha), -goal.lose))
    return bounds


def _lacks(goal: Goal, kept: float, flash: float, plan: Plan) -> tuple[str, ...]:
    words = []
    if goal.kept is not None and kept > goal.kept:
        most = f"{100 * goal.kept:.1f} % may be"
        words.append(f"{100 * kept:.1f} % of the parameters are kept, {most}")
    if goal.flash is not None and flash > goal.flash:
        words.append(f"the weights need {flash:.1f} KiB, {goal.flash:g} KiB are there")
    if goal.alone is not None:
        cut = [share for share in plan.sparsity.values() if share]
        if len(cut) != 1:
            words.append(f"{len(cut)} layers are cut, it must be one alone")
        elif cut[0] < goal.alone:
            words.append(f"the layer is cut to {cut[0]:.0%}, it must be {goal.alone:.0%}")
    return tuple(words)


def _check(name: str, value: object, most: float) -> None:
    if value is None:
        return
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < float(str(value)) <= most:  # NaN is refused here too
        raise ValueError(f"{name} must be above 0 and at most {most:g}, got {value!r}")
