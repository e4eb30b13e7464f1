"""What does one layer make of one sample?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pruneviz.data import Data, Inputs
from pruneviz.network.calls import Call, WeightListener
from pruneviz.network.forward_pass import at_work
from pruneviz.network.forward_pass import call as answer
from pruneviz.network.graph import Graph, activation_of
from pruneviz.network.layers import Layer
from pruneviz.network.replica import replica, state


def find_layer(layers: Mapping[str, Layer], name: str) -> Layer:
    """The layer of this name; ValueError if there is none."""
    if name not in layers:
        raise ValueError(f"no layer {name!r}; there are {', '.join(layers)}")
    return layers[name]


def one_sample(data: Data, place: int) -> Inputs:
    """The inputs of one sample [1, ...]; ValueError for a place outside."""
    if not 0 <= place < len(data):
        raise ValueError(f"sample must be in 0..{len(data) - 1}, got {place}")
    return data.take(slice(place, place + 1)).inputs


def feature_maps(
    model: nn.Module,
    changed: Mapping[str, Tensor],
    layer: Layer,
    graph: Graph | None,
    sample: Inputs,
) -> Tensor:
    """Activations of `layer` for one sample [1, ...]: [units, ...].

    changed: what takes the place of the network's own tensors, by name. Behind the layer's own
    batch norm and activation function where a graph shows them.
    ValueError when the layer never runs.
    """
    tensors, maps = state(model) | dict(changed), list[Tensor]()
    activate = activation_of(graph, layer, tensors) if graph else _same

    def hear(call: Call) -> None:
        if not maps:
            maps.append(call.by_sample(activate(call.part(call.output)), 1)[0].clone())

    network = replica(model)
    parameters = dict(network.named_parameters(remove_duplicate=False)) | dict(changed)
    what = f"feature maps of {layer.name!r}"
    with (
        torch.inference_mode(),
        WeightListener({layer.name: layer}, parameters, hear),
        at_work(what),
    ):
        answer(network, sample, changed)
    if not maps:
        raise ValueError(f"layer {layer.name!r} never ran on this sample; there is nothing to show")
    return maps[0]


def _same(output: Tensor) -> Tensor:
    return output
