"""Which levels do least damage at a budget, whatever the budget?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pruneviz.sensitivity.damage import Table

_BINS = 4096  # of the budget: what a level takes away is counted in these


def least_damage(
    damages: Sequence[Table], takes: Sequence[Table], targets: Sequence[float] | Table
) -> list[list[int]]:
    """At each target, the level of every slider: of least damage in all, that together take away
    at least the target; where that is more than can go, all that can.

    damages, takes: by slider, [levels], at most 256, both from 0 and never falling; takes add up
    to at most 1 and are rounded to 1/4096. targets: in [0, 1].

    Exact by dynamic programming: whatever the target, the best of k sliders is one level of the
    last and the best of the others for the rest (Bellman 1957). In the literature the
    multiple-choice knapsack problem (Sinha and Zoltners 1979).

    >>> import numpy as np
    >>> half = np.array([0.0, 0.5])
    >>> least_damage([np.array([0.0, 1.0]), np.array([0.0, 3.0])], [half, half], [0.0, 0.5, 1.0])
    [[0, 0], [1, 0], [1, 1]]
    """
    best = np.full(_BINS + 1, np.inf)
    best[0] = 0.0
    choices: list[NDArray[np.uint8]] = []
    steps = [np.rint(np.asarray(take) * _BINS).astype(int) for take in takes]
    for damage, step in zip(damages, steps, strict=True):
        total, choice = np.full(_BINS + 1, np.inf), np.zeros(_BINS + 1, np.uint8)
        for level, (cost, shift) in enumerate(zip(damage, step, strict=True)):
            if shift > _BINS:
                break
            candidates = best[: _BINS + 1 - shift] + cost
            better = candidates < total[shift:]
            total[shift:][better], choice[shift:][better] = candidates[better], level
        best = total
        choices.append(choice)
    return [_trace_back(_at_least(best, target), choices, steps) for target in targets]


def _at_least(best: Table, target: float) -> int:
    """The amount of least damage from the target on; of equal ones the largest."""
    reachable = np.flatnonzero(np.isfinite(best))
    enough = reachable[reachable >= min(round(target * _BINS), reachable[-1])]
    least = enough[best[enough] == best[enough].min()]
    return int(least[-1])


def _trace_back(
    amount: int, choices: Sequence[NDArray[np.uint8]], steps: Sequence[NDArray[np.int_]]
) -> list[int]:
    levels = []
    for choice, step in zip(reversed(choices), reversed(steps), strict=True):
        level = int(choice[amount])
        levels.append(level)
        amount -= int(step[level])
    return levels[::-1]
