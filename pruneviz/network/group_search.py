"""How are the units of a network coupled into groups?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from pruneviz.network.coupling import Coupling, couple
from pruneviz.network.coupling.atoms import Ids
from pruneviz.network.graph import Graph
from pruneviz.network.groups import Group, Groups, Place, Product
from pruneviz.network.layers import Layer
from pruneviz.network.trial import prove

_SINGLE = "it has one unit only: nothing would be left"
_TIED = "its units are tied to each other (by a channel shuffle, say): none can go without all"
_PACKED = "torch's own attention (nn.MultiheadAttention) is always as wide as its input"
_NEVER = "it never runs in the traced network"
_BLOCKED = "its units stand in blocks that cannot go one by one (a grouped convolution, say)"


def find_groups(model: nn.Module, layers: Mapping[str, Layer], graph: Graph) -> Groups:
    """The groups of units of `model` that can be removed, each proved by a trial cut.

    The example that `graph` was traced with is what the trial is made on.

    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    >>> layers = pv.find_layers(network)
    >>> graph = pv.trace(network, torch.randn(2, 4), layers)
    >>> list(pv.find_groups(network, layers, graph).groups)
    ['0']
    """
    coupled = couplings(layers, graph)
    groups = {
        name
        for name, group in coupled.groups.items()
        for layer in group.layers
        if isinstance(model.get_submodule(layer.rpartition(".")[0]), nn.MultiheadAttention)
    }
    fixed = {layer: _PACKED for name in groups for layer in coupled.groups[name].layers}
    rest = {name: group for name, group in coupled.groups.items() if name not in groups}
    rest_of = replace(coupled, groups=rest, fixed={**coupled.fixed, **fixed})
    return prove(model, rest_of, graph.example)


def couplings(layers: Mapping[str, Layer], graph: Graph) -> Groups:
    """The groups that the graph shows, without a trial."""
    coupling = couple(graph)
    rows: dict[str, Ids] = {}
    fixed: dict[str, str] = {}
    for name, layer in layers.items():
        if layer.kind in ("embedding", "recurrent", "experts"):
            continue
        classes = _rows(coupling, layer)
        if classes is None:
            runs = _BLOCKED if graph.calls.get(name) else _NEVER
            fixed[name] = _SINGLE if layer.units == 1 else runs
        elif not len(_free(coupling, classes)):
            fixed[name] = coupling.why(np.unique(classes))
        else:
            rows[name] = classes
    groups, orders = {}, {}
    for members in _clusters(coupling, rows):
        order = _order(coupling, [rows[name] for name in members])
        group = _group(coupling, layers, {name: rows[name] for name in members}, order)
        if group.units < 2:
            fixed |= dict.fromkeys(members, _TIED)
        else:
            groups[group.name], orders[group.name] = group, order
    weights = {layer.weight for layer in layers.values()}
    return Groups(groups, fixed, coupling.whole, tuple(_products(coupling, orders, weights)))


def _rows(coupling: Coupling, layer: Layer) -> Ids | None:
    """The class of each unit of a layer; None where there is but one, or it never runs."""
    if layer.rows is None:
        return coupling.outputs.get(layer.name)
    dims = coupling.tensors.get(layer.weight)
    return None if dims is None or dims[0] is None else dims[0][slice(*layer.rows)]


def _free(coupling: Coupling, classes: Ids) -> Ids:
    every: Ids = np.unique(classes)
    free: Ids = every[coupling.solved.first[every] == len(coupling.solved.reasons)]
    return free


def _clusters(coupling: Coupling, rows: Mapping[str, Ids]) -> Iterator[list[str]]:
    """Layers that share classes which may go, in their order."""
    owner: dict[int, list[str]] = {}
    for name, classes in rows.items():
        free = _free(coupling, classes).tolist()
        union: list[str] = [name]
        for cluster in {id(owner[c]): owner[c] for c in free if c in owner}.values():
            union += cluster
            for c, old in owner.items():
                if old is cluster:
                    owner[c] = union
        owner.update(dict.fromkeys(free, union))
    clusters = {id(cluster): set(cluster) for cluster in owner.values()}
    for members in sorted(clusters.values(), key=lambda free: _place(free, rows)):
        yield [name for name in rows if name in members]


def _place(members: set[str], rows: Mapping[str, Ids]) -> int:
    return min(place for place, name in enumerate(rows) if name in members)


def _order(coupling: Coupling, rows: Sequence[Ids]) -> list[int]:
    """The classes that are the units of the group that these rows make, in the units' order."""
    classes = np.concatenate(rows)
    free = set(_free(coupling, classes).tolist())
    return [c for c in dict.fromkeys(classes.tolist()) if c in free]


def _products(
    coupling: Coupling, orders: Mapping[str, list[int]], weights: Collection[str]
) -> Iterator[Product]:
    """Products that no layer's weight is part of, in terms of groups and of their units."""
    names = list(orders)
    owner = np.full(len(coupling.solved.first), -1, np.int64)  # class -> place of its group
    unit = owner.copy()
    for place, order in enumerate(orders.values()):
        owner[order], unit[order] = place, np.arange(len(order))
    for product in coupling.products:
        if product.weights & set(weights):
            continue
        fixed, axes = 1, []
        for size, classes in product.axes:
            owners = np.empty(0, np.int64) if classes is None else owner[classes]
            of = {
                names[k]: torch.from_numpy(np.where(owners == k, unit[classes], -1))
                for k in np.unique(owners[owners >= 0]).tolist()
            }
            fixed *= 1 if of else size
            axes += [(size, of)] if of else []
        if axes:
            yield Product(fixed, tuple(axes))


def _group(
    coupling: Coupling, layers: Mapping[str, Layer], rows: Mapping[str, Ids], order: list[int]
) -> Group:
    unit = np.full(len(coupling.solved.first), -1, np.int64)
    unit[order] = np.arange(len(order))
    places = []
    for tensor, dims in coupling.tensors.items():
        for dim, place in enumerate(dims):
            if place is not None and bool((unit[place] >= 0).any()):
                places.append(Place(tensor, dim, torch.from_numpy(unit[place])))
    lead = next(iter(rows))
    heads = all(c in coupling.heads for c in order)
    return Group(
        lead,
        tuple(rows),
        len(order),
        "head" if heads else layers[lead].unit_word,
        {name: torch.from_numpy(unit[place]) for name, place in rows.items()},
        _consumers(layers, places, rows),
        tuple(places),
    )


def _consumers(
    layers: Mapping[str, Layer], places: list[Place], rows: Mapping[str, Tensor | Ids]
) -> tuple[str, ...]:
    """Layers that lose inputs: dimension 1 of a weight as [units, inputs, ...]."""
    names = []
    for name, layer in layers.items():
        inputs = (0 if layer.turned else 1) + (1 if layer.experts else 0)
        hit = any(place.tensor == layer.weight and place.dim == inputs for place in places)
        if hit and not (name in rows and layer.depthwise):
            names.append(name)
    return tuple(names)
