"""How sure can one be of what was measured on a sample?"""

from __future__ import annotations

import math

import torch
from torch import Tensor

Z95 = 1.959963984540054


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
    scores: Tensor, weight: Tensor | None = None, bounds: tuple[float, float] = (0.0, 1.0)
) -> tuple[float, float, float]:
    """(mean, low, high): the mean Σws/Σw of scores [n], and its 95 % interval.

    Student's t on the linearised ratio: Var = n/(n−1) · Σw²(s − mean)² / (Σw)² (Cochran 1977,
    Sampling Techniques, §6.4; with equal weights the plain t-interval), n the samples of weight
    above zero. A single score, or equal ones however few, would seem certain: then it is Wilson's
    interval between finite `bounds`, and else all of `bounds`, as where a score is not finite.
    The interval never leaves `bounds`. (NaN, low, high) where nothing counts.
    """
    scores = scores.double()
    weight = torch.ones_like(scores) if weight is None else weight.double()
    counted = weight > 0
    scores, weight = scores[counted], weight[counted]
    n = len(scores)
    mean = float((scores * weight).sum() / weight.sum()) if n else math.nan
    if not math.isfinite(mean):
        return mean, *bounds
    residual = weight * (scores - mean)
    spread = math.sqrt(float(residual.square().sum()) * n) / float(weight.sum())
    # Equal scores have a mean that may differ from them in the last bits.
    if n == 1 or spread <= 1e-12 * (abs(mean) + 1):
        return mean, *_unvaried(mean, n, bounds)
    half = student(n - 1) * spread / math.sqrt(n - 1)
    return mean, max(bounds[0], mean - half), min(bounds[1], mean + half)


def mean_difference(
    scores: Tensor,
    before: Tensor,
    weight: Tensor | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> tuple[float, float, float]:
    """(difference, low, high) of two mean scores of the same samples, paired: [n] and [n].

    The interval of `mean_interval` for the differences. (0, 0, 0) where no score has changed:
    how rare a change would have to be to stay unseen is not known of scores that can be anything.
    """
    if bool((scores == before).all()) and len(scores):
        return 0.0, 0.0, 0.0
    width = bounds[1] - bounds[0]
    return mean_interval(scores.double() - before.double(), weight, (-width, width))


def student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t, within 1e-8 of itself.

    Abramowitz & Stegun 1964, 26.7.5 (Fisher's expansion); up to 60 degrees of freedom by halving.
    """
    if freedom > 60:
        z, v = Z95, freedom
        return (
            z
            + (z**3 + z) / (4 * v)
            + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
            + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
            + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4)
        )
    low, high = Z95, 13.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _inside(middle, freedom) < 0.95 else (low, middle)
    return (low + high) / 2


def _inside(t: float, freedom: int) -> float:
    """P(|T| < t); Abramowitz & Stegun 1964, 26.7.3 and 26.7.4."""
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = total = cosine if odd else 1.0
    for k in range(2 + odd, freedom, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    if odd:
        return 2 / math.pi * (angle + (sine * total if freedom > 1 else 0.0))
    return sine * total


def _unvaried(mean: float, n: int, bounds: tuple[float, float]) -> tuple[float, float]:
    low, high = bounds
    if not math.isfinite(high - low):
        return bounds
    width = high - low
    share = min(1.0, max(0.0, (mean - low) / width))
    below, above = wilson(share * n, n)
    return low + width * below, low + width * above
