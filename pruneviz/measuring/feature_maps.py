"""What does one layer make of one sample?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pruneviz.graph import Graph, activation_of
from pruneviz.pruning.layers import Layer
from pruneviz.replica import masked, replica, state


def feature_maps(
    model: nn.Module,
    masks: Mapping[str, Tensor],
    layer: Layer,
    graph: Graph | None,
    sample: Tensor,
) -> Tensor:
    """Activations of `layer` for one sample [1, ...] under parameter masks: [units, ...].

    Behind the layer's own batch norm and activation function where a graph shows them.
    """
    network, outputs = replica(model), list[Tensor]()
    tensors = state(model)
    parameters = masked(tensors, masks)
    activate = activation_of(graph, layer, tensors | parameters) if graph else _same

    def hear(module: nn.Module, given: object, output: Tensor) -> Tensor:
        outputs.append(output)
        return output.clone()  # an activation in place must not change the tensor kept here

    network.get_submodule(layer.name).register_forward_hook(hear)
    with torch.inference_mode():
        torch.func.functional_call(network, parameters, (sample,))
        return activate(outputs[0])[0]


def _same(output: Tensor) -> Tensor:
    return output
