"""How good are the answers of each class, or at each skill, and how sure is that?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from pruneviz.data import Outcome
from pruneviz.measuring.intervals import mean_difference, mean_interval, paired_difference, wilson
from pruneviz.measuring.score import Change
from pruneviz.tasks import Task
from pruneviz.tasks.skill_scores import RIGHT, TAGGED

_NOTHING = torch.empty(0, dtype=torch.int64)
_BARS = 100


@dataclass(frozen=True)
class Level:
    """A share of right answers, with its 95 % interval and what it was counted on."""

    accuracy: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class ByClass:
    """What two networks answered to the same samples, class by class.

    Of samples that are of one class: right, was [n], whether the answer is right, and was right;
    of [n], the class. Of texts, whose words are not independent of each other, so that intervals
    are those of a ratio of means over texts: right, was [n, classes], how many words of a class
    are right, and were right; of [n, classes], how many there are.

    >>> right, was = torch.tensor([True, False, True]), torch.tensor([True, True, True])
    >>> ByClass(("a", "b"), right, was, torch.tensor([0, 1, 1])).levels["b"].accuracy
    0.5
    """

    names: tuple[str, ...] = ()
    right: Tensor = field(default=_NOTHING, repr=False)
    was: Tensor = field(default=_NOTHING, repr=False)
    of: Tensor = field(default=_NOTHING, repr=False)

    @property
    def word(self) -> str:
        """What a class is called here."""
        return "class" if self.right.ndim == 1 else "skill"

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """Class -> low and high of its change, for a chart; nothing where it has too many bars."""
        if len(self.names) > _BARS:
            return {}
        return {name: (change.low, change.high) for name, change in self.changes.items()}

    @property
    def now(self) -> dict[str, float]:
        """Class -> the share that is right; NaN where there is none of it."""
        return self._shares(self.right)

    @property
    def before(self) -> dict[str, float]:
        """The same of the network that this one is compared with."""
        return self._shares(self.was)

    @cached_property
    def levels(self) -> Mapping[str, Level]:
        """Class -> the share that is right, with its interval; only of classes that are there."""
        levels = {}
        for name, right, _, of in self._columns():
            n, hits = int(of.sum()), int(right.sum())
            if self.right.ndim == 1:
                levels[name] = Level(hits / n, *wilson(hits, n), n)
            else:
                levels[name] = Level(*mean_interval(right / of, of), n)
        return levels

    @cached_property
    def changes(self) -> Mapping[str, Change]:
        """Class -> its change, with its paired interval; only of classes that are there."""
        changes = {}
        for name, right, was, of in self._columns():
            if self.right.ndim == 1:
                gained, lost = int((right > was).sum()), int((right < was).sum())
                changes[name] = Change(*paired_difference(gained, lost, len(of)))
            else:
                changes[name] = Change(*mean_difference(right / of, was / of, of))
        return changes

    def _columns(self) -> Iterator[tuple[str, Tensor, Tensor, Tensor]]:
        """Of each class that is there: right, was and how many, of the samples that hold it."""
        for at, name in enumerate(self.names):
            if self.right.ndim == 1:
                there = self.of == at
                parts = [self.right[there], self.was[there], torch.ones(int(there.sum()))]
            else:
                there = self.of[:, at] > 0
                parts = [side[there, at] for side in (self.right, self.was, self.of)]
            if len(parts[2]):
                right, was, of = (part.double() for part in parts)
                yield name, right, was, of

    def _shares(self, side: Tensor) -> dict[str, float]:
        if self.right.ndim == 1:
            hits, totals = (
                torch.bincount(classes, minlength=len(self.names))
                for classes in (self.of[side], self.of)
            )
        else:
            hits, totals = side.sum(0), self.of.sum(0)
        shares = (hits.double() / totals.double()).tolist()
        return dict(zip(self.names, shares, strict=True))


def by_class(
    outcome: Outcome, dense: Outcome, targets: Tensor | None, names: tuple[str, ...], task: Task
) -> ByClass:
    """The answers of `outcome`, beside those of `dense` to the same samples, by class.

    targets: int64 [n]. names: of classes, or of the skills of a language model. Nothing where
    answers are of no class.
    """
    if task.name == "skills" and TAGGED in outcome.more:
        right, was, of = outcome.more[RIGHT], dense.more[RIGHT], outcome.more[TAGGED]
        names = names or tuple(str(1 + at) for at in range(of.shape[1]))
        return ByClass(names[: of.shape[1]], right, was, of)
    if not task.single or targets is None or not names:
        return ByClass()
    return ByClass(names, outcome.predicted == targets, dense.predicted == targets, targets)
