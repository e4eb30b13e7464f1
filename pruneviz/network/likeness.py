"""How far apart are the answers of two networks?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

TOLERANCE = 1e-5
_TIES = 1e-3  # of an output's whole numbers may differ
_BLOCK = 2**20  # numbers that are compared at a time


@dataclass
class _Output:
    """Of one output so far. dtype: of the floats in it, None where it holds whole numbers."""

    largest: float = 0.0
    apart: float = 0.0
    differing: int = 0
    count: int = 0
    dtype: torch.dtype | None = None

    @property
    def difference(self) -> float:
        """The largest, relative to the largest number."""
        tiny = torch.finfo(self.dtype or torch.float64).tiny
        return self.apart / max(self.largest, tiny)

    @property
    def share(self) -> float:
        """Of the whole numbers, those that differ."""
        return self.differing / max(1, self.count)


class Likeness:
    """How far apart answers lie, over all that was added; nothing of them is held."""

    def __init__(self) -> None:
        self._outputs: dict[str, _Output] = {}

    def add(self, reference: Mapping[str, Tensor], got: Mapping[str, Tensor]) -> None:
        """Take in the outputs of a batch, by name; ValueError where they cannot be compared: other
        names or shapes, numbers that are broken on one side alone.
        """
        if list(reference) != list(got):
            raise ValueError(f"it answers with {', '.join(got)}, not with {', '.join(reference)}")
        for name, tensor in reference.items():
            try:
                _add(self._outputs.setdefault(name, _Output()), tensor, got[name])
            except ValueError as error:
                raise ValueError(self._output_text(name, str(error), len(reference))) from None

    @property
    def difference(self) -> float:
        """The largest of any output, relative to its largest number."""
        return max((one.difference for one in self._outputs.values()), default=0.0)

    @property
    def dtypes(self) -> frozenset[torch.dtype]:
        """Of the outputs that hold floats."""
        return frozenset(one.dtype for one in self._outputs.values() if one.dtype is not None)

    def wrong(self, allowed: float | None = None) -> str | None:
        """What is wrong with what was added; None where nothing.

        allowed: relative difference; None: `tolerance` of each output's dtype.
        """
        for name, one in self._outputs.items():
            # A tie of two scores may fall either way.
            if one.share > _TIES:
                words = f"{one.share:.0%} of its whole numbers differ"
                return self._output_text(name, words, len(self._outputs))
            limit = tolerance(one.dtype) if allowed is None and one.dtype else allowed
            if limit is not None and not one.difference < limit:
                words = (
                    f"its answers differ by {one.difference:.0e} from those of the masked network"
                )
                return self._output_text(name, words, len(self._outputs))
        return None

    def _output_text(self, name: str, words: str, outputs: int) -> str:
        return words if outputs == 1 else f"output {name!r}: {words}"


def difference(reference: Tensor, got: Tensor) -> float:
    """The largest difference of two answers, relative to the largest number in the first."""
    likeness = Likeness()
    likeness.add({"": reference}, {"": got})
    return likeness.difference


def tolerance(dtype: torch.dtype, least: float = TOLERANCE) -> float:
    """How far apart two answers may lie that are the same: a few steps of short number formats."""
    return max(least, 4 * torch.finfo(dtype).eps)


def _add(one: _Output, reference: Tensor, got: Tensor) -> None:
    reference, got = reference.detach(), got.detach()  # a parameter may be answered with
    if got.shape != reference.shape:
        raise ValueError(f"it answers in shape {tuple(got.shape)}, not {tuple(reference.shape)}")
    if not reference.is_floating_point() and not reference.is_complex():
        one.differing += int((reference != got).sum())
        one.count += reference.numel()
        return
    if reference.is_complex():
        reference, got = torch.view_as_real(reference), torch.view_as_real(got)
    one.dtype = reference.dtype
    reference, got = reference.flatten(), got.flatten()
    for start in range(0, len(reference), _BLOCK):
        _add_floats(one, *(numbers[start : start + _BLOCK] for numbers in (reference, got)))


def _add_floats(one: _Output, reference: Tensor, got: Tensor) -> None:
    whole = torch.isfinite(reference)
    if not torch.equal(whole, torch.isfinite(got)):
        raise ValueError("its answers are broken in other places than those of the masked network")
    if bool(whole.any()):
        if not bool(whole.all()):
            reference, got = reference[whole], got[whole]
        one.largest = max(one.largest, float(reference.abs().max()))
        one.apart = max(one.apart, float((reference.double() - got.double()).abs().max()))
