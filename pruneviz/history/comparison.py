"""In what do two plans differ?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pruneviz.data import Data
from pruneviz.history.records import Measurement
from pruneviz.measuring.intervals import paired_difference
from pruneviz.measuring.ledger import Cost
from pruneviz.pruning.pruned import Pruned
from pruneviz.scale import SHARE

_COUNTS = {
    "accuracy": "accuracy",
    "loss": "loss",
    "parameters kept": "params_kept",
    "parameters left after removal": "params_shrunk",
    "multiply-accumulates": "macs_kept",
}
_UNKNOWN = (float("nan"),) * 3


@dataclass(frozen=True)
class PlanComparison:
    """Two plans side by side; every difference is the second minus the first.

    numbers: quantity, first, second, difference. layers: layer, total, first, second (weights
    kept), difference. classes: class, first, second (accuracy), difference. flipped: sample,
    target (-1: none), first, second (the classes answered): those answered differently of the
    first `n` samples, which both have answered. delta, low, high: of the accuracy on those, with
    its 95 % paired interval; NaN where there are no targets.
    """

    numbers: pd.DataFrame
    layers: pd.DataFrame
    classes: pd.DataFrame
    flipped: pd.DataFrame
    n: int
    delta: float
    low: float
    high: float


def compare(
    first: Measurement, second: Measurement, targets: NDArray[np.int64] | None = None
) -> PlanComparison:
    """What was measured of two plans on the same samples, side by side.

    targets: int64 [n or more], the class of each sample, where there is one.
    """
    numbers = [
        (words, float(getattr(first, name)), float(getattr(second, name)))
        for words, name in _COUNTS.items()
    ]
    was, now = _answers(first), _answers(second)
    n = min(len(was), len(now))
    delta, low, high = _difference(was[:n], now[:n], targets)
    return PlanComparison(
        numbers=_apart(pd.DataFrame(numbers, columns=["quantity", "first", "second"])),
        layers=_layers(first.layers, second.layers),
        classes=_classes(first.per_class, second.per_class),
        flipped=_flips(was[:n], now[:n], targets),
        n=n,
        delta=delta,
        low=low,
        high=high,
    )


def class_targets(data: Data) -> NDArray[np.int64] | None:
    """int64 [n], the class of each sample; None where a sample has none."""
    targets = data.targets
    if targets is None or targets.ndim != 1 or targets.is_floating_point():
        return None
    array: NDArray[np.int64] = targets.cpu().numpy().astype(np.int64)
    return array


def costs_apart(first: Cost, second: Cost) -> pd.DataFrame:
    """Ledger beside ledger: quantity, first, second, in words; one row a line of the ledger.

    Each is of the smallest network of its plan (shrunk, else masked), or of ONNX Runtime's.
    """
    sides = [_smallest(cost) for cost in (first, second)]
    rows = [(name, *(side.get(name, "") for side in sides)) for name in sides[0] | sides[1]]
    return pd.DataFrame(rows, columns=["quantity", "first", "second"])


def _smallest(cost: Cost) -> dict[str, str]:
    table = cost.readable.set_index("quantity")
    rows = [("network", "masked" if cost.shrunk is None else "shrunk")]
    for name, row in table.iterrows():
        rows.append((str(name), row["shrunk"] or row["masked"]))
        rows.append((f"{name}, ONNX Runtime", row["onnx runtime"]))
    return {name: words for name, words in rows if words}


def masks_apart(first: Pruned, second: Pruned) -> pd.DataFrame:
    """Layer by layer, how far two masks of one network are apart.

    layer, weights, differ (how many are kept by one alone), share (of all weights), jaccard (of
    the kept ones: kept by both over kept by either; 1 where neither keeps any).
    """
    rows = []
    for name, mask in first.masks.items():
        other = second.masks[name]
        differ = int((mask ^ other).count_nonzero())
        both, either = int((mask & other).count_nonzero()), int((mask | other).count_nonzero())
        rows.append((name, mask.numel(), differ, differ / mask.numel(), both / (either or 1)))
        if not either:
            rows[-1] = (name, mask.numel(), 0, 0.0, 1.0)
    return pd.DataFrame(rows, columns=["layer", "weights", "differ", "share", "jaccard"])


def _apart(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(difference=table["second"] - table["first"])


def _layers(
    first: Mapping[str, tuple[int, int]], second: Mapping[str, tuple[int, int]]
) -> pd.DataFrame:
    rows = [(name, of, kept, second[name][0]) for name, (kept, of) in first.items()
            if name in second and second[name][1] == of]  # fmt: skip
    return _apart(pd.DataFrame(rows, columns=["layer", "total", "first", "second"]))


def _classes(first: Mapping[str, float], second: Mapping[str, float]) -> pd.DataFrame:
    rows = [(name, share, second[name]) for name, share in first.items() if name in second]
    return _apart(pd.DataFrame(rows, columns=["class", "first", "second"]))


def _answers(record: Measurement) -> NDArray[np.int32]:
    return np.empty(0, np.int32) if record.answers is None else record.answers


def _flips(
    was: NDArray[np.int32], now: NDArray[np.int32], targets: NDArray[np.int64] | None
) -> pd.DataFrame:
    which = np.flatnonzero(was != now)
    meant = np.full(len(which), -1) if targets is None else targets[which]
    return pd.DataFrame(
        {"sample": which, "target": meant, "first": was[which], "second": now[which]}
    )


def _difference(
    was: NDArray[np.int32], now: NDArray[np.int32], targets: NDArray[np.int64] | None
) -> tuple[float, float, float]:
    if targets is None or not len(was) or len(targets) < len(was):
        return _UNKNOWN
    right, before = now == targets[: len(now)], was == targets[: len(was)]
    gains, losses = int((right & ~before).sum()), int((before & ~right).sum())
    return paired_difference(gains, losses, len(was))


def change_in_words(comparison: PlanComparison) -> str:
    """The change of the accuracy in points, with its interval where it can be told."""
    if math.isnan(comparison.delta):
        delta = float(comparison.numbers["difference"].iloc[0])
        return SHARE.change_text(delta) if math.isfinite(delta) else "cannot be told"
    span = SHARE.span_text(comparison.low, comparison.high)
    if comparison.low <= 0 <= comparison.high:
        return f"no measurable change ({span} points)"
    return f"{SHARE.change_text(comparison.delta)} ({span})"
