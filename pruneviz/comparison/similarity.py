"""How alike are several orders of the same items?"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pruneviz.pruning.masks import Ranking, layer_count, mask_of

SAMPLE = 2**20  # items; of larger layers a sample stands for all


def sample_of(items: int, most: int = SAMPLE, seed: int = 0) -> Tensor | None:
    """Positions of at most `most` items, one at random from each of as many even stretches.

    int64, rising, none twice; the same each time for the same seed. None: all of them.
    """
    if items <= most:
        return None
    draw = torch.Generator().manual_seed(seed)
    ends = (torch.arange(most + 1, dtype=torch.float64) * (items / most)).long()
    first, length = ends[:-1], ends.diff()
    return first + (torch.rand(most, dtype=torch.float64, generator=draw) * length).long()


def average_ranks(scores: Tensor) -> Tensor:
    """Ranks 1..n of scores [n], float64; those that tie share the mean of their ranks."""
    values, order = scores.sort()
    tie = torch.zeros_like(order)
    tie[1:] = (values[1:] != values[:-1]).cumsum(0)
    counts = torch.bincount(tie)
    ranks = torch.empty(len(scores), dtype=torch.float64, device=scores.device)
    ranks[order] = (counts.cumsum(0).double() - (counts.double() - 1) / 2)[tie]
    return ranks


def spearman(scores: Sequence[Tensor]) -> Tensor:
    """Rank correlation of each with each, [k, k] of k scores [n]: Pearson's of average ranks.

    NaN where all scores of one are equal: then it ranks nothing. Spearman 1904.
    """
    ranks = torch.stack([average_ranks(each.flatten()) for each in scores])
    centred = ranks - ranks.mean(1, keepdim=True)
    length = centred.norm(dim=1, keepdim=True)
    normed = centred / torch.where(length > 0, length, torch.nan)
    return (normed @ normed.T).clamp(-1, 1)


def jaccard(cut: Sequence[Tensor]) -> Tensor:
    """Overlap of each with each, [k, k] of k sets (bool [n]): |A ∩ B| / |A ∪ B|.

    NaN where both are empty. Jaccard 1912.
    """
    sets = torch.stack([each.flatten() for each in cut]).float()
    # Whole numbers in float32 are exact up to 2^24, and a layer's sample is smaller.
    both = (sets @ sets.T).double()
    sizes = both.diagonal()
    either = sizes[:, None] + sizes[None, :] - both
    return both / torch.where(either > 0, either, torch.nan)


def chance(share: float) -> float:
    """The Jaccard overlap to expect of two random sets that hold this share of the items each.

    s²/(2s − s²) = s/(2 − s), as the number of items grows.
    """
    return share / (2 - share)


def cut_set(ranking: Ranking, level: float, at: Tensor | None = None) -> Tensor:
    """Which items go at this sparsity, of all or of those at these positions: bool, flat."""
    cut = ~mask_of(ranking, layer_count(level, ranking)).flatten()
    return cut if at is None else cut[at.to(cut.device)]
