"""What feeds what in a network?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Node

from pruneviz.network.forward_pass import words_of
from pruneviz.network.layers import Layer
from pruneviz.network.quiet import quiet
from pruneviz.network.replica import first_names
from pruneviz.outputs import outputs

_ATEN = torch.ops.aten
# torch.export changes torch itself while it traces: two at once fail, or see each other's changes.
ONE_AT_A_TIME = threading.Lock()
_LAYER_OPS = {
    _ATEN.linear.default,
    _ATEN.addmm.default,
    _ATEN.conv1d.default,
    _ATEN.conv2d.default,
    _ATEN.conv2d.padding,
    _ATEN.conv1d.padding,
    _ATEN.conv3d.default,
    _ATEN.conv3d.padding,
    _ATEN.conv_transpose1d.default,
    _ATEN.conv_transpose2d.input,
    _ATEN.conv_transpose3d.input,
}
_NORM_OPS = {_ATEN.batch_norm.default}
# Elementwise with one tensor in: unit i of the output is made from unit i of the input alone.
_ACTIVATIONS = {
    getattr(_ATEN, name).default
    for name in (
        *("relu", "relu_", "gelu", "silu", "silu_", "sigmoid", "tanh", "leaky_relu"),
        *("leaky_relu_", "elu", "elu_", "hardtanh", "hardtanh_", "hardswish", "hardswish_"),
        *("hardsigmoid", "mish", "softplus", "selu", "relu6", "relu6_"),
    )
    if hasattr(_ATEN, name)
}
_PASSING = {_ATEN.dropout.default, _ATEN.dropout_.default, _ATEN.clone.default}
_PASSING |= {_ATEN.feature_dropout.default, _ATEN.contiguous.default}


@dataclass(frozen=True)
class Graph:
    """A network as its `torch.export` graph.

    parameters: graph input -> name in the state dict, of a tied tensor its first (buffers too).
    calls: layer name -> the nodes in which its weight is used. example: what it was traced on.
    inputs: the graph inputs that samples go into, in the order of `example`. constants: graph
    input -> tensor that the network's code makes, the same for all samples.
    """

    nodes: tuple[Node, ...]
    parameters: Mapping[str, str]
    calls: Mapping[str, tuple[Node, ...]]
    example: Tensor | Mapping[str, Tensor]
    inputs: tuple[str, ...] = ()
    constants: Mapping[str, Tensor] = field(default_factory=dict)


class UntraceableError(ValueError):
    """There is no graph of a network, or none that can be read; with the first line of why."""

    def __init__(self, model: nn.Module, error: Exception) -> None:
        reason = words_of(error).rstrip(".;")
        super().__init__(
            f"{type(model).__name__} cannot be traced: {reason}; units cannot be told from its "
            "graph, single weights and N:M can be cut all the same"
        )


def trace(
    model: nn.Module, example: Tensor | Mapping[str, Tensor], layers: Mapping[str, Layer]
) -> Graph:
    """Trace `model` in eval mode with torch.export on `example` [n >= 2, ...], any batch size.

    example: one tensor, or a mapping given to the network by name. Raises UntraceableError, with
    torch's own first line, when the network cannot be traced.

    >>> model = nn.Linear(4, 3).eval()
    >>> type(pv.trace(model, torch.randn(2, 4), pv.find_layers(model))).__name__
    'Graph'
    """
    example_inputs = example if isinstance(example, Tensor) else dict(example)
    any_size = {0: torch.export.Dim.AUTO}
    shape = (
        any_size if isinstance(example_inputs, Tensor) else dict.fromkeys(example_inputs, any_size)
    )
    try:
        # Warnings too: what a network keeps of its own from one pass to the next, it keeps in a
        # copy here.
        with ONE_AT_A_TIME, quiet():
            program = torch.export.export(
                _TensorOutputs(model), (example_inputs,), dynamic_shapes=(shape,), strict=False
            )
    except Exception as error:
        raise UntraceableError(model, error) from error
    signature = program.graph_signature
    names = first_names(model)
    inputs = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    own = {graph_input: name.removeprefix("network.") for graph_input, name in inputs.items()}
    parameters = {graph_input: names.get(name, name) for graph_input, name in own.items()}
    calls: dict[str, list[Node]] = {name: [] for name in layers}
    # A projection that shares its parameter with others (q, k, v) has no call of its own.
    owner = {names[x.weight]: name for name, x in layers.items() if x.rows is None}
    for node in program.graph.nodes:
        if node.target in _LAYER_OPS:
            weight = node.args[2 if node.target is _ATEN.addmm.default else 1]
            name = owner.get(parameters.get(getattr(weight, "name", ""), ""))
            if name is not None:
                calls[name].append(node)
    return Graph(
        nodes=tuple(program.graph.nodes),
        parameters=parameters,
        calls={name: tuple(nodes) for name, nodes in calls.items()},
        example=example_inputs,
        inputs=tuple(signature.user_inputs),
        constants=_constants(program),
    )


def _constants(program: torch.export.ExportedProgram) -> dict[str, Tensor]:
    lifted = program.graph_signature.inputs_to_lifted_tensor_constants
    return {
        graph_input: tensor
        for graph_input, name in lifted.items()
        if isinstance(tensor := program.constants[name], Tensor)
    }


class _TensorOutputs(nn.Module):
    """A network that returns all the tensors of its answer, and nothing else: no cache can be
    exported.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor | dict[str, Tensor]) -> tuple[Tensor, ...]:
        args, kwargs = ((inputs,), {}) if isinstance(inputs, Tensor) else ((), inputs)
        return tuple(outputs(self.network(*args, **kwargs)).values())


def belongings(graph: Graph, layer: Layer) -> tuple[str, ...]:
    """Names of the per-unit parameters of `layer`: its bias, then batch-norm scales and shifts.

    A batch norm belongs to the layer when it sees nothing but the layer's units, directly or
    through elementwise operations. With all of them zero a pruned unit outputs exactly zero
    (behind a batch norm without scale and shift, where nothing can be zeroed, a constant).
    """
    parameters = [layer.bias] if layer.bias else []
    for norm in _norms(graph, layer):
        parameters += [graph.parameters[a.name] for a in norm.args[1:3] if isinstance(a, Node)]
    return tuple(dict.fromkeys(parameters))


def norm_scale(graph: Graph, layer: Layer) -> str | None:
    """Name of the batch-norm scale that multiplies the output of `layer`, if there is one."""
    scales = [norm.args[1] for norm in _norms(graph, layer)]
    return next((graph.parameters[s.name] for s in scales if isinstance(s, Node)), None)


def _norms(graph: Graph, layer: Layer) -> list[Node]:
    norms: list[Node] = []
    stack = list(graph.calls[layer.name])
    while stack:
        for node in stack.pop().users:
            if node.target in _NORM_OPS and not _over_units(node, layer):
                continue
            if node.target in _NORM_OPS:
                norms.append(node)
            if node.target in _NORM_OPS | _ACTIVATIONS | _PASSING:
                stack.append(node)
    # A norm that other layers pass through as well is nobody's own.
    return [n for n in norms if all(user in norms for a in n.args[1:3] for user in _users(a))]


def _over_units(norm: Node, layer: Layer) -> bool:
    # Batch norm works on dimension 1; a linear layer's units are in the last one.
    source = norm.args[0]
    assert isinstance(source, Node)
    return not layer.flat or source.meta["val"].ndim == 2


def _users(argument: object) -> Iterator[Node]:
    return iter(argument.users if isinstance(argument, Node) else ())


def activation_of(
    graph: Graph, layer: Layer, state: Mapping[str, Tensor]
) -> Callable[[Tensor], Tensor]:
    """The function from the output of `layer` to its activation.

    It applies the layer's own batch norm and the first activation function, as the graph has
    them; the identity where something else comes next (a sum with another branch, say).
    """
    steps: list[Node] = []
    for node in _followers(graph.calls[layer.name][0]) if graph.calls[layer.name] else ():
        steps.append(node)
        if node.target in _ACTIVATIONS:
            break

    def apply(output: Tensor) -> Tensor:
        value: Any = output
        for node in steps:
            value = _call(node, value, graph.parameters, state)
        assert isinstance(value, Tensor)
        return value

    return apply


def _followers(call: Node) -> Iterator[Node]:
    # The chain of unit-wise operations behind a layer, up to where paths fork, join or mix units.
    node = call
    while len(node.users) == 1:
        node = next(iter(node.users))
        if node.target not in _NORM_OPS | _ACTIVATIONS | _PASSING:
            return
        yield node


def _call(
    node: Node, value: Tensor, parameters: Mapping[str, str], state: Mapping[str, Tensor]
) -> object:
    def lookup(argument: Any) -> Any:
        if not isinstance(argument, Node):
            return argument
        name = parameters.get(argument.name)
        return value if name is None else state[name]

    target = node.target
    assert callable(target)
    if str(target).endswith("_.default"):  # in place: the value belongs to somebody else
        value = value.clone()
    arguments = [lookup(a) for a in node.args]
    return target(*arguments, **{k: lookup(a) for k, a in node.kwargs.items()})
