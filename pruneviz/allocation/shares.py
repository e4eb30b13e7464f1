"""Which shares add up to a target?"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pruneviz.pruning.sliders import Slider

_CLOSE = 1e-9
OUTLIER = 5.0  # times the mean score of its layer
REACH = 0.08  # how far a layer's sparsity may lie from the target
_HALVINGS = 60
_UNKNOWN = 1e3  # damage for each unit of sparsity where nothing was measured


@dataclass(frozen=True)
class Part:
    """What an allocation knows of one slider.

    cost: of all its items, in the unit of the budget. density: what the Erdős–Rényi kernel keeps in
    proportion to. most: the highest sparsity it may get. tame: the highest under "uniform+".
    scores: ascending [items], of what competes in one ranking. damage: (sparsities, damages), both
    rising from 0, by measurement.
    """

    slider: Slider
    cost: float
    density: float
    most: float = 1.0
    tame: float = 1.0
    scores: Tensor | None = field(default=None, repr=False)
    damage: tuple[Sequence[float], Sequence[float]] | None = None

    @property
    def items(self) -> int:
        """How many items it has."""
        return self.slider.items


def uniform(parts: Sequence[Part], target: float) -> list[float]:
    """The same sparsity everywhere."""
    return _proportions(parts, target, lambda _: 1.0, [part.most for part in parts])


def uniform_plus(parts: Sequence[Part], target: float) -> list[float]:
    """As uniform, within tighter bounds for the first convolution and the last linear layer."""
    return _proportions(parts, target, lambda _: 1.0, [min(p.most, p.tame) for p in parts])


def erk(parts: Sequence[Part], target: float) -> list[float]:
    """Density in proportion to (Σ of sizes) / (their product); what would pass 1 stays dense."""
    densities = _proportions(
        parts, 1 - target, lambda part: part.density, [1.0] * len(parts), low=True
    )
    return [1 - density for density in densities]


def owl(parts: Sequence[Part], target: float) -> list[float]:
    """The same everywhere, but up to REACH less where outliers are many, and more where few are."""
    _check_bounds(parts, target, [part.most for part in parts])
    shares = [_outliers(part) for part in parts]
    least, spread = min(shares), max(shares) - min(shares)
    places = [(x - least) / spread if spread else 0.5 for x in shares]
    total = sum(part.cost for part in parts)

    def levels(middle: float) -> list[float]:
        wanted = (middle + REACH * (1 - 2 * place) for place in places)
        return [min(max(x, 0.0), p.most) for x, p in zip(wanted, parts, strict=True)]

    low, high = -REACH, 1 + REACH
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        spent = sum(x * p.cost for x, p in zip(levels(middle), parts, strict=True))
        low, high = (middle, high) if spent < target * total else (low, middle)
    return levels(high) if target else [0.0] * len(parts)


def _outliers(part: Part) -> float:
    # The share of its scores that are more than OUTLIER times their mean.
    if part.scores is None:
        raise ValueError(f"{part.slider.name!r} brings no scores to compete with")
    return float((part.scores > OUTLIER * part.scores.mean()).double().mean())


def pool(parts: Sequence[Part], target: float) -> list[float]:
    """The lowest scores go, wherever they stand, until the target is met."""
    return [levels[0] for levels in pool_at(parts, [target])]


def pool_at(parts: Sequence[Part], targets: Sequence[float]) -> list[list[float]]:
    """`pool` for many targets at the price of one: by part, the level at each target."""
    free = [min(part.items, math.floor(part.most * part.items + _CLOSE)) for part in parts]
    scores, costs, owner = [], [], []
    for place, (part, number) in enumerate(zip(parts, free, strict=True)):
        if part.scores is None:
            raise ValueError(f"{part.slider.name!r} brings no scores to compete with")
        scores.append(part.scores[:number].double().cpu())
        costs.append(torch.full((number,), part.cost / part.items, dtype=torch.float64))
        owner.append(torch.full((number,), place, dtype=torch.int64))
    order = torch.argsort(torch.cat(scores), stable=True)
    spent = torch.cat(costs)[order].cumsum(0)
    owners = torch.cat(owner)[order]
    total = sum(part.cost for part in parts)
    # Each item goes that brings the sum nearer to what is asked for.
    half = torch.cat(costs)[order] / 2
    prices = {part.cost / part.items for part in parts}
    price = prices.pop() if len(prices) == 1 else 0.0
    shares: list[list[float]] = [[] for _ in parts]
    for target in targets:
        _check_bounds(parts, target, [part.most for part in parts])
        k = int(torch.searchsorted(spent - half, target * total * (1 + 1e-12) + _CLOSE))
        k = round(target * total / price) if price else k
        counts = torch.bincount(owners[:k], minlength=len(parts)).tolist()
        for levels, count, part in zip(shares, counts, parts, strict=True):
            levels.append(count / part.items)
    return shares


def by_damage(parts: Sequence[Part], target: float) -> list[float]:
    """Where the measured curves say it hurts least: the steps of least damage for their cost go
    first, along the convex hull of each curve.
    """
    return [levels[0] for levels in by_damage_at(parts, [target])]


def by_damage_at(parts: Sequence[Part], targets: Sequence[float]) -> list[list[float]]:
    """`by_damage` for many targets: by part, the level at each target."""
    steps = []  # (damage for each cost, place, from, to)
    for place, part in enumerate(parts):
        if part.damage is None:
            raise ValueError(f"{part.slider.name!r} has no curve yet: scan first")
        for (x0, y0), (x1, y1) in itertools.pairwise(_hull(part)):
            steps.append(((y1 - y0) / ((x1 - x0) * part.cost), place, x0, x1))
    steps.sort()
    total, shares = sum(part.cost for part in parts), [list[float]() for _ in parts]
    for target in targets:
        _check_bounds(parts, target, [part.most for part in parts])
        rest, levels = target * total, [0.0] * len(parts)
        for _, place, x0, x1 in steps:
            if rest <= 0:
                break
            cost = (x1 - x0) * parts[place].cost
            levels[place] = x0 + (x1 - x0) * min(1.0, rest / cost)
            rest -= cost
        for row, level in zip(shares, levels, strict=True):
            row.append(level)
    return shares


def whole(parts: Sequence[Part], target: float, shares: Sequence[float]) -> list[float]:
    """Shares that cut whole items, whose costs add up to the target as nearly as they can.

    Each is rounded down; then, one item each, those go that lost the largest part of one, as long
    as that brings the sum nearer to the target. Where all items cost the same, as single weights
    do, exactly round(target × all of them) go, halves to even.
    """
    amounts = [share * part.items for share, part in zip(shares, parts, strict=True)]
    tops = [math.floor(part.most * part.items + _CLOSE) for part in parts]
    counts = [min(math.floor(x + 1e-7), top) for x, top in zip(amounts, tops, strict=True)]
    prices = [part.cost / part.items for part in parts]
    need = target * sum(part.cost for part in parts)
    if len(set(prices)) == 1:
        need = round(need / prices[0]) * prices[0]
    rest = need - sum(n * price for n, price in zip(counts, prices, strict=True))
    order = sorted(range(len(parts)), key=lambda i: counts[i] - amounts[i])
    changing = True
    while changing:
        changing = False
        for i in order:
            if counts[i] < tops[i] and prices[i] / 2 < rest * (1 - _CLOSE):
                counts[i] += 1
                rest -= prices[i]
                changing = True
    return [min(1.0, n / part.items) for n, part in zip(counts, parts, strict=True)]


def _proportions(
    parts: Sequence[Part],
    target: float,
    weight: Callable[[Part], float],
    most: Sequence[float],
    *,
    low: bool = False,
) -> list[float]:
    """Shares in proportion to a weight, whose costs add up to the target; none above its bound.

    What would pass its bound gets it, and the others make up for it. low: the shares are what
    stays, so a part's `most` bounds them from below.
    """
    total = sum(part.cost for part in parts)
    least = [1 - part.most if low else 0.0 for part in parts]
    _check_bounds(parts, 1 - target if low else target, [p.most for p in parts] if low else most)
    fixed: dict[int, float] = {}
    while True:
        free = [i for i in range(len(parts)) if i not in fixed]
        amount = target * total - sum(fixed[i] * parts[i].cost for i in fixed)
        base = sum(weight(parts[i]) * parts[i].cost for i in free)
        scale = amount / base if base else 0.0
        over = {i: most[i] for i in free if scale * weight(parts[i]) > most[i] + _CLOSE}
        under = {i: least[i] for i in free if scale * weight(parts[i]) < least[i] - _CLOSE}
        if not over and not under:
            return [fixed.get(i, scale * weight(parts[i])) for i in range(len(parts))]
        # One side at a time: fixing the larger violation first never overshoots.
        excess = sum((scale * weight(parts[i]) - x) * parts[i].cost for i, x in over.items())
        lack = sum((x - scale * weight(parts[i])) * parts[i].cost for i, x in under.items())
        fixed |= over if excess >= lack else under


def _check_bounds(parts: Sequence[Part], target: float, most: Sequence[float]) -> None:
    total = sum(part.cost for part in parts)
    highest = sum(top * part.cost for top, part in zip(most, parts, strict=True))
    if target * total > highest * (1 + _CLOSE) + _CLOSE:
        raise ValueError(
            f"a target of {100 * target:g} % cannot be met: at most {100 * highest / total:.1f} % "
            "can go within the bounds of the layers; ask for less, lower the floor, or choose "
            "another method"
        )


def _hull(part: Part) -> list[tuple[float, float]]:
    """The lower convex hull of a part's damage, from (0, 0) to its highest sparsity."""
    assert part.damage is not None
    points = [(0.0, 0.0)]
    for x, y in zip(*part.damage, strict=True):
        if 0 < x <= part.most + _CLOSE:
            points.append((x, max(y, points[-1][1])))
    if part.most - points[-1][0] > _CLOSE:  # beyond the last measured point nothing is known
        points.append((part.most, points[-1][1] + _UNKNOWN * (part.most - points[-1][0])))
    hull: list[tuple[float, float]] = []
    for point in points:
        while len(hull) > 1 and _turns_down(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    return hull


def _turns_down(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    return (b[1] - a[1]) * (c[0] - b[0]) >= (c[1] - b[1]) * (b[0] - a[0])
