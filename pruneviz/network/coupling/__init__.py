"""Which widths of a network must be cut together, and which must stay?"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch.fx import Node

from pruneviz.network.coupling import elementwise, layers, shapes
from pruneviz.network.coupling.atoms import AtomClasses, Atoms, Dims, Ids
from pruneviz.network.coupling.products import ProductSize, products_of
from pruneviz.network.coupling.sites import Choice, Sites, choices
from pruneviz.network.coupling.walk import NodeDims, Rule, Walk, fixed_dims, shape_of, shapes_of
from pruneviz.network.graph import Graph

__all__ = ["Coupling", "couple"]

_RULES: dict[str, Rule] = {**elementwise.RULES, **layers.RULES, **shapes.RULES}
_SILENT = ("_assert", "sym_", "_guards", "item", "is_nonzero")
_TRIES = 30


@dataclass(frozen=True)
class Coupling:
    """The classes of entries that can only be cut together.

    tensors: parameter or buffer -> for each dimension the class of every entry, or None where
    nothing may be cut. outputs: layer -> the class of each of its units. heads: classes that are
    attention heads. whole: weights of grouped convolutions that lose whole groups. products: those
    in which units stand, with classes in place of atoms.
    """

    tensors: Mapping[str, list[Ids | None]]
    outputs: Mapping[str, Ids | None]
    heads: frozenset[int]
    whole: frozenset[str]
    products: tuple[ProductSize, ...]
    solved: AtomClasses

    def why(self, classes: Ids) -> str:
        """Why the entries of these classes must stay, or "" where they may go."""
        return self.solved.why(classes)


def couple(graph: Graph) -> Coupling:
    """Walk through `graph` and tell which entries of which tensors are one.

    Every dimension of every tensor is an element of a union-find, entry by entry, so that
    concatenation, splits and shuffles keep track of each. Each operator says which entries are
    one and which must stay; after one that is not known all must. Where a dimension is split
    (heads and numbers in each head, say) the units stand in one factor: heads if there are, else
    the innermost that may be cut.
    """
    opaque, classes = _walk(graph, None)
    choice: Choice = choices(opaque.sites, classes)
    banned: set[int] = set()
    for _ in range(_TRIES):
        selection = choice.without(banned)
        walk, classes = _walk(graph, selection)
        failed = {
            number
            for number, axes in enumerate(choice.classes)
            if number not in banned
            and all(selection.get(site) == place for site, place in axes)
            and any(
                axis in walk.sites.axes and classes.stays(walk.sites.axes[axis]) for axis in axes
            )
        }
        if not failed:
            break
        banned.add(min(failed)) if len(failed) < 4 else banned.update(failed)
    return _coupling(graph, walk, classes, selection)


def _walk(graph: Graph, selection: Mapping[str, int | None] | None) -> tuple[Walk, AtomClasses]:
    atoms = Atoms()
    walk = Walk(atoms, Sites(atoms, selection), graph.parameters)
    for node in graph.nodes:
        if node.op == "placeholder":
            walk.dims[node] = walk.input_dims(node)
        elif node.op == "output":
            walk.forbid_all(node.all_input_nodes, "it is the network's answer")
        elif node.op == "call_function":
            walk.dims[node] = _step(walk, node)
            inputs = node.all_input_nodes
            if inputs and all(walk.is_constant(value) for value in inputs):
                walk.weights.add(node)
        else:
            walk.dims[node] = fixed_dims(node)
    return walk, atoms.solve()


def _step(walk: Walk, node: Node) -> NodeDims:
    if node.target is operator.getitem:
        source, place = node.args
        assert isinstance(source, Node)
        whole = walk.dims.get(source, [])
        one = whole[place] if isinstance(place, int) and place < len(whole) else None
        return one if isinstance(one, list) else fixed_dims(node)
    if not shape_of(node) and shapes_of(node) is None:
        if not any(word in str(node.target) for word in _SILENT):
            walk.forbid_all(node.all_input_nodes, _unknown(node))
        return []
    rule = _RULES.get(elementwise.op_of(node)) if str(node.target).startswith("aten.") else None
    dims = _try(rule, walk, node)
    if dims is None:
        walk.forbid_all(node.all_input_nodes, _unknown(node))
        return fixed_dims(node)
    return dims


def _try(rule: Rule | None, walk: Walk, node: Node) -> NodeDims | None:
    """What a rule says, if it fits the shapes that were traced; a form it does not know is none."""
    if rule is None:
        return None
    try:
        result = rule(walk, node)
    except Exception:  # torch's own kinds for sizes that depend on values among them
        return None
    several = shapes_of(node)
    value: Any = result
    pairs = (
        [(value, shape_of(node))] if several is None else list(zip(value, several, strict=False))
    )
    for dims, shape in pairs:
        if len(dims) != len(shape):
            return None
        if any(ids is not None and len(ids) != n for ids, n in zip(dims, shape, strict=True)):
            return None
    return result


def _unknown(node: Node) -> str:
    return f"what {elementwise.op_of(node)} does to it is not known"


def _coupling(
    graph: Graph, walk: Walk, classes: AtomClasses, selection: Mapping[str, int | None]
) -> Coupling:
    def labels(ids: Ids | None) -> Ids | None:
        return None if ids is None else classes.label[ids]

    def classes_of(dims: Dims) -> list[Ids | None]:
        return [labels(ids) for ids in dims]

    outputs: dict[str, Ids | None] = {}
    for layer, calls in graph.calls.items():
        for node in calls[:1]:
            outputs[layer] = labels(walk.outputs.get(node))
    whole = {
        graph.parameters.get(getattr(node.args[1], "name", ""), "")
        for node in walk.outputs
        if 0 in (selection.get(f"{node.name}/out"), selection.get(f"{node.name}/in"))
    }
    heads = [classes.label[ids] for ids in walk.sites.heads]
    return Coupling(
        {name: classes_of(dims) for name, dims in walk.tensors.items()},
        outputs,
        frozenset(np.concatenate(heads).tolist() if heads else ()),
        frozenset(whole),
        tuple(
            replace(one, axes=tuple((size, labels(ids)) for size, ids in one.axes))
            for one in products_of(walk, graph)
        ),
        classes,
    )
