"""How does a network meet its inputs, and what does it answer?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pruneviz.network.outputs import named_output, outputs


def call(
    network: nn.Module,
    inputs: Tensor | Mapping[str, Tensor],
    parameters: Mapping[str, Tensor] | None = None,
    output: str | None = None,
) -> Tensor:
    """One tensor of the network's answer to a batch; the arguments are those of `call_all`.

    output: its name as `outputs` gives it; None: the main one. ValueError when there is none.
    """
    found = call_all(network, inputs, parameters)
    return found[named_output(found, output)]


def call_all(
    network: nn.Module,
    inputs: Tensor | Mapping[str, Tensor],
    parameters: Mapping[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    """Every tensor of the network's answer to a batch, named as `outputs` does.

    inputs: one tensor [n, ...], or a mapping given to the network by name; brought to the
    network's device, floats to its dtype. parameters: what takes the place of the network's own
    parameters and buffers, by name. ValueError when the answer holds no tensor.
    """
    given = fitting(network, inputs)
    args = (given,) if isinstance(given, Tensor) else ()
    kwargs = {} if isinstance(given, Tensor) else given
    return outputs(torch.func.functional_call(network, dict(parameters or {}), args, kwargs))


def fitting(
    network: nn.Module, inputs: Tensor | Mapping[str, Tensor]
) -> Tensor | dict[str, Tensor]:
    """The inputs on the network's device, floats in its dtype; the same objects where they are."""
    like = next((p for p in network.parameters() if p.is_floating_point()), torch.empty(0))
    if isinstance(inputs, Tensor):
        return _fitting(inputs, like)
    return {name: _fitting(tensor, like) for name, tensor in inputs.items()}


def answer_of(result: object, output: str | None = None) -> Tensor:
    """One tensor of what a network returned, by its name; the main one where none is given."""
    found = outputs(result)
    return found[named_output(found, output)]


def _fitting(tensor: Tensor, like: Tensor) -> Tensor:
    return tensor.to(like) if tensor.is_floating_point() else tensor.to(like.device)
