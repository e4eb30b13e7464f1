"""Which items have the lowest scores, found without sorting more than is asked for?"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruneviz.storage.cache import Cache

_PART = 2**20  # items that are looked at together where memory would go otherwise


@dataclass(frozen=True)
class Threshold:
    """What scores less than `score` is cut, and of each part the first `ties` that tie with it."""

    score: float
    ties: tuple[int, ...]


class Order:
    """The items of one or several tensors of scores, lowest first; ties in the order given.

    The first mask takes a partition of the scores, the second one sorts them; ranks, for which
    the places of all items are to be sorted too, are made where somebody asks for them. NaN is
    above all other scores. Safe to share between threads.
    """

    def __init__(self, scores: Sequence[Tensor], ranks: Sequence[Tensor] | None = None) -> None:
        """ranks: int32, of the scores' shapes, where they are known already."""
        dtypes = {part.dtype for part in scores}
        common = reduce(torch.promote_types, dtypes, torch.float32)
        self._scores = [part if len(dtypes) == 1 else part.to(common) for part in scores]
        self._ranks = None if ranks is None else list(ranks)
        self._ascending: NDArray[np.floating] | Tensor | None = None
        self._thresholds: Cache[Threshold] = Cache(4)
        self._touched = False
        self._lock = threading.RLock()
        self.items = sum(part.numel() for part in scores)

    def mask(self, part: int, cut: int) -> Tensor:
        """Bool of a part's shape, True = kept, when the `cut` lowest of all go."""
        if self._ranks is None and self._has_nan:
            self.rank(part)
        if self._ranks is not None:
            return self._ranks[part] >= cut
        scores = self._scores[part]
        if not 0 < cut < self.items:
            return torch.full(scores.shape, cut <= 0, device=scores.device)
        with self._lock:
            limit = self._thresholds.get_or(cut, lambda: self._threshold(cut))
        kept = (scores >= limit.score).contiguous()
        if limit.ties[part]:
            _cut_first_(kept, scores, limit.score, limit.ties[part])
        return kept

    def rank(self, part: int) -> Tensor:
        """int32 of a part's shape: how many of all items are cut before each."""
        with self._lock:
            if self._ranks is None:
                self._ranks = _ranks(self._scores)
                self._ascending = None  # ranks tell all that it told
            return self._ranks[part]

    @cached_property
    def _has_nan(self) -> bool:
        # Of no items there is no largest one.
        return any(bool(part.max().isnan()) for part in self._scores if part.numel())

    def _threshold(self, cut: int) -> Threshold:
        """Where the `cut` lowest end; 0 < cut < items."""
        if self._scores[0].device.type != "cpu":
            score, ties = self._of_device(cut)
        elif self._touched:
            if self._ascending is None:
                self._ascending = _together(self._scores)
                self._ascending.sort()
            score = float(self._ascending[cut])
            ties = cut - int(np.searchsorted(self._ascending, self._ascending[cut]))
        else:
            self._touched = True
            values = _together(self._scores)
            values.partition(cut)
            score, ties = float(values[cut]), _equal(values[:cut], values[cut])
        return Threshold(score, self._share(score, ties))

    def _of_device(self, cut: int) -> tuple[float, int]:
        if self._ascending is None:
            self._ascending = torch.cat([part.flatten() for part in self._scores]).sort().values
        assert isinstance(self._ascending, Tensor)
        value = self._ascending[cut]
        return float(value), cut - int(torch.searchsorted(self._ascending, value))

    def _share(self, score: float, ties: int) -> tuple[int, ...]:
        """How many of the items that tie with `score` go in each part, `ties` in all."""
        shares = []
        for part in self._scores:
            here = min(ties, int((part == score).count_nonzero())) if ties else 0
            shares.append(here)
            ties -= here
        return tuple(shares)


def _together(scores: Sequence[Tensor]) -> NDArray[np.floating]:
    """A copy of all scores, one after the other."""
    values: NDArray[np.floating] = np.empty(
        sum(part.numel() for part in scores), scores[0].numpy().dtype
    )
    start = 0
    for part in scores:
        end = start + part.numel()
        values[start:end].reshape(part.shape)[...] = part.numpy()
        start = end
    return values


def _equal(values: NDArray[np.floating], score: np.floating) -> int:
    """How many of the values, none of which is larger, equal the score."""
    if values.max() < score:
        return 0
    parts = range(0, len(values), _PART)
    return sum(int(np.count_nonzero(values[at : at + _PART] == score)) for at in parts)


def _cut_first_(kept: Tensor, scores: Tensor, score: float, number: int) -> None:
    """Cut the first `number` items that have this score."""
    mask, flat = kept.view(-1), scores.reshape(-1)
    for start in range(0, len(flat), _PART):
        tie = flat[start : start + _PART] == score
        here = int(tie.count_nonzero())
        if here <= number:
            mask[start : start + _PART] &= ~tie
        else:
            mask[start + tie.nonzero().flatten()[:number]] = False
        number -= min(here, number)
        if not number:
            return


def _ranks(scores: Sequence[Tensor]) -> list[Tensor]:
    flat = [part.flatten() for part in scores]
    plain = flat[0].dtype == torch.float32 and flat[0].device.type == "cpu"
    if plain and sys.byteorder == "little":
        order = torch.from_numpy(_order(_together(flat)))
    else:
        order = torch.argsort(torch.cat(flat), stable=True)
    parts = torch.split(positions(order), [len(part) for part in flat])
    return [part.reshape(one.shape) for part, one in zip(parts, scores, strict=True)]


def positions(order: Tensor) -> Tensor:
    """The place of each item, int32, in the order of items [n] that is given."""
    rank = torch.empty(order.shape, dtype=torch.int32, device=order.device)
    # In parts: a big layer's positions need not all stand in memory a second time.
    for start in range(0, len(order), _PART):
        part = order[start : start + _PART].long()
        rank[part] = torch.arange(start, start + len(part), dtype=torch.int32, device=order.device)
    return rank


def _order(values: NDArray[np.floating]) -> NDArray[np.int32]:
    """The stable order of float32 values, which are overwritten; NaN last.

    Each value stands before its place in one number of 64 bits, and these numbers are sorted: that
    takes a third of the time and of the memory of sorting places by values.
    """
    values += 0.0  # -0.0 is 0.0
    values[np.isnan(values)] = np.nan  # one NaN is like another
    bits = values.view(np.int32)
    bits ^= (bits >> 31) & np.int32(0x7FFFFFFF)  # as floats, so integers: negative ones turned
    keys = np.empty(len(bits), np.int64)
    halves = keys.view(np.int32).reshape(-1, 2)
    halves[:, 1] = bits
    halves[:, 0] = np.arange(len(bits), dtype=np.int32)
    keys.sort()
    return halves[:, 0]
