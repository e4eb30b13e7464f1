"""What may a search move, and what does it count?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pruneviz.plan import Plan

_DENSE = Plan()


@dataclass(frozen=True)
class SearchRequest:
    """What a search of plans is to keep to.

    plan: of the criterion, granularity and repair; locked layers keep their level of it. budget:
    what counts as much, of BUDGETS. floor: the least fraction in [0, 1) kept of each layer, or of
    those named; one item always stays. evaluations: the most plans that are measured on top of the
    methods' own; None: as many as the search usually takes.

    >>> SearchRequest(locked=("fc3",), floor=0.05).budget
    'parameters'
    """

    plan: Plan = _DENSE
    budget: str = "parameters"
    locked: Collection[str] = ()
    floor: float | Mapping[str, float] = 0.0
    evaluations: int | None = None
