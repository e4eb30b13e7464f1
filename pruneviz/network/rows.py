"""Where among the rows that a layer is given are those of each sample?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_NEAR = 1e-3  # of the largest number: a row in another place of a batch differs in its last bits


@dataclass(frozen=True)
class Layout:
    """Rows as [outer, samples, inner], flattened: inner 3 where a sample's 3 frames lie together,
    outer 3 where the first frames of all samples come before the second ones.
    """

    outer: int
    inner: int

    def fits(self, rows: int, n: int) -> bool:
        """Whether so many rows are n samples laid out so."""
        return rows == self.outer * n * self.inner


def find_layout(rows: Tensor, rolled: Tensor, n: int) -> Layout | None:
    """The layout of rows [rows, ...] of n samples, or None where none fits.

    rolled: the same rows where the last sample was sent first: those of a sample have moved with
    it.
    """
    if rows.shape != rolled.shape or len(rows) % n or not len(rows):
        return None
    each = len(rows) // n
    least, place = float("inf"), None
    for outer in (k for k in range(1, each + 1) if each % k == 0):
        forecast = torch.unflatten(rows, 0, (outer, n, -1)).roll(1, 1).flatten(0, 2)
        apart = float((forecast - rolled).abs().max())
        if apart < least:
            least, place = apart, Layout(outer, each // outer)
    return place if least <= _NEAR * float(rows.abs().max()) else None
