"""Of which stretches does a training consist, and how much is cut in each?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from pruneviz.plan import Plan

Weights = Literal["stay", "rewound", "new"]
Masks = Literal["plan", "stay", "shuffled"]
Law = Callable[[float, float], float]


@dataclass(frozen=True)
class Leg:
    """A stretch of training with an optimiser and a schedule of its own.

    done: how far towards the plan's sparsity the network is cut when it begins, 0..1, by `law`;
    None: nothing is cut here. weights: whether it goes on from those at hand, from those of the
    first leg's epoch `rewind`, or from ones drawn anew. masks: those of the plan at `done`; those
    at hand; or those at hand with their places shuffled within each layer.
    aside: whether it is a control, after which everything goes on as if it had not been.
    changes: whether the method changes masks on the way. penalised: whether its penalty counts.
    """

    name: str
    epochs: int
    done: float | None = None
    weights: Weights = "stay"
    masks: Masks = "plan"
    aside: bool = False
    changes: bool = False
    penalised: bool = False


def cubic(level: float, done: float) -> float:
    """Fast at first, then ever slower: level · (1 − (1 − t)³) (Zhu & Gupta, 2017)."""
    return level * (1 - (1 - done) ** 3)


def geometric(level: float, done: float) -> float:
    """The same fraction of what is left at each round: 1 − (1 − level)^t (Han et al., 2015)."""
    return 1 - math.pow(1 - level, done)


def on_the_way(plan: Plan, done: float, law: Law) -> Plan:
    """The plan with the sparsity it has on its way, done: 0..1; what is cut by hand goes at once.

    Repairs are left out: training is what repairs.
    """
    levels = plan.sparsity if done >= 1 else {n: law(s, done) for n, s in plan.sparsity.items()}
    return replace(plan, sparsity=levels, repair=())
