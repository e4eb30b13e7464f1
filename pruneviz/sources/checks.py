"""Is what came in fit to be pruned and measured?"""

from __future__ import annotations

import torch
from torch import Tensor

from pruneviz.replica import state
from pruneviz.sources import Source


def check_source(source: Source) -> None:
    """ValueError naming the weight, the data or the label that does not fit."""
    for name, tensor in state(source.model).items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ValueError(
                f"weights {name!r} hold NaN or infinite values; load weights that are whole"
            )
    if len(source.validation) == 0:
        raise ValueError(f"{source.name}: validation data is empty; give at least one sample")
    for data in (source.calibration, source.validation):
        check_targets(data.targets, len(source.classes), "the classes named")


def check_targets(targets: Tensor, bound: int, what: str) -> None:
    """ValueError with the first target outside 0..bound-1; `what` says what sets the bound."""
    outside = targets[(targets < 0) | (targets >= bound)]
    if len(outside):
        raise ValueError(
            f"targets must be in 0..{bound - 1}, {what}; got {int(outside[0])}. "
            "Check the labels, or open a network with more outputs"
        )
