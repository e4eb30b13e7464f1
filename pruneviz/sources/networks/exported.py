"""How does an exported graph become a network of layers again?"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram
from torch.fx import GraphModule, Node

_CONVOLUTIONS = {
    torch.ops.aten.conv1d.default: nn.Conv1d,
    torch.ops.aten.conv2d.default: nn.Conv2d,
    torch.ops.aten.conv3d.default: nn.Conv3d,
    torch.ops.aten.conv1d.padding: nn.Conv1d,  # "same" or "valid"
    torch.ops.aten.conv2d.padding: nn.Conv2d,
    torch.ops.aten.conv3d.padding: nn.Conv3d,
}


def restore_layers(program: ExportedProgram) -> nn.Module:
    """The program as a module whose linear, convolution and embedding calls are layers again.

    An export keeps weights under their names and turns layers into calls; what is pruned are
    layers. They get their old names. Normalisations and the rest stay calls.
    """
    graph_module: Any = program.module()
    graph = graph_module.graph
    layers: dict[str, nn.Module] = {}
    for node in list(graph.nodes):
        node.meta.clear()  # it holds fake tensors, which cannot be copied
        if node.op == "call_module" and not node.users:
            graph.erase_node(node)  # a check of the inputs' shapes, as they were at export
    for node in list(graph.nodes):
        _as_layer(node, graph_module, layers)
    root = nn.Module()
    for name, value in [*graph_module.named_parameters(), *graph_module.named_buffers()]:
        _put(root, name, value)
    for name, layer in layers.items():
        _put(root, name, layer)
    graph.eliminate_dead_code()
    new = GraphModule(root, graph, type(graph_module).__name__)
    return new.eval()


def _as_layer(node: Node, owner: nn.Module, layers: dict[str, nn.Module]) -> None:
    """Turns a call with weights of its own into a call of a layer, remembered under its name."""
    if node.op != "call_function" or not node.args:
        return
    first = 0 if node.target is torch.ops.aten.embedding.default else 1
    weight = node.args[first] if len(node.args) > first else None
    if not isinstance(weight, Node) or weight.op != "get_attr":
        return
    name, _, leaf = str(weight.target).rpartition(".")
    bias = node.args[2] if first == 1 and len(node.args) > 2 else None
    if leaf != "weight" or not name or not _beside(bias, name):
        return
    if name not in layers:
        layer = _layer(node, owner.get_parameter(str(weight.target)), bias is not None)
        if layer is None:
            return
        layer.weight = owner.get_parameter(str(weight.target))
        if isinstance(bias, Node):
            layer.bias = owner.get_parameter(str(bias.target))
        layers[name] = layer
    elif _layer(node, layers[name].weight, bias is not None).__class__ is not type(layers[name]):  # type: ignore[arg-type]
        return  # one weight in two kinds of layer, as of tied embeddings: the first one keeps it
    argument = node.args[1 - first]
    with node.graph.inserting_before(node):
        call = node.graph.call_module(name, (argument,))
    node.replace_all_uses_with(call)
    node.graph.erase_node(node)


def _beside(bias: object, name: str) -> bool:
    if bias is None:
        return True
    return isinstance(bias, Node) and bias.op == "get_attr" and bias.target == f"{name}.bias"


def _layer(node: Node, weight: torch.Tensor, bias: bool) -> Any:
    """An empty layer for a call and its weight; None for a call that is no such layer."""
    with torch.device("meta"):
        if node.target is torch.ops.aten.linear.default:
            return nn.Linear(weight.shape[1], weight.shape[0], bias)
        if node.target is torch.ops.aten.embedding.default:
            padding = node.args[2] if len(node.args) > 2 else -1
            return nn.Embedding(weight.shape[0], weight.shape[1], _place(padding))
        kind = _CONVOLUTIONS.get(node.target)  # type: ignore[call-overload]
        if kind is None or node.kwargs:
            return None
        stride, padding, dilation, groups = _options(node)
        return kind(
            weight.shape[1] * groups,
            weight.shape[0],
            tuple(weight.shape[2:]),
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
        )


def _place(padding: Any) -> int | None:
    return None if padding == -1 else int(padding)


def _options(node: Node) -> tuple[Any, Any, Any, int]:
    arguments: list[Any] = [tuple(x) if isinstance(x, (list, tuple)) else x for x in node.args[3:]]
    size = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}[_CONVOLUTIONS[node.target]]  # type: ignore[index]
    usual: list[Any] = [(1,) * size, (0,) * size, (1,) * size, 1]
    stride, padding, dilation, groups = [*arguments, *usual[len(arguments) :]]
    return stride, padding, dilation, int(groups)


def _put(root: nn.Module, name: str, value: nn.Module | torch.Tensor) -> None:
    *path, leaf = name.split(".")
    for part in path:
        if not hasattr(root, part):
            root.add_module(part, nn.Module())
        root = getattr(root, part)
    if isinstance(value, nn.Module):
        root.add_module(leaf, value)
    elif isinstance(value, nn.Parameter):
        root.register_parameter(leaf, value)
    else:
        root.register_buffer(leaf, value)
