"""Does what was read back from a file answer as the network on the screen does?"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruneviz.export.subject import Subject
from pruneviz.network.calling import call
from pruneviz.network.replica import replica

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Proof:
    """difference: the largest between answers, relative to the largest answer; None where a file
    holds nothing that answers. words: what was proved, for people.
    """

    difference: float | None
    words: str


def answers(network: nn.Module, subject: Subject) -> Tensor:
    """What a network that was read back answers to the samples of the proof."""
    with torch.inference_mode():
        return call(replica(network), subject.inputs).cpu()


def proved(subject: Subject, got: Tensor, words: str = "") -> Proof:
    """The proof that `got` is what the screen shows; ValueError where it is not."""
    found = difference(subject.expected, got)
    if not found <= TOLERANCE:
        raise ValueError(
            f"read back, it answers otherwise than the network on the screen: by {found:.1e} of "
            f"the largest answer, where {TOLERANCE:g} is allowed; it is not written"
        )
    said = f"read back, answers alike on {subject.samples:,} samples"
    return Proof(found, f"{said}; {words}" if words else said)


def difference(expected: Tensor, got: Tensor) -> float:
    """The largest difference relative to the largest number in `expected`.

    Infinite where one is broken and the other not. ValueError for other shapes.
    """
    if expected.shape != got.shape:
        raise ValueError(f"it answers in shape {tuple(got.shape)}, not {tuple(expected.shape)}")
    one, other = expected.double(), got.double()
    whole = torch.isfinite(one)
    if not torch.equal(whole, torch.isfinite(other)):
        return float("inf")
    if not bool(whole.any()):
        return 0.0
    largest = float(one[whole].abs().max())
    apart = float((one - other)[whole].abs().max())
    return apart / largest if largest else apart


def blank(network: nn.Module) -> nn.Module:
    """A copy of the user's network whose every weight is broken, so that all must be loaded."""
    empty = copy.deepcopy(network)
    with torch.no_grad():
        for tensor in empty.state_dict().values():
            if isinstance(tensor, Tensor):
                tensor.fill_(float("nan") if tensor.is_floating_point() else 0)
    return empty.eval()


def loaded(network: nn.Module, tensors: Mapping[str, Tensor]) -> nn.Module:
    """A copy of the user's network with these tensors in it, every one of its own."""
    empty = blank(network)
    empty.load_state_dict(dict(tensors), strict=True)
    return empty
