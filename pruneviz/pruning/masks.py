"""Which items are kept?"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pruneviz.pruning.order import Order

CUT, KEPT = -1, 2**31 - 1  # ranks of what was cut or kept by hand


@dataclass(frozen=True)
class Ranking:
    """The order in which the items of one layer would be cut.

    scores: floats, of the items' shape. order: of which they are the part of this number; in a pool
    it is that of all layers. only: the one count that may be cut here (N:M), or None.
    cut, keep: how many items are pinned so. pool: the first layer of the pool it is in, or "".
    """

    scores: Tensor
    order: Order
    part: int = 0
    only: int | None = None
    cut: int = 0
    keep: int = 0
    pool: str = ""

    @property
    def rank(self) -> Tensor:
        """int32, of the items' shape; 0 goes first. In a pool it counts over all layers of it.

        What is pinned has no place in it: CUT or KEPT instead. Worked out when first asked for,
        which takes longer than a mask does.
        """
        return self.order.rank(self.part)

    @property
    def bytes(self) -> int:
        """Memory it holds once it has been looked at."""
        return 2 * self.scores.nbytes

    @property
    def items(self) -> int:
        """How many items there are."""
        return self.scores.numel()


def in_ranks(ranking: Ranking, rank: Tensor) -> Ranking:
    """The ranking with other ranks, int32 of its shape, as they are given."""
    return replace(ranking, order=Order([ranking.scores], [rank]), part=0)


def count(sparsity: float, items: int) -> int:
    """Items to cut: sparsity × items, halves to even."""
    return round(sparsity * items)


def layer_count(sparsity: float, ranking: Ranking) -> int:
    """Items to cut in one layer; where only one count is legal, it or zero, whichever is nearer.

    What is pinned counts too, and bounds what can be cut.
    """
    if ranking.only is None:
        number = count(sparsity, ranking.items)
        return min(max(number, ranking.cut), ranking.items - ranking.keep)
    share = sparsity * ranking.items
    return ranking.only if share > 0 and share >= ranking.only / 2 else 0


def pool(
    rankings: Mapping[str, Ranking], kinds: Mapping[str, Hashable] | None = None
) -> dict[str, Ranking]:
    """One ranking over all layers given: ranks count over the whole pool, ties in layer order.

    kinds: of each layer; those of one kind make a pool of their own.
    """
    pools: dict[Hashable, list[str]] = {}
    for name in rankings:
        pools.setdefault(None if kinds is None else kinds[name], []).append(name)
    pooled = {}
    for names in pools.values():
        order = Order([rankings[name].scores for name in names])
        for part, name in enumerate(names):
            one = rankings[name]
            pooled[name] = Ranking(one.scores, order, part, one.only, pool=names[0])
    return {name: pooled[name] for name in rankings}


def pools_of(rankings: Mapping[str, Ranking]) -> dict[str, dict[str, Ranking]]:
    """Pool -> the rankings in it, by layer; those that are in none are left out."""
    pools: dict[str, dict[str, Ranking]] = {}
    for name, ranking in rankings.items():
        if ranking.pool:
            pools.setdefault(ranking.pool, {})[name] = ranking
    return pools


def pin(rankings: Mapping[str, Ranking], pinned: Mapping[str, Tensor]) -> dict[str, Ranking]:
    """Rankings in which what is pinned has left its place, and the others have closed up.

    pinned: layer -> int8 of the items' shape, 1 = kept, -1 = cut by hand, 0 = as the criterion
    says. Those of a pool close up together. What is cut by hand comes first in the count: with k to
    cut, the k minus so many lowest of the others go.
    """
    pools = [[name] for name, ranking in rankings.items() if not ranking.pool]
    pools += [list(names) for names in pools_of(rankings).values()]
    result: dict[str, Ranking] = {}
    for names in pools:
        if not any(name in pinned for name in names):
            result |= {name: rankings[name] for name in names}
            continue
        hands = [pinned.get(n, torch.zeros((), dtype=torch.int8)) for n in names]
        hand = torch.cat(
            [
                h.to(rankings[n].scores.device).expand(rankings[n].scores.shape).flatten()
                for n, h in zip(names, hands, strict=True)
            ]
        )
        rank = torch.cat([rankings[name].rank.flatten() for name in names]).long()
        free = torch.zeros(len(rank), dtype=torch.long, device=rank.device)
        free[rank] = (hand == 0).long()
        closed = free.cumsum(0)[rank] - 1 + int((hand < 0).sum())
        closed = torch.where(hand == 0, closed, torch.where(hand < 0, CUT, KEPT)).int()
        parts = torch.split(closed, [rankings[name].items for name in names])
        signs = torch.split(hand, [rankings[name].items for name in names])
        for name, part, sign in zip(names, parts, signs, strict=True):
            ranking = in_ranks(rankings[name], part.reshape(rankings[name].scores.shape))
            cut, keep = int((sign < 0).sum()), int((sign > 0).sum())
            result[name] = replace(ranking, cut=cut, keep=keep)
    return {name: result[name] for name in rankings}


def mask_of(ranking: Ranking, cut: int) -> Tensor:
    """Bool of the items' shape, True = kept, when the `cut` lowest ranks go."""
    return ranking.order.mask(ranking.part, cut)


def pool_counts(sparsity: Mapping[str, float], rankings: Mapping[str, Ranking]) -> dict[str, int]:
    """Layer -> items to cut in its pool, which all layers of that pool share."""
    counts: dict[str, int] = {}
    for members in pools_of(rankings).values():
        counts |= dict.fromkeys(members, pool_count(sparsity, members))
    return counts


def pool_count(sparsity: Mapping[str, float], rankings: Mapping[str, Ranking]) -> int:
    """Items to cut in the pool: what all its layers ask for, added up, halves to even."""
    items: dict[float, int] = {}
    for name, ranking in rankings.items():
        level = sparsity.get(name, 0.0)
        items[level] = items.get(level, 0) + ranking.items
    # A product for each level, not for each layer: 0.3 of 25 items is 7.5 however they are spread.
    return round(math.fsum(level * number for level, number in items.items()))


def checksum_of(masks: Mapping[str, Tensor]) -> str:
    """SHA-256, in hex, over the names of the layers of which something is cut, sorted, and the
    packed bits of their masks.
    """
    digest = hashlib.sha256()
    for name, mask in sorted(masks.items()):
        if not bool(mask.all()):
            digest.update(f"{name}\0{tuple(mask.shape)}\0".encode())
            digest.update(np.packbits(mask.cpu().numpy()).tobytes())
    return digest.hexdigest()
