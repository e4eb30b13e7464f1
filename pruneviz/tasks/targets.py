"""What do targets hold, and how do they come into one form?"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from pruneviz.data import IGNORED

_AT_ONCE = 1 << 22  # numbers looked at in one go: what is mapped from a file need not be loaded


def zeros_and_ones(targets: Iterable[Tensor]) -> tuple[bool, bool]:
    """(whether all numbers are 0 or 1, whether both occur); a position may be left out by -100."""
    zero = one = False
    for part in (part for each in targets for part in _parts(each)):
        nought, unit = part == 0, part == 1
        is_binary = nought | unit
        if part.ndim > 1:
            is_binary |= part == IGNORED
        if not bool(is_binary.all()):
            return False, False
        zero, one = zero or bool(nought.any()), one or bool(unit.any())
    return True, zero and one


def one_hot(targets: Iterable[Tensor], axis: int) -> bool:
    """Whether all are zeros and ones, with a single 1 along `axis` of at least two."""
    targets = list(targets)
    if any(each.ndim < 2 or each.shape[axis] < 2 for each in targets):
        return False
    parts = (part for each in targets for part in _parts(each))
    return all(
        bool(((part == 0) | (part == 1)).all()) and bool((part.sum(axis) == 1).all())
        for part in parts
    )


def whole(targets: Iterable[Tensor]) -> bool:
    """Whether all numbers are whole."""
    return all(
        not part.is_floating_point() or bool((part == part.round()).all())
        for each in targets
        for part in _parts(each)
    )


def as_classes(targets: Tensor) -> Tensor:
    """int64 [n] of numbers [n] or [n, 1], or of one-hot rows [n, classes]."""
    if targets.ndim == 2:
        targets = targets[:, 0] if targets.shape[1] == 1 else targets.argmax(1)
    return targets.long()


def as_binary(targets: Tensor) -> Tensor:
    """int64 [n] of zeros and ones [n] or [n, 1]."""
    return targets.reshape(len(targets)).long()


def as_positions(axis: int, ndim: int, targets: Tensor) -> Tensor:
    """int64 [n, positions] for outputs of `ndim` dimensions, classes on `axis`.

    Of numbers; of numbers with a dimension of one where the outputs have classes; of one-hot ones.
    """
    if targets.ndim < ndim:
        return targets.long()
    single = targets.shape[axis] == 1
    return (targets.squeeze(axis) if single else targets.long().argmax(axis)).long()


def as_skills(targets: Tensor) -> Tensor:
    """int64 [n, words, 2]: the word that follows, and its skill, 0 also where none follows."""
    targets = targets.long()
    return torch.stack(
        [targets[..., 0], targets[..., 1].masked_fill(targets[..., 0] == IGNORED, 0)], -1
    )


def as_labels(shape: tuple[int, ...], targets: Tensor) -> Tensor:
    """Zeros and ones [n, *shape] as float32."""
    return targets.float().reshape(len(targets), *shape)


def as_values(targets: Tensor) -> Tensor:
    """The targets as floats."""
    return targets if targets.is_floating_point() else targets.float()


def _parts(targets: Tensor) -> Iterable[Tensor]:
    step = max(1, _AT_ONCE * len(targets) // max(1, targets.numel()))
    return torch.split(targets, step)
