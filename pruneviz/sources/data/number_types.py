"""Which number types does a network take its inputs in?"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruneviz.data import Inputs
from pruneviz.network.forward_pass import call_all
from pruneviz.network.replica import replica

_TRIES = 64  # of one sample each


@dataclass(frozen=True)
class InputChoice:
    """What may become of one input, with the sentences that say so."""

    tensor: Tensor
    notes: Sequence[str]


def accepts(model: nn.Module, inputs: Inputs) -> bool:
    """Whether the network answers to these inputs; whatever it raises is a no."""
    try:
        with torch.no_grad():
            call_all(replica(model), inputs)
    except Exception:  # whatever a network raises
        return False
    return True


def choose(
    ways: Mapping[str, Sequence[InputChoice]], accepted: Callable[[Inputs], bool] | None
) -> dict[str, InputChoice]:
    """Of each input the first way that the network takes, and the last of each where it takes none.

    Tried on the first sample. All are as they were given first; then as few as may be are not.
    """
    last = {name: several[-1] for name, several in ways.items()}
    if accepted is None or all(len(several) == 1 for several in ways.values()):
        return last
    places = itertools.product(*(range(len(several)) for several in ways.values()))
    for place in sorted(places, key=lambda each: (sum(map(bool, each)), each))[:_TRIES]:
        choice = {name: ways[name][k] for name, k in zip(ways, place, strict=True)}
        sample = {name: way.tensor[:1] for name, way in choice.items()}
        if accepted(sample[""] if list(sample) == [""] else sample):
            return choice
    return last
