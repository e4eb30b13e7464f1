"""Which layers move as one, and what goes with one of their units?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from pruneviz.network.graph import belongings
from pruneviz.network.groups import Group, Groups, Place
from pruneviz.network.layers import Layer
from pruneviz.plan import UNITS, Plan
from pruneviz.workbench import Workbench
from pruneviz.workbench.block_table import block_name

_WITH = "moves together with "


def by_unit(plan: Plan) -> bool:
    """Whether the plan cuts whole units."""
    return plan.granularity in UNITS


def groups_for(bench: Workbench, plan: Plan) -> Groups:
    """The groups that the plan's units stand in; none where single weights are cut."""
    return bench.graph_cache.groups_for(plan.granularity) or Groups()


def unit_of_row(groups: Groups, layer: Layer) -> NDArray[np.int64]:
    """The unit that each row of a layer belongs to, -1 for rows that stay."""
    group = groups.of(layer.name)
    return np.arange(layer.units) if group is None else group.rows[layer.name].cpu().numpy()


def unit_facts(bench: Workbench, groups: Groups, layer: Layer) -> dict[str, object]:
    """What a scene says of the units of a layer.

    item_params: parameters that go with one unit of the whole group. rows: the share of the
    layer's rows that are units. inputs: [group, share of the layer's inputs that go with it].
    """
    group = groups.of(layer.name)
    facts: dict[str, object] = {
        "items": layer.units,
        "word": layer.unit_word if group is None else group.word,
        "group": None,
        "members": [layer.name],
        "removable": group is not None,
        "why": groups.fixed.get(layer.name),
        "rows": 1.0,
        "inputs": _inputs(groups, layer),
    }
    if group is None:
        inputs = layer.size // layer.units
        return facts | {"item_params": inputs + len(belongings(bench.graph, layer))}
    rows = group.rows[layer.name]
    together = len(group.layers) > 1
    return facts | {
        "items": group.units,
        "group": group.name if together else None,
        "members": list(group.layers),
        "rows": float((rows >= 0).float().mean()),
        "item_params": _params(bench, group),
    }


def block_order(bench: Workbench, plan: Plan, groups: Groups) -> dict[str, int]:
    """Block -> how many others the plan's criterion leaves out before it; none without blocks."""
    names = {name: 0.0 for name, group in groups.groups.items() if group.skip is not None}
    if not names:
        return {}
    rankings = bench.rankings(replace(plan, scope="layer", sparsity=names, pinned={}))
    order = sorted(names, key=lambda name: float(rankings[name].scores[0]))
    return {name: place for place, name in enumerate(order)}


def block_facts(groups: Groups, name: str, order: Mapping[str, int]) -> dict[str, object]:
    """What a scene says of a layer in a block: how its row is called, whether another stands for
    it, and its place in `block_order`.
    """
    group = groups.of(name)
    if group is None or group.skip is None:
        return {}
    return {"label": block_name(group), "follows": name != group.name, "place": order[group.name]}


def products(groups: Groups) -> list[dict[str, object]]:
    """What else is multiplied: macs; axes: for each, [group, share of it that is its units]."""
    return [
        {
            "macs": product.macs({}),
            "axes": [
                [[name, float((unit >= 0).float().mean())] for name, unit in units.items()]
                for _, units in product.axes
            ],
        }
        for product in groups.products
    ]


def _params(bench: Workbench, group: Group) -> float:
    """Parameters that go with one unit of a group, on average; those counted twice are not many."""
    own = dict(bench.source.model.named_parameters(remove_duplicate=False))
    places = [place for place in group.places if place.tensor in own]
    return sum(_entries(own[place.tensor], place) for place in places) / group.units


def _entries(tensor: torch.Tensor, place: Place) -> int:
    return int((place.unit >= 0).sum()) * (tensor.numel() // tensor.shape[place.dim])


def input_units(groups: Groups, layer: Layer) -> dict[str, NDArray[np.int64]]:
    """Group -> the unit of it that each input of a layer is, -1 for inputs that are none."""
    dim = 0 if layer.turned else 1
    return {
        group.name: place.unit.cpu().numpy()
        for group in groups.groups.values()
        if layer.name in group.consumers
        for place in group.places
        if place.tensor == layer.weight and place.dim == dim
    }


def _inputs(groups: Groups, layer: Layer) -> list[list[object]]:
    units = input_units(groups, layer)
    return [[name, float((unit >= 0).mean())] for name, unit in units.items()]


# -- levels and locks --------------------------------------------------------------------------


def even(
    groups: Groups, levels: Mapping[str, float], choose: Callable[[list[str]], float]
) -> dict[str, float]:
    """Levels in which the members of each group share one; `choose` tells it where they differ.

    Only layers that are named count; `choose` is given those of one group.
    """
    result = dict(levels)
    for group in groups.groups.values():
        members = [name for name in group.layers if name in levels]
        if len({levels[name] for name in members}) > 1:
            result |= dict.fromkeys(members, choose(members))
    return result


def last_moved(
    bench: Workbench, before: Mapping[str, float], levels: Mapping[str, float]
) -> Callable[[list[str]], float]:
    """The level of the member that was moved; of members that always differed their mean."""

    def choose(members: list[str]) -> float:
        movers = [name for name in members if levels[name] != before.get(name, 0.0)]
        if movers:
            return levels[movers[0]]
        sizes = {name: bench.layer_of[name].size for name in members}
        mean = sum(levels[name] * size for name, size in sizes.items()) / sum(sizes.values())
        return round(mean, 4)

    return choose


def with_members(groups: Groups, levels: Mapping[str, float]) -> dict[str, float]:
    """Levels of a plan that names some members only: the others share theirs, as in the engine."""
    result = dict(levels)
    for group in groups.groups.values():
        own = [levels[name] for name in group.layers if name in levels]
        if len(set(own)) > 1 and len({level for level in own if level}) > 1:
            continue  # the engine refuses it, by name
        if own:
            result |= dict.fromkeys(group.layers, max(own))
    return result


def lock_together(groups: Groups, locked: Mapping[str, str]) -> dict[str, str]:
    """Locks in which one locked member locks its whole group."""
    reasons = dict(locked)
    for name in locked:
        for member in groups.members(name):
            reasons.setdefault(member, f"{_WITH}{name}")
    return reasons


def own_locks(locked: Mapping[str, str]) -> dict[str, str]:
    """The locks without those that only followed another member's."""
    return {name: why for name, why in locked.items() if not why.startswith(_WITH)}


def once_each(groups: Groups, names: list[str]) -> list[str]:
    """These layers, of each group one only."""
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(groups.lead(name), name)
    return list(first.values())


# -- what the masks show beyond a layer's own units --------------------------------------------


def inputs_cut(
    bench: Workbench,
    plan: Plan,
    focus: str,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> NDArray[np.int32] | None:
    """Bits of the drawn cells of a layer that are cut because units before it are; None: none.

    Rows that are cut themselves show what would be cut there if they were kept.
    """
    if not by_unit(plan):
        return None
    pruned, layer, groups = bench.masks(plan), bench.layer_of[focus], groups_for(bench, plan)
    mask = pruned.masks[focus]
    if not any(mask.stride()):  # one element for all: nothing is cut
        return None
    cells = mask[torch.from_numpy(rows)].flatten(1)[:, torch.from_numpy(columns)]
    cut = ~cells.cpu().numpy()
    units = pruned.units.get(groups.lead(focus))
    if units is not None:
        unit = unit_of_row(groups, layer)[rows]
        own = (unit >= 0) & ~units.cpu().numpy()[np.maximum(unit, 0)]
        cut[own] = cut[~own].all(0) if not own.all() else False
    if not cut.any():
        return None
    bits = np.packbits(cut, axis=None, bitorder="little")
    return np.pad(bits, (0, -len(bits) % 4)).view("<i4")
