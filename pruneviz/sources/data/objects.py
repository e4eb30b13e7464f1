"""Are targets objects in pictures, a list of boxes for each sample?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

_BOXES = ("boxes", "bbox", "bboxes", "masks", "keypoints")
_ADVICE = (
    "which no measure here takes: pad them to one tensor [samples, most boxes, numbers] and give "
    "metric=, your own function of outputs and targets; or leave the targets out, and answers are "
    "compared with those of the dense network"
)


def refuse_objects(targets: object) -> None:
    """ValueError for targets of a detector: a mapping with boxes, or as many as there are objects.

    targets: one for each sample; tensors of one shape pass.
    """
    if not isinstance(targets, list | tuple) or not targets:
        return
    first = targets[0]
    if isinstance(first, Mapping):
        names = [name for name in first if name in _BOXES] or [*map(str, first)]
        raise ValueError(f"targets hold {', '.join(names[:5])} for each sample, {_ADVICE}")
    tables = [each for each in targets if isinstance(each, Tensor | np.ndarray)]
    shapes = {tuple(each.shape) for each in tables}
    ragged = len(shapes) > 1 and all(len(shape) == 2 for shape in shapes)
    if ragged and len(tables) == len(targets):
        raise ValueError(f"targets are lists of boxes, as many as a sample has, {_ADVICE}")
