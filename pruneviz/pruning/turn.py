"""How far does each block turn what passes it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Node
from torch.fx.node import map_arg

from pruneviz.data import Data, Inputs
from pruneviz.network.forward_pass import fit
from pruneviz.network.graph import Graph
from pruneviz.network.groups import Group, Groups
from pruneviz.network.layers import Layer
from pruneviz.network.replica import state
from pruneviz.progress import ShareDone
from pruneviz.turns import piece


def turns(
    model: nn.Module,
    graph: Graph,
    blocks: Groups,
    layers: Mapping[str, Layer],
    calibration: Data,
    batch: int,
    progress: ShareDone,
) -> dict[str, Tensor]:
    """Layer -> [1], 1 − the cosine of what goes into its block and comes out, of vectors over the
    channels, mean over samples and positions (Men et al. 2024, eq. 1).
    """
    whole = {name: group for name, group in blocks.groups.items() if group.skip is not None}
    sums, counts = dict.fromkeys(whole, 0.0), dict.fromkeys(whole, 0)
    for start in range(0, len(calibration), batch):
        progress(start / len(calibration))
        with torch.inference_mode(), piece():
            inputs = fit(model, calibration.inputs_of(slice(start, start + batch)))
            for name, cosine in _cosines(model, graph, whole, layers, inputs):
                sums[name] += float(cosine.double().sum())
                counts[name] += cosine.numel()
    mean = {n: torch.tensor([1 - sums[n] / max(1, counts[n])], dtype=torch.float64) for n in whole}
    return {layer: mean[name] for name, group in whole.items() for layer in group.layers}


def _cosines(
    model: nn.Module,
    graph: Graph,
    blocks: Mapping[str, Group],
    layers: Mapping[str, Layer],
    inputs: Inputs,
) -> Iterator[tuple[str, Tensor]]:
    """Of each block in turn, the cosine at every position of every sample."""
    nodes = {node.name: node for node in graph.nodes}
    ends: dict[Node, list[tuple[str, Node]]] = {}
    for name, group in blocks.items():
        if group.skip is not None:
            entry = nodes[group.skip.before]
            ends.setdefault(nodes[group.skip.after], []).append((name, entry))
    for node, values in _values(model, graph, inputs, ends):
        for name, entry in ends.get(node, ()):
            dim = 1 if layers[name].kind.startswith("conv") else -1
            pair = values[entry].float(), values[node].float()
            yield name, torch.nn.functional.cosine_similarity(*pair, dim=dim)


def _values(
    model: nn.Module, graph: Graph, inputs: Inputs, ends: Mapping[Node, list[tuple[str, Node]]]
) -> Iterator[tuple[Node, dict[Node, Any]]]:
    """Each operation in its order, once its value is there; values go when nobody reads them."""
    tensors, values = state(model), {}
    given = iter([inputs] if isinstance(inputs, Tensor) else list(inputs.values()))
    last: dict[Node, Node] = {}
    for node in graph.nodes:
        last |= dict.fromkeys((*node.all_input_nodes, *(e for _, e in ends.get(node, ()))), node)
    gone: dict[Node, list[Node]] = {}
    for node, reader in last.items():
        gone.setdefault(reader, []).append(node)
    for node in graph.nodes:
        if node.op == "placeholder":
            if node.name in graph.inputs:
                values[node] = next(given)
            elif node.name in graph.parameters:
                # A network's own code may write to what it keeps; this is a copy of it.
                tensor = tensors[graph.parameters[node.name]]
                values[node] = tensor if node.name.startswith("p_") else tensor.clone()
            else:
                values[node] = graph.constants[node.name]
        elif node.op == "call_function":
            target: Any = node.target
            args = map_arg(node.args, values.__getitem__)
            values[node] = target(*args, **map_arg(node.kwargs, values.__getitem__))
            yield node, values
        for other in gone.get(node, ()):
            del values[other]
