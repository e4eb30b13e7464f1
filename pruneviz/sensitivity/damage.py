"""How much damage does each slider do by itself?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from pruneviz.plan import pattern
from pruneviz.sensitivity.curves import Curve, Curves, Point
from pruneviz.sensitivity.taylor import LEVELS

Table = NDArray[np.float64]

_WORST = 20.0  # of a logarithm, where the loss is not finite
_SMALL = 1e-6


def features_of(
    curves: Curves, bounds: tuple[float, float], rises: Mapping[str, Table]
) -> dict[str, dict[str, Table]]:
    """Feature -> slider -> [101], its damage with the slider at k/100; >= 0 and never falling.

    "score": what the score loses. "odds": what its log-odds lose, where it is a fraction. "loss":
    the rise of the log of the loss. "taylor": `rises`, where they could be told. Measured points
    are made monotone (isotonic regression); a slider without points does no damage.
    """
    measures: dict[str, Callable[[Point], float]] = {"score": score_lost, "loss": loss_risen}
    if bounds == (0.0, 1.0):
        measures["odds"] = odds_lost
    n_m = pattern(curves.plan.granularity) is not None
    features = {
        name: {c.slider.name: _table(c, measure, n_m) for c in curves.curves}
        for name, measure in measures.items()
    }
    if rises:
        none = np.zeros(len(LEVELS))
        features["taylor"] = {c.slider.name: rises.get(c.slider.name, none) for c in curves.curves}
    return features


def score_lost(point: Point) -> float:
    """What the score loses."""
    return point.dense_accuracy - point.accuracy


def odds_lost(point: Point) -> float:
    """What the odds of a right answer lose, as logarithms; the score is a fraction."""
    return _log_odds(point.dense_accuracy, point.n) - _log_odds(point.accuracy, point.n)


def _log_odds(share: float, n: int) -> float:
    """Half an answer is added to either side, so that none and all have some, too."""
    return math.log((share * n + 0.5) / ((1 - share) * n + 0.5))


def loss_risen(point: Point) -> float:
    """By how much the loss rises, as a logarithm."""
    if not math.isfinite(point.loss):
        return _WORST
    rise = math.log(max(point.loss, _SMALL) / max(point.dense_loss, _SMALL))
    return min(rise, _WORST) if math.isfinite(rise) else 0.0


def _table(curve: Curve, measure: Callable[[Point], float], n_m: bool) -> Table:
    """Between the points in a straight line; beyond the last one as steep as before it."""
    if not curve.points:
        return np.zeros(len(LEVELS))
    got = np.array([0.0, *(point.got for point in curve.points)])
    damage = np.array([0.0, *(measure(point) for point in curve.points)])
    damage = np.maximum(isotonic_regression(np.nan_to_num(damage)).x, 0.0)
    damage[0] = 0.0
    if n_m:  # nothing below half of its only level, and all of it from there on
        return np.where(got[-1] / 2 <= LEVELS, damage[-1], 0.0)
    if got[-1] < 1:
        slope = (damage[-1] - damage[-2]) / max(got[-1] - got[-2], _SMALL)
        got = np.append(got, 1.0)
        damage = np.append(damage, damage[-1] + slope * (1 - got[-2]))
    items = curve.slider.items
    return np.asarray(np.interp(np.round(LEVELS * items) / items, got, damage))
