"""How does a network meet its inputs, and what of its answer counts?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

_FIELDS = ("logits", "last_hidden_state")


def call(
    network: nn.Module,
    inputs: Tensor | Mapping[str, Tensor],
    parameters: Mapping[str, Tensor] | None = None,
) -> Tensor:
    """The network's answer to a batch, with some of its parameters and buffers replaced by name.

    inputs: one tensor [n, ...], or a mapping given to the network by name; brought to the
    network's device, floats to its dtype. Returns the tensor that counts: of a mapping or an
    object its `logits` or `last_hidden_state`, else its first tensor; of a sequence its first.
    ValueError when there is none.
    """
    given = fitting(network, inputs)
    args = (given,) if isinstance(given, Tensor) else ()
    kwargs = {} if isinstance(given, Tensor) else given
    return answer_of(torch.func.functional_call(network, dict(parameters or {}), args, kwargs))


def fitting(
    network: nn.Module, inputs: Tensor | Mapping[str, Tensor]
) -> Tensor | dict[str, Tensor]:
    """The inputs on the network's device, floats in its dtype; the same objects where they are."""
    like = next((p for p in network.parameters() if p.is_floating_point()), torch.empty(0))
    if isinstance(inputs, Tensor):
        return _fitting(inputs, like)
    return {name: _fitting(tensor, like) for name, tensor in inputs.items()}


def answer_of(result: object) -> Tensor:
    """The tensor that counts in what a network returned; ValueError when there is none."""
    if isinstance(result, Tensor):
        return result
    for name in _FIELDS:
        value = result.get(name) if isinstance(result, Mapping) else getattr(result, name, None)
        if isinstance(value, Tensor):
            return value
    values = result.values() if isinstance(result, Mapping) else result
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise ValueError(f"the network returned {type(result).__name__}, which holds no tensor")
    for value in values:
        try:
            return answer_of(value)
        except ValueError:
            continue
    raise ValueError(f"the network returned {type(result).__name__}, which holds no tensor")


def _fitting(tensor: Tensor, like: Tensor) -> Tensor:
    return tensor.to(like) if tensor.is_floating_point() else tensor.to(like.device)
