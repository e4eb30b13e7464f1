"""Which items are kept?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Ranking:
    """The order in which the items of one layer would be cut.

    rank: int32, of the items' shape; 0 goes first. In a pool it counts over all layers of it.
    scores: floats, same shape. only: the one count that may be cut here (N:M), or None.
    """

    rank: Tensor
    scores: Tensor
    only: int | None = None

    @property
    def bytes(self) -> int:
        """Memory it holds."""
        return self.rank.nbytes + self.scores.nbytes

    @property
    def items(self) -> int:
        """How many items there are."""
        return self.rank.numel()


def count(sparsity: float, items: int) -> int:
    """Items to cut: sparsity × items, halves to even."""
    return round(sparsity * items)


def layer_count(sparsity: float, ranking: Ranking) -> int:
    """Items to cut in one layer; where only one count is legal, it or zero, whichever is nearer."""
    if ranking.only is None:
        return count(sparsity, ranking.items)
    asked = sparsity * ranking.items
    return ranking.only if asked > 0 and asked >= ranking.only / 2 else 0


def pool(rankings: Mapping[str, Ranking]) -> dict[str, Ranking]:
    """One ranking over all layers given: ranks count over the whole pool, ties in layer order."""
    if not rankings:
        return {}
    scores = torch.cat([r.scores.flatten() for r in rankings.values()])
    order = torch.argsort(scores, stable=True)
    rank = torch.empty(order.shape, dtype=torch.int32, device=order.device)
    rank[order] = torch.arange(len(order), dtype=torch.int32, device=order.device)
    parts = torch.split(rank, [r.items for r in rankings.values()])
    return {
        name: Ranking(part.reshape(r.rank.shape), r.scores)
        for (name, r), part in zip(rankings.items(), parts, strict=True)
    }


def kept(ranking: Ranking, cut: int) -> Tensor:
    """Bool of the items' shape, True = kept, when the `cut` lowest ranks go."""
    return ranking.rank >= cut


def pool_count(sparsity: Mapping[str, float], rankings: Mapping[str, Ranking]) -> int:
    """Items to cut in the pool: what all its layers ask for, added up, halves to even."""
    items: dict[float, int] = {}
    for name, ranking in rankings.items():
        level = sparsity.get(name, 0.0)
        items[level] = items.get(level, 0) + ranking.items
    # A product for each level, not for each layer: 0.3 of 25 items is 7.5 however they are spread.
    return round(math.fsum(level * number for level, number in items.items()))
