"""Does what was read back from a file answer as the network on the screen does?"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruneviz.data import Inputs
from pruneviz.export.subject import Subject
from pruneviz.measuring.sizes import ties
from pruneviz.network.calling import call_all
from pruneviz.network.likeness import Likeness, tolerance
from pruneviz.network.replica import replica

TOLERANCE = 1e-4

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


def blank(network: nn.Module) -> nn.Module:
    """A copy of the user's network whose every weight is broken, so that all must be loaded."""
    empty = copy.deepcopy(network)
    with torch.no_grad():
        for tensor in empty.state_dict().values():
            if isinstance(tensor, Tensor):
                tensor.fill_(float("nan") if tensor.is_floating_point() else 0)
    return empty.eval()


def load(subject: Subject, tensors: Iterable[tuple[str, Tensor]]) -> nn.Module:
    """A network of the user's class with these tensors in it, every one of its own.

    A tied one may stand under its first name alone, as `safetensors.torch.load_model` takes it.
    What has the very bits of the network on the screen shares its memory.
    """
    own = subject.overlay.state_dict()
    values = {name: reuse(tensor, own.get(name)) for name, tensor in tensors}
    for name, first in ties(subject.overlay).items():
        if first in values:
            values.setdefault(name, values[first])
    empty = without_memory(subject.pruned.dense)
    empty.load_state_dict(values, strict=True, assign=True)
    return empty


def reuse(tensor: Tensor, like: object) -> Tensor:
    """`like` where it has the very bits of `tensor`, else that tensor."""
    if not isinstance(like, Tensor) or (like.shape, like.dtype) != (tensor.shape, tensor.dtype):
        return tensor
    same = tensor.to(like.device).contiguous().view(-1), like.contiguous().view(-1)
    if not like.numel() or torch.equal(*(part.view(torch.uint8) for part in same)):
        return like
    return tensor.to(like.device)


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
