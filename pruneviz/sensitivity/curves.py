"""How much does each layer bear, cut alone?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from pruneviz.measuring.evaluate import Evaluation
from pruneviz.measuring.intervals import ALPHA
from pruneviz.measuring.looks import surely
from pruneviz.plan import Plan
from pruneviz.pruning.sliders import Slider

LOSE = 0.01  # of the score; one point


@dataclass(frozen=True)
class Point:
    """One slider at one level, everything else dense, measured on the first n samples.

    sparsity: asked; got: the fraction of the slider's items that went. sure_low, sure_high: of the
    change, what verdicts rest on: each is wrong in at most 2.5 % of all scans, however often a
    scan looks (see `looks`); the paired interval by default. The rest as in `Evaluation`.
    """

    sparsity: float
    got: float
    n: int
    accuracy: float
    low: float
    high: float
    delta: float
    delta_low: float
    delta_high: float
    loss: float
    dense_accuracy: float
    dense_loss: float
    sure_low: float = math.nan
    sure_high: float = math.nan

    def __post_init__(self) -> None:
        if math.isnan(self.sure_low) or math.isnan(self.sure_high):
            object.__setattr__(self, "sure_low", self.delta_low)
            object.__setattr__(self, "sure_high", self.delta_high)

    @property
    def half(self) -> float:
        """Half the width of the paired interval."""
        return (self.delta_high - self.delta_low) / 2

    def fine(self, precision: float) -> bool:
        """Whether the interval is narrow enough (± precision, or ± an eighth of a larger change)
        and tells whether more than a point is lost.
        """
        decided = self.sure_low >= -LOSE or self.sure_high < -LOSE
        return decided and self.half <= max(precision, abs(self.delta) / 8)


@dataclass(frozen=True)
class Curve:
    """One slider's points by rising sparsity, as far as they are known.

    no_op: why nothing could be cut, else "": such a curve says nothing about robustness.
    """

    slider: Slider
    points: tuple[Point, ...]
    no_op: str = ""

    def at(self, sparsity: float) -> tuple[float, float, float]:
        """(delta, low, high) at a sparsity, between its points in a straight line from zero."""
        xs = [0.0, *(point.sparsity for point in self.points)]
        rows = [(0.0, 0.0, 0.0), *((p.delta, p.delta_low, p.delta_high) for p in self.points)]
        delta, low, high = (float(np.interp(sparsity, xs, ys)) for ys in zip(*rows, strict=True))
        return delta, low, high

    def robust(self, lose: float = LOSE) -> float | None:
        """The highest level up to which every point surely loses no more than `lose`.

        Wrong in at most 2.5 % of scans: the levels are tested upwards, to the first that fails
        (a fixed sequence; Maurer et al. 1995). 0 where the first point may lose more; None where
        nothing could be cut.
        """
        if not self.points:
            return None
        level = 0.0
        for point in self.points:
            if not point.sure_low >= -lose:
                break
            level = point.sparsity
        return level

    def certain(self, lose: float = LOSE) -> float | None:
        """The lowest level from which every point surely loses more than `lose`, or None.

        Wrong in at most 2.5 % of scans, as `robust`, with the levels tested downwards.
        """
        level = None
        for point in reversed(self.points):
            if not point.sure_high < -lose:
                break
            level = point.sparsity
        return level

    def loses(self, lose: float = LOSE) -> float | None:
        """The lowest level at which a loss of more than `lose` is sure, whatever lies above it.

        A change that is no finite number is a loss, too.
        """
        for point in self.points:
            if point.sure_high < -lose or not math.isfinite(point.delta):
                return point.sparsity
        return None

    @property
    def area(self) -> float:
        """The mean change over all sparsities up to the last point: the area under the curve.

        Between points in a straight line from zero; −inf where a change is no finite number.
        """
        area = before = last = 0.0
        for point in self.points:
            area += (point.sparsity - last) * (point.delta + before) / 2
            before, last = point.delta, point.sparsity
        return area / last if last and math.isfinite(area) else -math.inf

    def sensitivity(self, lose: float = LOSE) -> tuple[float, float]:
        """What curves are ranked by, the most sensitive first: where a loss is sure, then `area`.

        So a layer that may lose, for all one knows, never comes before one that surely does at a
        level at which the first surely does not.
        """
        level = self.loses(lose)
        return math.inf if level is None else level, self.area

    def bears(self, lose: float = LOSE) -> str:
        """What is sure of it in words; "at least": the next point does not tell."""
        robust, loses = self.robust(lose), self.loses(lose)
        if not robust:
            return "no certain loss" if loses is None else f"certain loss at {100 * loses:.0f} %"
        after = next((p for p in self.points if p.sparsity > robust), None)
        open_ = after is not None and not after.sure_high < -lose
        return f"robust to {100 * robust:.0f} %" + (" at least" if open_ else "")

    @property
    def knee(self) -> float | None:
        """The level at which the curve bends most, or None where it never loses two points.

        Farthest above the line between its ends (Satopaa et al. 2011, Kneedle); None also where
        it falls at once, and lies above that line nowhere.
        """
        if len(self.points) < 2 or not self.points[-1].delta <= -2 * LOSE:
            return None
        end = self.points[-1]

        def above(point: Point) -> float:
            return point.delta / -end.delta + point.sparsity / end.sparsity

        bend = max(self.points[:-1], key=above)
        return bend.sparsity if above(bend) > 0 else None


@dataclass(frozen=True)
class Curves:
    """The curves of all sliders of a network, for one criterion, granularity and repair.

    plan: those choices, nothing cut. of: how many validation samples there are. precision: half
    the width that intervals were to have. spent: how many samples were answered for these points
    in all, also earlier. complete: whether every point is fine or has seen all samples. words:
    how it ended.
    """

    plan: Plan
    curves: tuple[Curve, ...]
    of: int
    precision: float
    spent: int
    complete: bool
    words: str

    @cached_property
    def by_name(self) -> dict[str, Curve]:
        """Slider's name -> its curve."""
        return {curve.slider.name: curve for curve in self.curves}

    def of_layer(self, layer: str) -> Curve | None:
        """The curve of the slider that moves this layer, or None."""
        return next((c for c in self.curves if layer in c.slider.layers), None)

    def ranked(self, lose: float = LOSE) -> tuple[Curve, ...]:
        """Curves with points, the most sensitive first; see `Curve.sensitivity`."""
        if lose not in self._orders:
            measured = [curve for curve in self.curves if curve.points]
            self._orders[lose] = tuple(sorted(measured, key=lambda curve: curve.sensitivity(lose)))
        return self._orders[lose]

    @cached_property
    def _orders(self) -> dict[float, tuple[Curve, ...]]:
        """What was ranked once; asked for each layer it would be quadratic."""
        return {}

    def words_of(self, layer: str, lose: float = LOSE) -> str:
        """A layer's rank in a few words: "most sensitive", "robust to 70 %", "not scanned".

        The first in rank is the most sensitive only where its loss is certain.
        """
        curve = self.of_layer(layer)
        if curve is None:
            return "not scanned"
        if not curve.points:
            return "nothing could be cut" if curve.no_op else "not scanned"
        order = self.ranked(lose)
        if len(order) > 1 and curve is order[0] and curve.loses(lose) is not None:
            return "most sensitive"
        return curve.bears(lose)

    @property
    def table(self) -> pd.DataFrame:
        """One row a point: layer, layers, sparsity, got, n, accuracy, low, high, delta, delta_low,
        delta_high, sure_low, sure_high, loss, dense_loss, fine, no_op. A slider without points has
        one row, of NaN.
        """
        rows = []
        for curve in self.curves:
            head = {"layer": curve.slider.name, "layers": ", ".join(curve.slider.layers)}
            for point in curve.points:
                values = {name: getattr(point, name) for name in _COLUMNS}
                rows.append(head | values | {"fine": point.fine(self.precision), "no_op": ""})
            if not curve.points:
                rows.append(head | {"n": 0, "fine": False, "no_op": curve.no_op})
        columns = ["layer", "layers", *_COLUMNS, "fine", "no_op"]
        return pd.DataFrame(rows, columns=columns)


_COLUMNS = (
    *("sparsity", "got", "n", "accuracy", "low", "high"),
    *("delta", "delta_low", "delta_high", "sure_low", "sure_high", "loss", "dense_loss"),
)


def point_of(
    sparsity: float, got: float, result: Evaluation, dense: Evaluation, alpha: float = ALPHA / 2
) -> Point:
    """The point that an evaluation gives; `dense` of the same samples.

    alpha: by how much its verdicts may err at this look, to each side.
    """
    sure_low, sure_high = surely(result, dense, alpha)
    change = result.from_start
    return Point(
        sparsity=sparsity,
        got=got,
        n=result.n,
        accuracy=result.accuracy,
        low=result.low,
        high=result.high,
        delta=change.delta,
        delta_low=change.low,
        delta_high=change.high,
        loss=result.loss,
        dense_accuracy=dense.accuracy,
        dense_loss=dense.loss,
        sure_low=sure_low,
        sure_high=sure_high,
    )
