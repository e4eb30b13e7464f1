"""What does one forward pass tell of a network's layers?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.network.calls import Call, WeightListener
from pruneviz.network.experts import StackUse, StackUses
from pruneviz.network.forward_pass import call_all, out_of_memory, shapes_of, words_of
from pruneviz.network.layers import Layer, find_layers
from pruneviz.network.replica import first_names, leaves, replica
from pruneviz.outputs import main_output

# Operations of autograd that change no number.
_LOOKS = (
    "View", "UnsafeView", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Permute", "Select",
    "Slice", "Clone", "ToCopy", "Alias", "T", "Expand",
)  # fmt: skip


@dataclass(frozen=True)
class Survey:
    """What was seen when one sample passed.

    order: layers in the order they first ran. macs: layer -> multiply-accumulates for the sample.
    first: layers that the input reaches before any other. outputs_by_layer: layer -> names of the
    network's outputs that its own output reaches without passing another layer. outputs: name ->
    shape and dtype (on "meta"), as `outputs` names them.
    activation: bytes of the inputs and outputs of the layer that has most of them. ending:
    output -> autograd's name of the last operation that computes it, or "". vocabularies: the
    sizes of its embeddings. turned: stacked weights that something was multiplied by -> whether
    their inputs stand before their units.
    """

    order: tuple[str, ...]
    macs: Mapping[str, int]
    first: frozenset[str]
    outputs_by_layer: Mapping[str, tuple[str, ...]]
    outputs: Mapping[str, Tensor]
    activation: int
    ending: Mapping[str, str] = field(default_factory=dict)
    vocabularies: frozenset[int] = frozenset()
    turned: Mapping[str, bool] = field(default_factory=dict)

    @property
    def heads(self) -> frozenset[str]:
        """The layers that make an output."""
        return frozenset(self.outputs_by_layer)

    @property
    def output(self) -> Tensor:
        """The main output."""
        return self.outputs[main_output(self.outputs)]


def survey(model: nn.Module, layers: Mapping[str, Layer], data: Data) -> Survey:
    """Send the first sample of `data` through `model` and watch its layers.

    Raises ValueError with the network's own words when it cannot take the sample.
    """
    macs_by_layer: dict[str, int] = {}
    nodes: dict[object, str] = {}
    sizes = [0]
    transposed: dict[str, bool] = {}

    def enter(name: str, macs: int, inputs: Tensor, output: Tensor) -> None:
        macs_by_layer[name] = macs_by_layer.get(name, 0) + macs
        if output.grad_fn is not None:
            nodes.setdefault(output.grad_fn, name)
        sizes.append(_bytes(inputs) + _bytes(output))

    def hear(call: Call) -> None:
        enter(call.layer.name, _macs(call), call.inputs, call.output)

    def see(product: StackUse) -> None:
        transposed.setdefault(product.name, product.turned)
        enter(product.name, product.macs, product.inputs, product.output)

    sample = data.first(1)
    names = first_names(model)
    modules = leaves(model)
    inputs = _leaves(sample)
    stacks = {name: modules[names[x.weight]] for name, x in layers.items() if x.experts}
    others = {name: x for name, x in layers.items() if not x.experts}
    try:
        with (
            torch.enable_grad(),
            torch.autograd.graph.saved_tensors_hooks(_forget, _forget),
            WeightListener(others, {name: modules[one] for name, one in names.items()}, hear),
            StackUses(stacks, see),
        ):
            answer = call_all(replica(model), inputs, modules)
    except Exception as error:  # whatever a network raises is what its user must read
        raise ValueError(refusal(model, sample, error)) from error
    tensors = inputs.values() if isinstance(inputs, Mapping) else (inputs,)
    first = _first(nodes, {id(t) for t in tensors if t.requires_grad})
    makers = _makers(answer, nodes) or {name: tuple(answer) for name in list(macs_by_layer)[-1:]}
    return Survey(
        order=tuple(macs_by_layer),
        macs={name: macs_by_layer.get(name, 0) for name in layers},
        first=first,
        outputs_by_layer=makers,
        outputs={name: tensor.detach().to("meta") for name, tensor in answer.items()},
        activation=max(sizes),
        ending={name: _last_operation(tensor) for name, tensor in answer.items()},
        vocabularies=frozenset(x.shape[0] for x in layers.values() if x.kind == "embedding"),
        turned=transposed,
    )


def survey_layers(model: nn.Module, data: Data) -> tuple[dict[str, Layer], Survey]:
    """The layers of `model` that may be pruned, and what the first sample of `data` told of them.

    A subclass with a forward of its own is a layer if its very weight was seen at work, and so are
    stacked weights of experts.
    ValueError when there is none, or when the network cannot take the sample.
    """
    candidates = find_layers(model, subclasses=True)
    report = survey(model, candidates, data)
    try:
        plain = set(find_layers(model))
    except ValueError:
        plain = set()
    sure = {name: x for name, x in candidates.items() if name in plain or name in report.order}
    for name, transposed in report.turned.items():
        shape = model.get_parameter(sure[name].weight).shape
        sure[name] = sure[name].with_experts(shape, transposed)
    if not sure:
        raise ValueError(
            f"{type(model).__name__} has no layer that can be pruned: "
            f"{', '.join(list(candidates)[:5])} compute other weights from their own"
        )
    return sure, report


def _leaves(sample: Data) -> Tensor | dict[str, Tensor]:
    def leaf(tensor: Tensor) -> Tensor:
        return tensor.detach().clone().requires_grad_(tensor.is_floating_point())

    if isinstance(sample.inputs, Tensor):
        return leaf(sample.inputs)
    return {name: leaf(tensor) for name, tensor in sample.inputs.items()}


def _forget(value: Any) -> Any:
    # Nothing runs backward here: what autograd would keep for it is let go.
    return None


def refusal(model: nn.Module, sample: Data, error: Exception) -> str:
    """What its user reads when a network does not take the first samples of its data."""
    shapes, words, n = shapes_of(sample.inputs), words_of(error), len(sample)
    count = "one sample" if n == 1 else f"{n} samples at once, though it takes one,"
    cure = "let its code take any number of samples: view(len(x), …) in place of view(1, …)"
    if n == 1:
        cure = "check the inputs' shape, size and type"
    if out_of_memory(error):
        cure = "memory does not suffice; use smaller inputs, or a machine with more"
    return f"{type(model).__name__} cannot take {count} of the data ({shapes}): {words}; {cure}"


def _last_operation(output: Tensor) -> str:
    """The last operation that did more than to look at the same numbers in another shape."""
    node: Any = output.grad_fn
    while node is not None and node.next_functions:
        if node.name().partition("Backward")[0] not in _LOOKS:
            break
        node = node.next_functions[0][0]
    return "" if node is None else str(node.name())


def _macs(call: Call) -> int:
    layer = call.layer
    if layer.kind == "embedding":
        return 0
    if layer.kind.startswith("conv_transpose"):
        channels = layer.shape[1] * layer.groups
        return call.inputs.numel() // channels * layer.size
    return call.part(call.output).numel() // layer.units * layer.size


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _makers(
    answer: Mapping[str, Tensor], nodes: Mapping[object, str]
) -> dict[str, tuple[str, ...]]:
    outputs: dict[str, tuple[str, ...]] = {}
    for output, tensor in answer.items():
        ends = {nodes[node] for node in _reach([tensor.grad_fn], nodes) if node in nodes}
        outputs |= {name: (*outputs.get(name, ()), output) for name in ends}
    return outputs


def _first(nodes: Mapping[object, str], inputs: set[int]) -> frozenset[str]:
    first: set[str] = set()
    for node, name in nodes.items():
        before = list(_reach(_next(node), nodes))
        # Leaves' own nodes carry the tensor; the network's input is one of them.
        from_input = any(id(getattr(n, "variable", None)) in inputs for n in before)
        if from_input and not any(n in nodes for n in before):
            first.add(name)
    return frozenset(first)


def _reach(start: Iterable[object], stops: Mapping[object, str]) -> Iterable[object]:
    # Every node on the way back from `start`, up to and with the first stop on each path.
    stack, nodes = [node for node in start if node is not None], set()
    while stack:
        node = stack.pop()
        if node in nodes:
            continue
        nodes.add(node)
        yield node
        if node not in stops:
            stack += _next(node)


def _next(node: Any) -> list[object]:
    return [following for following, _ in node.next_functions if following is not None]
