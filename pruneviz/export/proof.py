"""Does what was read back from a file answer as the network on the screen does?"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from pruneviz.data import Inputs
from pruneviz.export.subject import Subject
from pruneviz.measuring.sizes import ties
from pruneviz.network.forward_pass import call_all
from pruneviz.network.likeness import Likeness, tolerance
from pruneviz.network.replica import replica

TOLERANCE = 1e-4
_BLOCK = 2**23  # numbers that are compared at a time
_PARTS, _LEAST = 8, 2**25  # of a file, after each of which it is opened anew; bytes of one

Run = Callable[[Inputs], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Proof:
    """difference: the largest between answers, relative to the largest answer; None where a file
    holds nothing that answers. words: what was proved, for people.
    """

    difference: float | None
    words: str


def run_of(network: nn.Module) -> Run:
    """What a network that was read back answers to a part of the samples, all its outputs."""
    own = replica(network)

    def run(part: Inputs) -> Mapping[str, Tensor]:
        with torch.inference_mode():
            return {name: tensor.cpu() for name, tensor in call_all(own, part).items()}

    return run


def prove(subject: Subject, run: Run, words: str = "", *, alone: bool = False) -> Proof:
    """The proof that what `run` answers is what the screen shows; ValueError where it is not.

    Part after part of the samples, so that no more than one part's answers are held twice; each
    sample by itself where it is `alone`.
    """
    likeness = Likeness()
    for part, reference in subject.parts(alone=alone):
        got = run(part)
        likeness.add(reference, got)
        del reference, got  # before the next are made
    check(likeness)
    sentence = f"read back, answers alike on {subject.samples:,} samples"
    return Proof(likeness.difference, f"{sentence}; {words}" if words else sentence)


def check(likeness: Likeness) -> None:
    """ValueError where answers lie farther apart than rounding of their own format explains."""
    limit = max((tolerance(dtype, TOLERANCE) for dtype in likeness.dtypes), default=TOLERANCE)
    if likeness.wrong(limit) is not None:
        raise ValueError(
            "read back, it answers otherwise than the network on the screen: by "
            f"{likeness.difference:.1e} of the largest answer, where {limit:.1g} is allowed; it is "
            "not written"
        )


def load(subject: Subject, values: dict[str, Tensor]) -> nn.Module:
    """A network of the user's class with these tensors in it, every one of its own.

    A tied one may stand under its first name alone, as `safetensors.torch.load_model` takes it.
    """
    for name, first in ties(subject.overlay).items():
        if first in values:
            values.setdefault(name, values[first])
    empty = without_memory(subject.pruned.dense)
    empty.load_state_dict(values, strict=True, assign=True)
    return empty


def read_back(
    open_file: Callable[[], Mapping[str, Tensor]], shown: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The tensors of a file by name, as `reuse` gives them.

    open_file: the same, mapped into memory. What was looked at of a mapped file takes memory until
    the file is closed, so it is opened anew now and then.
    """
    tensors = dict(open_file())
    share = max(_LEAST, sum(tensor.nbytes for tensor in tensors.values()) // _PARTS)
    seen = 0

    def part(name: str, start: int) -> Tensor:
        nonlocal tensors, seen
        if seen > share:
            tensors, seen = dict(open_file()), 0
        numbers = tensors[name].reshape(-1)[start : start + _BLOCK]
        seen += numbers.nbytes
        return numbers

    values = {}
    for name in list(tensors):
        kind, like = (tensors[name].shape, tensors[name].dtype), shown.get(name)
        same = _same(like, kind, partial(part, name))
        values[name] = _beside(tensors[name], like) if same is None else same
    return values


def reuse(tensor: Tensor, like: Tensor | None) -> Tensor:
    """`like` where it has the very bits of `tensor`, else that tensor."""
    flat = tensor.reshape(-1)
    same = _same(like, (tensor.shape, tensor.dtype), lambda start: flat[start : start + _BLOCK])
    return _beside(tensor, like) if same is None else same


def _same(
    like: Tensor | None, kind: tuple[torch.Size, torch.dtype], part: Callable[[int], Tensor]
) -> Tensor | None:
    """`like` where it is of this shape and dtype, with the very bits of the parts, one at a time.

    part: what begins at a place in the numbers, of _BLOCK at most.
    """
    if like is None or (like.shape, like.dtype) != kind:
        return None
    own = like.detach().reshape(-1)
    for start in range(0, len(own), _BLOCK):
        block = own[start : start + _BLOCK]
        if not torch.equal(_bits(part(start).to(own.device)), _bits(block)):
            return None
    return like


def _bits(numbers: Tensor) -> Tensor:
    return numbers.contiguous().view(torch.uint8)


def _beside(tensor: Tensor, like: Tensor | None) -> Tensor:
    return tensor if like is None else tensor.to(like.device)


def without_memory(network: nn.Module) -> nn.Module:
    """A copy whose weights have shapes alone, so that one that is not loaded cannot answer."""
    state = network.state_dict(keep_vars=True)
    memo = dict(_stand_ins(state))
    return copy.deepcopy(network, memo).eval()


def _stand_ins(tensors: Mapping[str, object]) -> Iterator[tuple[int, object]]:
    for tensor in tensors.values():
        if isinstance(tensor, Tensor):
            shape = torch.empty_like(tensor, device="meta")
            parameter = nn.Parameter(shape, requires_grad=False) if _is_own(tensor) else shape
            yield id(tensor), parameter


def _is_own(tensor: Tensor) -> bool:
    return isinstance(tensor, nn.Parameter)
