"""Which products, apart from those of layers, get smaller with a network's units?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

from torch.fx import Node

from pruneviz.network.coupling.atoms import Ids
from pruneviz.network.coupling.elementwise import op_of
from pruneviz.network.coupling.walk import Walk, argument
from pruneviz.network.graph import Graph

Axis = tuple[int, Ids | None]


@dataclass(frozen=True)
class ProductSize:
    """One product: the sizes of these axes, multiplied, are its multiply-accumulates.

    axes: for one sample, each with the atoms of its entries, or None where all stay. weights: the
    parameters that a factor of it was made of.
    """

    axes: tuple[Axis, ...]
    weights: frozenset[str]


def products_of(walk: Walk, graph: Graph) -> Iterator[ProductSize]:
    """Every product of the walk in which units stand."""
    single = 1 if _any_batch(graph) else _batch(graph)
    for node in graph.nodes:
        axes_of = _AXES.get(op_of(node)) if node.op == "call_function" else None
        for axes in axes_of(walk, node) if axes_of is not None else ():
            if any(ids is not None for _, ids in axes):
                yield ProductSize(_for_one(axes, single), _weights(walk, node))


def products_between(graph: Graph, nodes: Iterable[Node]) -> int:
    """Multiply-accumulates, for one sample, of those nodes that multiply what no parameter is."""
    total, single = 0, 1 if _any_batch(graph) else _batch(graph)
    for node in nodes:
        op = op_of(node) if node.op == "call_function" else ""
        if any(_is_parameter(graph, factor) for factor in node.all_input_nodes):
            continue
        if op in ("matmul", "bmm", "mm"):
            total += prod(_sizes(node)) * _sizes(node.args[0])[-1] // single
        elif op == "scaled_dot_product_attention":
            query, key, value = (
                _sizes(argument(node, i, n)) for i, n in enumerate(("query", "key", "value"))
            )
            total += prod(query[:-1]) * key[-2] * (query[-1] + value[-1]) // single
    return total


def _is_parameter(graph: Graph, node: Node) -> bool:
    """Whether it is a parameter, or one that is turned or cut."""
    while node.op == "call_function" and len(node.all_input_nodes) == 1:
        node = node.all_input_nodes[0]
    return node.name in graph.parameters


def _for_one(axes: list[Axis], samples: int) -> tuple[Axis, ...]:
    """The first axis is that of the samples, where a network takes only as many as it was given."""
    (size, ids), *rest = axes
    return ((size if size % samples else size // samples, ids), *rest)


def _any_batch(graph: Graph) -> bool:
    inputs = [n for n in graph.nodes if n.op == "placeholder" and n.name not in graph.parameters]
    shapes = [node.meta["val"].shape for node in inputs if hasattr(node.meta.get("val"), "shape")]
    return any(not isinstance(shape[0], int) for shape in shapes if len(shape))


def _batch(graph: Graph) -> int:
    example: Any = graph.example
    one = example if hasattr(example, "shape") else next(iter(example.values()))
    return len(one)


def _weights(walk: Walk, node: Node) -> frozenset[str]:
    """The parameters behind those inputs of a node that come from parameters alone."""
    stack, names = [n for n in node.all_input_nodes if walk.is_constant(n)], set()
    while stack:
        one = stack.pop()
        if one.name in walk.owned:
            names.add(walk.owned[one.name])
        stack += one.all_input_nodes
    return frozenset(names)


def _sizes(value: Any) -> list[int]:
    """The shape of a node's tensor for a single sample."""
    return [_single(size) for size in value.meta["val"].shape]


def _single(size: Any) -> int:
    if isinstance(size, int):
        return size
    expression = size.node.expr
    return int(expression.subs(dict.fromkeys(expression.free_symbols, 1)))


def _axes(walk: Walk, value: Any) -> list[Axis]:
    return list(zip(_sizes(value), walk.of(value), strict=True))


def _linear(walk: Walk, node: Node) -> list[list[Axis]]:
    x, w = node.args[1:3] if op_of(node) == "addmm" else node.args[:2]
    return [[*_axes(walk, x)[:-1], *_axes(walk, w)]]


def _matrices(walk: Walk, node: Node) -> list[list[Axis]]:
    return [[*_axes(walk, node), _axes(walk, node.args[0])[-1]]]


def _convolution(walk: Walk, node: Node) -> list[list[Axis]]:
    weight = _axes(walk, node.args[1])
    over = _axes(walk, node.args[0] if "transpose" in op_of(node) else node)
    channels = 1 if len(over) == len(weight) else 0
    del over[channels]
    return [[*over, *weight]]


def _attention(walk: Walk, node: Node) -> list[list[Axis]]:
    q, k, v = (_axes(walk, argument(node, i, n)) for i, n in enumerate(("query", "key", "value")))
    return [[*q[:-1], k[-2], q[-1]], [*q[:-1], k[-2], v[-1]]]


_AXES: dict[str, Callable[[Walk, Node], list[list[Axis]]]] = {
    **dict.fromkeys(("linear", "addmm"), _linear),
    **dict.fromkeys(("matmul", "bmm", "mm"), _matrices),
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _convolution),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), _convolution),
    "scaled_dot_product_attention": _attention,
}
