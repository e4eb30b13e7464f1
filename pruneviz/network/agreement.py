"""Is it proved that two networks compute the same, as far as rounding lets anybody tell?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruneviz.data import Inputs
from pruneviz.network.double_precision import answer_in_double
from pruneviz.network.forward_pass import call_all, words_of
from pruneviz.network.likeness import Likeness
from pruneviz.network.replica import replica

_DOUBLE = 1e-9  # where all is computed in double, sums in another order differ by less
_DECISIVE = frozenset((torch.float32, torch.float64))
_BYTES = 2**25  # of answers that are compared at a time

Answer = Callable[[nn.Module, Inputs], dict[str, Tensor]]


@dataclass(frozen=True)
class Agreement:
    """How two networks were proved to answer alike.

    difference: the largest between answers, relative to the largest, in `precision` (float32,
    double, …). words: the same for people.
    """

    difference: float
    precision: str
    words: str


def agreement(model: nn.Module, small: nn.Module, inputs: Inputs) -> Agreement:
    """The proof that all outputs of `small` are those of `model`; ValueError says what is not.

    To 1e-5 of the largest answer in float32. Where that does not decide, because the network's own
    rounding is coarser or its numbers are shorter, to 1e-9 with all arithmetic in double.
    """
    with torch.inference_mode():
        own = _compare(model, small, inputs, lambda one, given: call_all(replica(one), given))
    name = (
        ", ".join(sorted(str(dtype).removeprefix("torch.") for dtype in own.dtypes)) or "integers"
    )
    apart, decisive = own.difference, own.dtypes <= _DECISIVE
    if decisive and own.wrong() is None:
        words = f"proved in {name}: answers differ by at most {apart:.0e} of the largest"
        return Agreement(apart, name, words)
    try:
        exact = _compare(model, small, inputs, answer_in_double)
    except Exception as error:  # an operation or a device that knows no double
        if not decisive and own.wrong() is None:
            words = (
                f"proved to the rounding of {name} alone: answers differ by at most {apart:.0e} of "
                f"the largest (no double precision: {words_of(error)})"
            )
            return Agreement(apart, name, words)
        raise ValueError(
            f"{own.wrong()}, and no double precision can tell whether that is rounding: "
            f"{words_of(error)}"
        ) from None
    wrong = exact.wrong(_DOUBLE)
    if wrong is not None:
        raise ValueError(own.wrong() or wrong)
    words = (
        f"proved in double precision: answers differ by at most {exact.difference:.0e} of the "
        f"largest (in {name}, by its own rounding, {apart:.0e})"
    )
    return Agreement(exact.difference, "double", words)


def pieces(inputs: Inputs, one: int) -> Iterator[Inputs]:
    """Inputs in parts whose answers take 32 MiB at most; one: bytes of the answer to a sample."""
    tensors = {"": inputs} if isinstance(inputs, Tensor) else inputs
    samples = max((len(tensor) for tensor in tensors.values()), default=0)
    step = max(1, _BYTES // max(1, one))
    for start in range(0, samples, step):
        # What is given once for all samples is no row of theirs.
        part = {n: t[start : start + step] if len(t) == samples else t for n, t in tensors.items()}
        yield part[""] if isinstance(inputs, Tensor) else part


def size_of(answer: dict[str, Tensor]) -> int:
    """Bytes of all outputs."""
    return sum(tensor.nbytes for tensor in answer.values())


def _compare(model: nn.Module, small: nn.Module, inputs: Inputs, answer: Answer) -> Likeness:
    """All outputs, compared; ValueError where the smaller one does not run or has others."""
    likeness, first = Likeness(), next(pieces(inputs, _BYTES))
    for part in pieces(inputs, size_of(answer(model, first))):
        reference = answer(model, part)
        try:
            got = answer(small, part)
        except Exception as error:  # the network's own code meets sizes that it never saw
            raise ValueError(words_of(error)) from None
        likeness.add(reference, got)
        del reference, got  # before the next are made
    return likeness
