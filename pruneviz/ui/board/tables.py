"""Which small tables tell a browser how scores lie?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pruneviz.pruning.masks import CUT, KEPT, Ranking

STEPS = 256
STOPS = 1000  # of a slider, which moves by 0.1 %
BINS = 64
_SKEWED = 20.0


def in_order(ranked: Mapping[str, Ranking]) -> NDArray[np.float64]:
    """The scores of a pool, lowest first: its ranks say where each belongs.

    What was cut or kept by hand is in no order: it stands at its end with the score met there.
    """
    ascending = np.empty(sum(r.items for r in ranked.values()))
    cut, kept = (sum(getattr(r, end) for r in ranked.values()) for end in ("cut", "keep"))
    for ranking in ranked.values():
        rank, scores = (x.flatten().cpu().numpy() for x in (ranking.rank, ranking.scores))
        if ranking.cut or ranking.keep:
            free = (rank != CUT) & (rank != KEPT)
            rank, scores = rank[free], scores[free]
        ascending[rank] = scores
    last = len(ascending) - kept
    if cut < last:
        ascending[:cut], ascending[last:] = ascending[cut], ascending[last - 1]
    else:
        ascending[:] = 0
    return ascending


def quantiles(ascending: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scores at rank round(j/256·(n-1)), j = 0 .. 256, of n in rising order."""
    places = np.rint(np.linspace(0, 1, STEPS + 1) * (len(ascending) - 1)).astype(int)
    return np.take(ascending, places)


def reach(ranking: Ranking, total: int) -> NDArray[np.int64]:
    """How many items of the layer go when the pool cuts j/1000 of its items."""
    cuts = np.rint(np.arange(STOPS + 1) / STOPS * total)
    first = np.searchsorted(cuts, ranking.rank.flatten().cpu().numpy(), side="right")
    counts = np.bincount(first, minlength=STOPS + 2)[: STOPS + 1]
    return counts.cumsum()


def histogram(ascending: NDArray[np.float64]) -> dict[str, object]:
    """How many scores lie in each of 64 bins; by their logarithm where most are small."""
    # Counted by looking up the bins' edges: no second array of millions of scores.
    positive = ascending[np.searchsorted(ascending, 0, side="right") :]
    n = len(positive)
    middle = float(positive[(n - 1) // 2] + positive[n // 2]) / 2 if n else 0.0
    log = bool(n) and float(ascending[-1]) > _SKEWED * middle
    shown = positive if log else ascending
    low, high = (float(np.log10(x) if log else x) for x in (shown[0], shown[-1]))
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, BINS + 1)[1:-1]
    inner = np.searchsorted(shown, (10**edges if log else edges).astype(shown.dtype))
    counts = np.diff([0, *inner, len(shown)])
    counts[0] += len(ascending) - len(shown)  # zeros have no logarithm and stand leftmost
    return {"lo": low, "hi": high, "log": log, "counts": counts.tolist()}
