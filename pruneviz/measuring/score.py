"""How sure is a mean score, and its change between two networks?"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from pruneviz.measuring.intervals import mean_difference, mean_interval, paired_difference, wilson
from pruneviz.tasks import Task


@dataclass(frozen=True)
class Change:
    """The mean score minus another network's on the same samples, with its 95 % paired interval."""

    delta: float
    low: float
    high: float


def level(scores: Tensor, weight: Tensor | None, task: Task) -> tuple[float, float, float]:
    """(mean, low, high) of scores [n], as `Evaluation` has them."""
    if not task.binary:
        return mean_interval(scores, weight, task.bounds)
    n, hits = len(scores), int(scores.sum())
    return (hits / n if n else float("nan")), *wilson(hits, n)


def change(
    now: Tensor, was: Tensor, weight: Tensor | None, task: Task
) -> tuple[float, float, float]:
    """(difference, low, high) of two mean scores [n] of the same samples, paired."""
    if not task.binary:
        return mean_difference(now, was, weight, task.bounds)
    gains, losses = int((now > was).sum()), int((now < was).sum())
    return paired_difference(gains, losses, len(now))
