"""Which way do values take from layer to layer?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.fx import Node

from pruneviz.network.graph import Graph
from pruneviz.network.layers import Layer

_JOINS = {
    **dict.fromkeys(("add", "sub", "rsub"), "sum"),
    **dict.fromkeys(("mul", "div"), "product"),
    **dict.fromkeys(("cat", "concat", "concatenate", "stack", "hstack", "vstack"), "concatenation"),
    **dict.fromkeys(("matmul", "bmm", "baddbmm", "einsum", "mm"), "matrix product"),
    "scaled_dot_product_attention": "attention",
}
_SIZES = (int, float, torch.SymInt, torch.SymFloat, torch.SymBool)
_NONE: frozenset[int] = frozenset()


@dataclass(frozen=True)
class RouteStep:
    """A place where values are made or come together.

    name: unique, a path. kind: "input", "layer", "embedding" (one that is not pruned), "sum",
    "product", "concatenation", "matrix product", "attention" or "output". layers: those whose
    weights are used here; more than one where they share an operation (q, k and v, an LSTM).
    """

    name: str
    kind: str
    layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Routes:
    """All steps in the order in which they are taken, and the arrows between them by number."""

    steps: tuple[RouteStep, ...]
    arrows: tuple[tuple[int, int], ...]


def routes(graph: Graph, layers: Mapping[str, Layer]) -> Routes:
    """What feeds what: layers, and the sums, products and concatenations of different branches.

    What works on one branch alone (norms, activations, reshapes) is part of the arrow. A layer
    that is used several times is a step each time.

    >>> model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).eval()
    >>> layers = pv.find_layers(model)
    >>> way = routes(pv.trace(model, torch.randn(2, 4), layers), layers)
    >>> [step.name for step in way.steps], way.arrows
    (['input', '0', '2', 'output'], ((0, 1), (1, 2), (2, 3)))
    """
    calls: dict[Node, tuple[str, ...]] = {}
    for name, nodes in graph.calls.items():
        calls.update((node, (*calls.get(node, ()), name)) for node in nodes)
    walk = _Walk(graph, _owners(layers), calls)
    for node in graph.nodes:
        walk.visit(node)
    return _without_loose_inputs(walk.steps, dict.fromkeys(walk.arrows))


def _without_loose_inputs(steps: Sequence[RouteStep], arrows: Iterable[tuple[int, int]]) -> Routes:
    """Inputs that only mask or choose lead nowhere, and are left out."""
    pairs = tuple(arrows)
    starts = {start for start, _ in pairs}
    stays = [at for at, step in enumerate(steps) if step.kind != "input" or at in starts]
    number = {at: place for place, at in enumerate(stays)}
    arrows = tuple((number[start], number[end]) for start, end in pairs)
    return Routes(tuple(steps[at] for at in stays), arrows)


def _owners(layers: Mapping[str, Layer]) -> dict[str, tuple[str, ...]]:
    """Parameter -> the layers whose weight it holds."""
    owners: dict[str, tuple[str, ...]] = {}
    for name, layer in layers.items():
        owners[layer.weight] = (*owners.get(layer.weight, ()), name)
    return owners


@dataclass
class _Walk:
    """sources: node -> the steps that its value is made of; none where it comes of parameters
    alone, or is a size. weights: of those, node -> the layers whose weights it holds. calls:
    node -> the layers that work there, whose parameter may have the name of another. whole:
    inputs of whole numbers or truth values, which choose and mask, and are no branch.
    """

    graph: Graph
    owners: Mapping[str, tuple[str, ...]]
    calls: Mapping[Node, tuple[str, ...]]
    steps: list[RouteStep] = field(default_factory=list)
    arrows: list[tuple[int, int]] = field(default_factory=list)
    sources: dict[Node, frozenset[int]] = field(default_factory=dict)
    weights: dict[Node, tuple[str, ...]] = field(default_factory=dict)
    whole: set[int] = field(default_factory=set)
    turns: dict[str, int] = field(default_factory=dict)

    def visit(self, node: Node) -> None:
        if node.op == "placeholder":
            self._enter(node)
        elif node.op == "output":
            self._step("output", "output", self._from(node.all_input_nodes))
        else:
            self._work(node)

    def _enter(self, node: Node) -> None:
        parameter = self.graph.parameters.get(node.name)
        self.sources[node] = _NONE
        if parameter is not None:
            self.weights[node] = self.owners.get(parameter, ())
        elif not node.name.startswith("c_"):  # torch's constants
            self.sources[node] = frozenset([self._step("input", "input", _NONE)])
            value = node.meta.get("val")
            if isinstance(value, Tensor) and not value.is_floating_point():
                self.whole |= self.sources[node]

    def _work(self, node: Node) -> None:
        inputs = node.all_input_nodes
        values = [each for each in inputs if self.sources.get(each)]
        held = [self.weights.get(each, ()) for each in inputs if not self.sources.get(each)]
        layers = tuple(dict.fromkeys(name for names in held for name in names))
        layers = layers or self.calls.get(node, ())
        is_table = _operation(node) == "embedding" and bool(layers)
        if isinstance(node.meta.get("val"), _SIZES) or not (values or is_table):
            self.sources[node], self.weights[node] = _NONE, layers
            return
        kind, name = self._kind(node, values, layers), self._place(node)
        sources = self._from(values)
        if kind == "layer":
            name = layers[0] if len(layers) == 1 else _common(layers)
        elif kind == "embedding":
            name = self._place(node, "")
        if kind:
            sources = frozenset([self._step(name, kind, sources, layers)])
        self.sources[node] = sources

    def _kind(self, node: Node, values: list[Node], layers: tuple[str, ...]) -> str:
        operation = _operation(node)
        if layers:
            return "layer"
        if operation == "embedding":
            return "embedding"
        kind = _JOINS.get(operation, "")
        branches = {self.sources[each] for each in values if not self.sources[each] <= self.whole}
        return kind if len(branches) > 1 or kind == "attention" else ""

    def _from(self, nodes: Iterable[Node]) -> frozenset[int]:
        sources = _NONE.union(*(self.sources.get(each, _NONE) for each in nodes))
        return sources - self.whole or sources

    def _step(
        self, name: str, kind: str, sources: Iterable[int], layers: tuple[str, ...] = ()
    ) -> int:
        number = len(self.steps)
        turn = self.turns[name] = self.turns.get(name, 0) + 1
        self.steps.append(RouteStep(name if turn == 1 else f"{name} ({turn})", kind, layers))
        self.arrows += [(source, number) for source in sorted(sources)]
        return number

    def _place(self, node: Node, operation: str | None = None) -> str:
        """The path of the module that a node works in, and what it does there."""
        stack = list((node.meta.get("nn_module_stack") or {}).values())
        path = str(stack[-1][0]) if stack else ""
        path = path.removeprefix("L__self___").partition("network")[2].strip(".")
        what = _operation(node) if operation is None else operation
        return ".".join(part for part in (path, what) if part) or _operation(node)


def _operation(node: Node) -> str:
    """What an operator is called, of whichever overload, in place or not."""
    schema = getattr(node.target, "_schema", None)
    name = schema.name.partition("::")[2] if schema else getattr(node.target, "__name__", "")
    return str(name).rstrip("_")


def _common(names: tuple[str, ...]) -> str:
    """The path that these begin with, or the first of them."""
    parts = list(zip(*(name.split(".") for name in names), strict=False))
    same = [column[0] for column in _while_same(parts)]
    return ".".join(same) or names[0]


def _while_same(columns: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    for column in columns:
        if len(set(column)) > 1:
            return
        yield column
