"""How sure can one be of what was measured on a sample?"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, stdtrit
from torch import Tensor

Z95 = 1.959963984540054
ALPHA = 0.05


def wilson(hits: float, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval for a proportion (95 % by default), in [0, 1].

    Wilson 1927; (0, 1) when n is 0. hits need not be whole: scores between 0 and 1 vary no more
    than right and wrong do, so that the interval is wide enough for them too.
    Raises ValueError when hits is not in 0..n.
    """
    if not 0 <= hits <= n:
        raise ValueError(f"hits must be in 0..{n}, got {hits}")
    if n == 0:
        return 0.0, 1.0
    share, factor = hits / n, 1 + z * z / n
    middle = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = (middle - spread) / factor, (middle + spread) / factor
    # Exact at the ends, where rounding would leave 1e-17.
    return (0.0 if hits == 0 else max(0.0, low)), (1.0 if hits == n else min(1.0, high))


def paired_difference(gained: int, lost: int, n: int, z: float = Z95) -> tuple[float, float, float]:
    """(difference, low, high) of two accuracies measured on the same n samples.

    gained: samples right now and wrong before; lost: the other way round. The interval is the
    adjusted Wald of Bonett & Price 2012 (one count added to either kind of change), which keeps
    its coverage with few changes and never has width zero. (0, -1, 1) when n is 0.
    Raises ValueError when the counts do not fit into n.
    """
    if gained < 0 or lost < 0 or gained + lost > n:
        raise ValueError(f"{gained} gained and {lost} lost do not fit into {n} samples")
    if n == 0:
        return 0.0, -1.0, 1.0
    up, down = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    middle = up - down
    spread = z * math.sqrt((up + down - middle * middle) / (n + 2))
    return (gained - lost) / n, max(-1.0, middle - spread), min(1.0, middle + spread)


def mean_interval(
    scores: Tensor,
    weight: Tensor | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
    alpha: float = ALPHA,
) -> tuple[float, float, float]:
    """(mean, low, high): the mean Σws/Σw of scores [n], and its 1 − alpha interval.

    Between finite `bounds` it is `bounded_gap` on either side, which holds however few the scores
    and however rare what moves them. Else Student's t on the linearised ratio:
    Var = n/(n−1) · Σw²(s − mean)² / (Σw)² (Cochran 1977, Sampling Techniques, §6.4; with equal
    weights the plain t-interval), n the samples of weight above zero; a single score, or equal
    ones, tell nothing then: all of `bounds`, as where a score is not finite. The interval never
    leaves `bounds`. (NaN, low, high) where nothing counts.
    """
    scores = scores.double()
    weight = torch.ones_like(scores) if weight is None else weight.double()
    counts = weight > 0
    scores, weight = scores[counts], weight[counts]
    n = len(scores)
    mean = float((scores * weight).sum() / weight.sum()) if n else math.nan
    if not math.isfinite(mean):
        return mean, *bounds
    low, high = bounds
    if math.isfinite(high - low):
        below = bounded_gap((scores - low).numpy(), weight.numpy(), high - low, alpha / 2)
        above = bounded_gap((high - scores).numpy(), weight.numpy(), high - low, alpha / 2)
        return mean, min(mean, low + below), max(mean, high - above)
    residual = weight * (scores - mean)
    spread = math.sqrt(float(residual.square().sum()) * n) / float(weight.sum())
    # Equal scores have a mean that may differ from them in the last bits.
    if n == 1 or spread <= 1e-12 * (abs(mean) + 1):
        return mean, *bounds
    half = student(n - 1, alpha) * spread / math.sqrt(n - 1)
    return mean, max(low, mean - half), min(high, mean + half)


def mean_difference(
    scores: Tensor,
    before: Tensor,
    weight: Tensor | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
    alpha: float = ALPHA,
) -> tuple[float, float, float]:
    """(difference, low, high) of two mean scores of the same samples, paired: [n] and [n].

    The interval of `mean_interval` for the differences. Of scores without bounds (0, 0, 0) where
    none has changed: how rare, and how large, an unseen change is can't be told of those.
    """
    width = bounds[1] - bounds[0]
    if not math.isfinite(width) and bool((scores == before).all()) and len(scores):
        return 0.0, 0.0, 0.0
    return mean_interval(scores.double() - before.double(), weight, (-width, width), alpha)


def bounded_gap(
    gaps: NDArray[np.float64], weight: NDArray[np.float64], width: float, alpha: float
) -> float:
    """The least that a mean Σw·gap/Σw can be: the true one is below it in `alpha` of all samples.

    gaps: of each sample to an end of its bounds, in 0..width. The bound of Gaffke 2005
    (Learned-Miller & Thomas 2019, arXiv:1905.06208): the alpha quantile of ΣEw·gap / ΣEw, E
    exponential, with one more sample, as heavy as the heaviest, at the end itself. Of scores that
    are right or wrong it is Clopper and Pearson's; in general it is conjectured to hold, and
    no simulation has found a case where it does not. The quantile, exact where all are equal, is
    that of Lugannani & Rice 1980, 1 to 5 % of alpha to the safe side. Samples are independent, what
    is within one is not.
    """
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha must be in (0, 0.5), got {alpha}")
    pairs, many = np.unique(np.stack([gaps / width, weight]), axis=1, return_counts=True)
    gaps, weight = np.clip(pairs[0], 0.0, 1.0), pairs[1] / pairs[1].max()
    mean = float((many * weight * gaps).sum() / (many * weight).sum())
    if mean <= 0:
        return 0.0
    if len(many) == 1:
        return width * mean * float(alpha ** (1 / many[0]))
    many = np.append(many, 1)

    def beyond(share: float) -> float:
        terms = np.append(weight * (share * mean - gaps), share * mean)
        return _above_zero(terms, many) - alpha

    return width * mean * float(brentq(beyond, 1e-12, 1.0, xtol=1e-13, rtol=1e-10))


def student(freedom: int, alpha: float = ALPHA) -> float:
    """The 1 − alpha/2 quantile of Student's t."""
    return float(stdtrit(freedom, 1 - alpha / 2))


def fewest(lose: float, alpha: float = ALPHA / 2, width: float = 1.0) -> int:
    """How many samples at least must be unchanged to be sure that no more than `lose` is lost.

    width: between the least and the most that a score can be. Of so many samples, all unchanged,
    `bounded_gap` leaves a loss of `lose` and no more: (1 − lose/width)ⁿ = alpha.
    """
    return math.ceil(math.log(alpha) / math.log1p(-lose / width)) if lose < width else 1


def _above_zero(terms: NDArray[np.float64], many: NDArray[np.int64]) -> float:
    """P(Σ terms·E > 0), E exponential, each term as often as `many` says; 1 where its mean is."""
    terms = terms / terms.max()
    if not float((many * terms).sum()) < 0:
        return 1.0

    def slope(t: float) -> float:
        return float((many * terms / (1 - t * terms)).sum())

    saddle = float(brentq(slope, 0.0, 1 - 1e-13, xtol=1e-14))
    rest = 1 - saddle * terms
    r = math.sqrt(max(2 * float((many * np.log(rest)).sum()), 0.0))
    v = saddle * math.sqrt(float((many * np.square(terms / rest)).sum()))
    if r < 1e-3 or v <= 0:
        return 0.5
    density = math.exp(-r * r / 2) / math.sqrt(2 * math.pi)
    return float(ndtr(-r)) + density * (1 / v - 1 / r)
