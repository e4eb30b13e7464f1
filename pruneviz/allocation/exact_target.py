"""Which plans meet a target exactly?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from pruneviz.allocation.budgets import Budget, find_budget, prices
from pruneviz.allocation.methods import ALLOCATIONS, Allocation, density_of, tame_bounds
from pruneviz.allocation.request import SearchRequest
from pruneviz.allocation.shares import Part, erk, whole
from pruneviz.measuring.bench import Bench
from pruneviz.plan import UNITS, Plan, pattern
from pruneviz.pruning.masks import Ranking
from pruneviz.pruning.sliders import Slider
from pruneviz.sensitivity.curves import Curves, Point
from pruneviz.sensitivity.damage import loss_risen, odds_lost, score_lost

_HALVINGS = 24
_TINY = 1e-6

Share = Callable[[Sequence[Part], float], list[float]]


@dataclass(frozen=True)
class Field:
    """The sliders that are free to move, and what moving them is worth.

    base: a plan in which they all stand at zero. full: how much of the budget goes when all of it
    goes. exact: whether costs add up, so that a count of items is the target itself.
    """

    bench: Bench
    base: Plan
    parts: tuple[Part, ...]
    budget: Budget
    none: float
    full: float
    exact: bool

    def plan(self, shares: Sequence[float]) -> Plan:
        """The plan with these sparsities, one for each part."""
        plan = self.base
        for part, share in zip(self.parts, shares, strict=True):
            plan = part.slider.raise_to(plan, share)
        return plan

    def fraction(self, plan: Plan) -> float:
        """The fraction of what is free to go that goes, in the unit of the budget."""
        return (self.budget.removed(self.bench, plan) - self.none) / (self.full - self.none)

    def meet(self, share: Share, target: float) -> Plan:
        """The plan of `share` that takes away `target`, as nearly as whole items can.

        ValueError where the bounds of the layers forbid it.
        """
        if not 0 <= target < 1:
            raise ValueError(f"target must be in [0, 1), got {target!r}")
        if self.exact:
            return self.plan(whole(self.parts, target, share(self.parts, target)))
        low, high, best = 0.0, self.highest(share), self.base
        if self.fraction(self._at(share, high)) < target - _TINY:
            raise ValueError(
                f"a target of {100 * target:g} % cannot be met: at most "
                f"{100 * self.fraction(self._at(share, high)):.1f} % can go within the bounds of "
                "the layers; ask for less, lower the floor, or choose another method"
            )
        nearest = abs(self.fraction(self.base) - target)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            plan = self._at(share, middle)
            got = self.fraction(plan)
            if abs(got - target) < nearest:
                nearest, best = abs(got - target), plan
            low, high = (middle, high) if got < target else (low, middle)
        return self._nearer(best, target)

    def densities(self, plan: Plan) -> list[float]:
        """What a plan keeps of each part; never nothing."""
        return [max(1 - part.slider.level(plan), 0.5 / part.items) for part in self.parts]

    def share_by(self, densities: Sequence[float]) -> Share:
        """Shares that keep weights in proportion to these densities."""

        def share(parts: Sequence[Part], target: float) -> list[float]:
            own = [replace(p, density=d) for p, d in zip(parts, densities, strict=True)]
            return erk(own, target)

        return share

    def _nearer(self, plan: Plan, target: float) -> Plan:
        """`plan`, one item more or less in one part after another as long as that comes nearer."""
        gap = abs(self.fraction(plan) - target)
        while gap > _TINY:
            gaps = {}
            for part in self.parts:
                for by in (-1, 1):
                    level = round(part.slider.level(plan) * part.items) + by
                    if 0 <= level <= part.most * part.items:
                        candidate = part.slider.raise_to(plan, level / part.items)
                        gaps[candidate] = abs(self.fraction(candidate) - target)
            best = min(gaps, key=lambda candidate: gaps[candidate], default=plan)
            if not gaps or gaps[best] >= gap:
                return plan
            plan, gap = best, gaps[best]
        return plan

    def _at(self, share: Share, linear: float) -> Plan:
        return self.plan(whole(self.parts, linear, share(self.parts, linear)))

    def highest(self, share: Share) -> float:
        """The largest sum of costs, as a fraction, that the bounds of the layers allow."""
        total = sum(part.cost for part in self.parts)
        top = sum(part.most * part.cost for part in self.parts) / total
        low, high = 0.0, top
        try:
            share(self.parts, top)
        except ValueError:  # tighter bounds of its own
            for _ in range(_HALVINGS):
                middle = (low + high) / 2
                try:
                    share(self.parts, middle)
                    low = middle
                except ValueError:
                    high = middle
            return low
        return top


def movable(bench: Bench, request: SearchRequest) -> tuple[Plan, list[Slider]]:
    """The plan of the request with all at zero that may move, and the sliders of that."""
    plan = replace(request.plan, scope="layer", relative=False)
    blocks = plan.granularity == "block"
    sliders = [s for s in bench.sliders(plan, request.locked) if s.items > 1 or blocks]
    moving = {name for slider in sliders for name in slider.layers}
    levels = {name: level for name, level in plan.sparsity.items() if name not in moving}
    pinned = {name: places for name, places in plan.pinned.items() if name not in moving}
    return replace(plan, sparsity=levels, pinned=pinned), sliders


def field_of(bench: Bench, request: SearchRequest) -> Field:
    """What may move; ValueError where nothing may, or a name or number does not fit."""
    granularity = request.plan.granularity
    if pattern(granularity) is not None:
        raise ValueError(
            f"granularity {granularity!r} has one level only: there is nothing to share out"
        )
    unknown = [name for name in request.locked if name not in bench.layer_of]
    if unknown:
        raise ValueError(f"no layer {unknown[0]!r} to lock; see the workbench's layers")
    kind = find_budget(request.budget, granularity)
    base, sliders = movable(bench, request)
    if not sliders:
        raise ValueError("every layer is locked, or nothing in it can be cut: unlock one")
    tame = tame_bounds(bench.layer_of)
    floors = _floors(sliders, request.floor, bench.layer_of)
    costs = prices(bench, kind, base, sliders)
    parts = tuple(
        Part(
            slider,
            cost=costs[slider.name],
            density=density_of(slider, bench.layer_of),
            most=1.0
            if granularity == "block"
            else min(1 - floors[slider.name], 1 - 1 / slider.items),
            tame=min((tame[name] for name in slider.layers if name in tame), default=1.0),
        )
        for slider in sliders
        if costs[slider.name] > 0
    )
    if not parts:
        why = "; choose another budget"
        if granularity in UNITS:
            why = ": units can only be masked here, and stay in the network; choose granularity "
            why += "'weight', or another budget"
        raise ValueError(f"nothing that may be cut takes away any {kind.label.lower()}{why}")
    none = kind.removed(bench, base)
    every = Field(bench, base, parts, kind, none, none + 1.0, False)
    full = kind.removed(bench, every.plan([1.0] * len(parts)))
    exact = granularity not in UNITS and kind.name == "parameters"
    return replace(every, full=full, exact=exact)


def prepare(
    field: Field, method: str, curves: Curves | None = None, damage: str = "accuracy"
) -> tuple[Field, Allocation]:
    """The field with what a method looks at; ValueError for an unknown one, or without curves."""
    if field.base.granularity == "block":
        raise ValueError("blocks go whole, the lowest scores first: there is nothing to share out")
    allocation = ALLOCATIONS.get(method)
    if allocation is None:
        raise ValueError(f"unknown method {method!r}; known are {', '.join(ALLOCATIONS)}")
    parts = field.parts
    if allocation.scores:
        scores = _scores(field, allocation.scores)
        parts = tuple(replace(p, scores=scores[p.slider.name]) for p in parts)
    if allocation.measured:
        if curves is None:
            raise ValueError(f"method {method!r} needs curves of the layers: scan first")
        parts = tuple(_with_damage(part, curves, damage) for part in parts)
    return replace(field, parts=parts), allocation


def levels_of(
    bench: Bench,
    method: str,
    targets: Sequence[float],
    request: SearchRequest,
    curves: Curves | None,
) -> dict[str, NDArray[np.float64]]:
    """Layer -> its sparsity at each target; beyond what bounds allow, that of the nearest below."""
    space, allocation = prepare(field_of(bench, request), method, curves)
    highest = space.highest(allocation.share)
    columns = allocation.at(space.parts, [min(target, highest) for target in targets])
    return {
        name: np.array(column)
        for part, column in zip(space.parts, columns, strict=True)
        for name in part.slider.layers
    }


def _floors(
    sliders: Sequence[Slider], floor: float | Mapping[str, float], layers: Mapping[str, object]
) -> dict[str, float]:
    floors = floor if isinstance(floor, Mapping) else {}
    for name, value in (
        [*floors.items()] if isinstance(floor, Mapping) else [("every layer", floor)]
    ):
        if isinstance(floor, Mapping) and name not in layers:
            raise ValueError(f"no layer {name!r} to keep a part of; see the workbench's layers")
        if isinstance(value, bool) or not 0 <= value < 1:
            raise ValueError(f"floor of {name} must be in [0, 1), got {value!r}")
    if not isinstance(floor, Mapping):
        return {slider.name: float(floor) for slider in sliders}
    return {s.name: max((floors.get(name, 0.0) for name in s.layers), default=0.0) for s in sliders}


def _scores(field: Field, kind: str) -> dict[str, torch.Tensor]:
    """Ascending scores of every part: the plan's criterion's, or LAMP's of its weights' length."""
    names = {name: 0.0 for part in field.parts for name in part.slider.layers}
    plan = replace(field.base, sparsity=names, pinned={})
    if kind == "lamp":
        plan = replace(plan, criterion="l2" if plan.granularity in UNITS else "magnitude", seed=0)
    rankings = field.bench.rankings(plan)
    return {
        part.slider.name: _sort(rankings[part.slider.name], lamp=kind == "lamp")
        for part in field.parts
    }


def _sort(ranking: Ranking, *, lamp: bool) -> torch.Tensor:
    scores = ranking.scores.flatten().double().sort().values
    if not lamp:
        return scores
    squares = scores.square()
    surviving = squares.flip(0).cumsum(0).flip(0)
    return squares / surviving.clamp(min=torch.finfo(torch.float64).tiny)


def _with_damage(part: Part, curves: Curves, kind: str) -> Part:
    curve = curves.of_layer(part.slider.layers[0])
    if curve is None or not curve.points:
        raise ValueError(f"{part.slider.name!r} has no curve yet: scan first")
    levels = tuple(point.got for point in curve.points)
    return replace(part, damage=(levels, tuple(_DAMAGES[kind](p) for p in curve.points)))


def _by_accuracy(point: Point) -> float:
    fractions = 0 <= point.accuracy <= 1 and 0 <= point.dense_accuracy <= 1
    return odds_lost(point) if fractions else score_lost(point)


_DAMAGES = {"accuracy": _by_accuracy, "loss": loss_risen}
