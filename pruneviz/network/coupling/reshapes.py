"""Which dimensions of a reshaped tensor are which of the one before?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from pruneviz.network.coupling.atoms import Dims
from pruneviz.network.coupling.sites import Sites

Block = tuple[list[int], list[int]]
_MIXED = "a reshape mixes it with other units"


def reshape(sites: Sites, dims: Dims, old: Sequence[int], new: Sequence[int], site: str) -> Dims:
    """The dimensions of a tensor of shape `old` seen in shape `new`, rows first.

    Dimensions that fall apart or grow together become sites; where factors overlap the units
    must stay.
    """
    result: Dims = [None] * len(new)
    for places, targets in _blocks(old, new):
        inner_dims = [dims[place] for place in places]
        if all(ids is None for ids in inner_dims):
            continue
        runs = _runs([old[p] for p in places], [new[t] for t in targets])
        if runs is None:
            for ids in inner_dims:
                sites.atoms.forbid(ids, _MIXED)
            continue
        factors: Dims = []
        sizes: list[int] = []
        for place, ids, run in zip(places, inner_dims, runs[0], strict=True):
            parts = [ids] if len(run) == 1 else sites.split(ids, run, f"{site}/{place}")
            factors += parts
            sizes += run
        for target, run in zip(targets, runs[1], strict=True):
            part, factors = factors[: len(run)], factors[len(run) :]
            result[target] = (
                part[0] if len(run) == 1 else sites.merge(part, run, f"{site}>{target}")
            )
    return result


def _blocks(old: Sequence[int], new: Sequence[int]) -> list[Block]:
    """The shortest runs of dimensions, larger than one, that hold the same entries."""
    places = [place for place, size in enumerate(old) if size != 1]
    right = [place for place, size in enumerate(new) if size != 1]
    blocks: list[Block] = []
    i = j = 0
    while i < len(places) and j < len(right):
        begin, start = i, j
        a, b = old[places[i]], new[right[j]]
        i, j = i + 1, j + 1
        while a != b and (i < len(places) if a < b else j < len(right)):
            if a < b:
                a, i = a * old[places[i]], i + 1
            else:
                b, j = b * new[right[j]], j + 1
        blocks.append((places[begin:i], right[start:j]))
    return blocks


def _runs(old: list[int], new: list[int]) -> tuple[list[list[int]], list[list[int]]] | None:
    """The common factors of both, as runs for each dimension; None where they overlap."""
    ends = [np.cumprod(sizes).tolist() for sizes in (old, new)]
    cuts = [1, *sorted({*ends[0], *ends[1]})]
    if ends[0][-1] != ends[1][-1] or any(b % a for a, b in pairwise(cuts)):
        return None
    runs = []
    for sizes in ends:
        start, parts = 1, []
        for end in sizes:
            inside = [c for c in cuts if start <= c <= end]
            parts.append([b // a for a, b in pairwise(inside)])
            start = end
        runs.append(parts)
    return runs[0], runs[1]
