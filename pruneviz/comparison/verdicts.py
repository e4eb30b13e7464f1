"""Which criterion is best, and is the difference real?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import torch
from torch import Tensor

from pruneviz.measuring.intervals import Z95
from pruneviz.measuring.score import change, level
from pruneviz.scale import SHARE, Scale
from pruneviz.tasks import Task

ALPHA = 0.05
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Margin:
    """The best criterion minus another, on samples that did not choose it.

    roles: what the other one is: "runner-up", "magnitude", "control". low, high: as wide as the
    test that it took part in (Holm 1979 over the comparisons of one verdict), so never narrower
    than 95 %. real: whether that interval leaves zero out.
    """

    other: str
    roles: tuple[str, ...]
    difference: float
    low: float
    high: float
    real: bool
    scale: Scale = SHARE

    @property
    def words(self) -> str:
        """The difference in words, in the unit of the score."""
        if not self.real:
            return f"no measurable difference ({self.scale.span_text(self.low, self.high)})"
        return f"{self.scale.paired_text(self.difference, self.low, self.high)}, real"


@dataclass(frozen=True)
class Verdict:
    """Which criterion at one sparsity.

    best: chosen on `chosen_on` samples. accuracy, low, high: of it on the n others, which judge.
    same: criteria that answered every sample as it did. against: the comparisons.
    """

    sparsity: float
    best: str
    accuracy: float
    low: float
    high: float
    chosen_on: int
    n: int
    same: tuple[str, ...]
    against: tuple[Margin, ...]

    def by_role(self, role: str) -> Margin | None:
        """The comparison with "runner-up", the plain criterion or "control", if there is one."""
        return next((one for one in self.against if role in one.roles), None)

    @property
    def words(self) -> str:
        """The verdict in a sentence."""
        real = [one.other for one in self.against if one.real and one.difference > 0]
        worse = [one.other for one in self.against if one.real and one.difference <= 0]
        even = [one.other for one in self.against if not one.real]
        parts = [f"better than {_and(real)}: real"] if real else []
        parts += [f"worse than {_and(worse)} on the samples that judge: real"] if worse else []
        parts += [f"no measurable difference from {_and(even)}"] if even else []
        parts += [f"{_and(self.same)} answered every sample alike"] if self.same else []
        return "; ".join(parts) or "nothing to compare it with"


def verdict(
    sparsity: float,
    answers: Mapping[str, Tensor],
    weight: Tensor | None,
    task: Task,
    controls: Sequence[Tensor],
    control: str,
    plain: str,
) -> Verdict:
    """Which of some criteria is best at one sparsity.

    answers: criterion -> scores [n] of the same samples, without the control, whose scores come by
    seed in `controls`; it takes part with their mean. plain: the criterion that is always compared
    with, if it takes part. Every other sample chooses the best and the runner-up, the rest judge
    them: who is the best of many on the very samples that chose it looks better than it is.
    """
    graded = replace(task, binary=False)  # means over seeds are no longer right or wrong
    everyone = {**answers, control: torch.stack(list(controls)).mean(0)}
    choose, judge = slice(0, None, 2), slice(1, None, 2)
    worth = {
        name: level(scores[choose], _part(weight, choose), graded)[0]
        for name, scores in everyone.items()
    }
    order = sorted(everyone, key=lambda name: -_finite(worth[name]))
    best, mine = order[0], everyone[order[0]][judge]
    same = tuple(n for n in order[1:] if torch.equal(everyone[n], everyone[best]))
    roles = _roles([name for name in order[1:] if name not in same], plain, control)
    margins = {}
    for name in roles:
        kind = graded if control in (name, best) else task
        margins[name] = change(mine, everyone[name][judge], _part(weight, judge), kind)
    accuracy, low, high = level(mine, _part(weight, judge), graded if best == control else task)
    return Verdict(
        sparsity=sparsity,
        best=best,
        accuracy=accuracy,
        low=low,
        high=high,
        chosen_on=len(everyone[best]) - len(mine),
        n=len(mine),
        same=same,
        against=_holm(margins, roles, task.scale),
    )


def _roles(rivals: Sequence[str], plain: str, control: str) -> dict[str, tuple[str, ...]]:
    """Which of the rivals, the strongest first, the best is compared with, and as what."""
    pairs = ((rivals[0] if rivals else "", "runner-up"), (plain, plain), (control, "control"))
    roles: dict[str, tuple[str, ...]] = {}
    for name, role in pairs:
        if name in rivals:
            roles[name] = (*roles.get(name, ()), role)
    return roles


def p_value(low: float, high: float) -> float:
    """Of no difference, two-sided, by the normal law whose 95 % interval is low … high."""
    middle, half = (low + high) / 2, (high - low) / 2
    if not math.isfinite(half):
        return 1.0
    if half <= 0:
        return 1.0 if middle == 0 else 0.0
    return math.erfc(abs(middle) / half * Z95 / math.sqrt(2))


def _holm(
    differences: Mapping[str, tuple[float, float, float]],
    roles: Mapping[str, tuple[str, ...]],
    scale: Scale,
) -> tuple[Margin, ...]:
    """Every comparison with the interval of its own test: the surest is tested at 5 % / k, the
    next at 5 % / (k − 1) …; from the first that fails on all at the level of that one.
    """
    order = sorted(differences, key=lambda name: p_value(*differences[name][1:]))
    done: dict[str, Margin] = {}
    hypotheses, failed = len(order), False
    for name in order:
        difference, low, high = differences[name]
        alpha = ALPHA / hypotheses
        wider = _NORMAL.inv_cdf(1 - alpha / 2) / Z95
        middle, half = (low + high) / 2, wider * (high - low) / 2
        low, high = middle - half, middle + half
        real = not failed and p_value(*differences[name][1:]) <= alpha
        failed = failed or not real
        hypotheses -= not failed
        done[name] = Margin(name, roles[name], difference, low, high, real, scale)
    return tuple(done[name] for name in differences)


def _part(weight: Tensor | None, part: slice) -> Tensor | None:
    return None if weight is None else weight[part]


def _finite(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
