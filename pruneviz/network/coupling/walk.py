"""What does walking through a graph remember?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from pruneviz.network.coupling.atoms import Atoms, Dims, Ids
from pruneviz.network.coupling.sites import Sites

NodeDims = Dims | list[Dims]


@dataclass
class Walk:
    """The dimensions of every tensor met so far.

    owned: graph input -> name in the state dict. tensors: that name -> its dimensions. outputs:
    node in which a weight is used -> the units of its output.
    """

    atoms: Atoms
    sites: Sites
    owned: Mapping[str, str]
    dims: dict[Node, NodeDims] = field(default_factory=dict)
    tensors: dict[str, Dims] = field(default_factory=dict)
    weights: set[Node] = field(default_factory=set)
    outputs: dict[Node, Ids | None] = field(default_factory=dict)

    def of(self, value: object) -> Dims:
        """The dimensions of a node that is one tensor; of anything else none."""
        dims = self.dims.get(value, []) if isinstance(value, Node) else []
        return list(dims) if not _is_nested(dims) else []  # type: ignore[arg-type]

    def is_constant(self, value: object) -> bool:
        """Whether a value comes from parameters alone, not from the network's input."""
        return isinstance(value, Node) and value in self.weights

    def forbid_all(self, values: Sequence[object], reason: str) -> None:
        """Whatever units stand in these tensors must stay."""
        for value in values:
            for ids in self.of(value):
                self.atoms.forbid(ids, reason)

    def input_dims(self, node: Node) -> Dims:
        """The dimensions of a graph input: fresh atoms for a parameter, fixed ones otherwise."""
        shape = shape_of(node)
        name = self.owned.get(node.name)
        if name is None:
            return [None] * len(shape)
        if name not in self.tensors:
            self.tensors[name] = [self.atoms.new(size) for size in shape]
        self.weights.add(node)
        return self.tensors[name]


Rule = Callable[[Walk, Node], NodeDims]


def shape_of(value: object) -> list[int]:
    """The shape of a node's tensor, of dimensions of any size the traced one.

    A size that depends on the values (of rows that are filtered, say) is -1.
    """
    tensor = value.meta.get("val") if isinstance(value, Node) else value
    if not isinstance(tensor, (Tensor, torch._subclasses.FakeTensor)):
        return []
    return [_hint(size) for size in tensor.shape]


def shapes_of(node: Node) -> list[list[int]] | None:
    """The shapes of a node's several tensors; None where it is one tensor or none."""
    value = node.meta.get("val")
    return [shape_of(one) for one in value] if isinstance(value, (tuple, list)) else None


def argument(node: Node, place: int, name: str, default: Any = None) -> Any:
    """An argument given by place or by name."""
    return node.args[place] if len(node.args) > place else node.kwargs.get(name, default)


def stiff(shape: Sequence[int]) -> Dims:
    """Dimensions in which nothing may be cut."""
    return [None for _ in shape]


def fixed_dims(node: Node) -> NodeDims:
    """Dimensions of a node's value in which nothing may be cut."""
    several = shapes_of(node)
    if several is not None:
        return [stiff(shape) for shape in several]
    return stiff(shape_of(node))


def _hint(size: object) -> int:
    if isinstance(size, int):
        return size
    hint = getattr(getattr(size, "node", None), "hint", None)
    return int(hint) if hint is not None else -1


def _is_nested(dims: NodeDims) -> bool:
    return bool(dims) and isinstance(dims[0], list)
