"""How much of a network's flow from input to output passes each weight?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pruneviz.network.layers import Layer
from pruneviz.network.replica import first_names, replica, state
from pruneviz.outputs import outputs


def synaptic_flow(
    model: nn.Module, layers: Mapping[str, Layer], example: Tensor
) -> dict[str, Tensor]:
    """∂R/∂θ of every layer's weight, R the sum of all outputs for an input of ones.

    All weights are made positive and biases and batch-norm means zero, in float64, so that R is
    the total flow through the network (Tanaka et al. 2020, eq. 4; one round). Layers that R does
    not reach have zeros. example: float [n, ...], of which only the shape of one sample counts.
    """
    values: dict[str, Tensor] = {}
    names = first_names(model)
    for name, tensor in state(model).items():
        if names.get(name, name) != name or not tensor.is_floating_point():
            continue
        last = name.rpartition(".")[2]
        silent = last.endswith(("bias", "running_mean")) or last.startswith("bias_")
        value = torch.zeros_like(tensor) if silent else tensor.abs()
        values[name] = value.double()
    leaves = {names[layer.weight]: values[names[layer.weight]] for layer in layers.values()}
    for leaf in leaves.values():
        leaf.requires_grad_()
    with torch.enable_grad():
        device = next(iter(leaves.values())).device
        ones = torch.ones_like(example[:1], dtype=torch.float64, device=device)
        answer = outputs(torch.func.functional_call(replica(model), values, (ones,)))
        total = torch.stack([t.sum() for t in answer.values() if t.is_floating_point()]).sum()
        grads = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
    gradients = dict(zip(leaves, grads, strict=True))
    return {
        name: _of(layer, gradients[names[layer.weight]], device) for name, layer in layers.items()
    }


def _of(layer: Layer, grad: Tensor | None, device: torch.device) -> Tensor:
    return torch.zeros(layer.shape, device=device) if grad is None else layer.canonical(grad)
