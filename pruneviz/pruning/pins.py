"""What was cut or kept by hand, item by item?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from pruneviz.network.groups import Groups
from pruneviz.network.layers import Layer
from pruneviz.plan import UNITS, Plan


def check_pins(plan: Plan, layers: Mapping[str, Layer]) -> None:
    """ValueError naming the layer and the place when a pin is not inside the network."""
    for name, places in plan.pinned.items():
        layer = layers.get(name)
        if layer is None:
            raise ValueError(f"no layer {name!r} to pin; there are {', '.join(list(layers)[:10])}")
        inputs = layer.size // layer.units
        for place in places:
            rows, columns = _bounds(place, inputs)
            empty = rows.start >= rows.stop or columns.start >= columns.stop
            if empty or rows.stop > layer.units or columns.stop > inputs:
                raise ValueError(
                    f"pinned place {place!r} is not in layer {name!r}, which has {layer.units} "
                    f"units of {inputs} weights"
                )


def hands(
    plan: Plan, layers: Mapping[str, Layer], groups: Groups | None = None
) -> dict[str, Tensor]:
    """What is pinned: int8 of the items' shape, 1 = kept, -1 = cut by hand, 0 = neither.

    By layer; with granularities of whole units by the lead of the layer's group, [units]. Raises
    ValueError for a row that belongs to no unit of its group.
    """
    signs: dict[str, Tensor] = {}
    for name, places in plan.pinned.items():
        layer = layers[name]
        group = groups.of(name) if groups is not None and plan.granularity in UNITS else None
        if plan.granularity not in UNITS:
            sign = signs.setdefault(name, torch.zeros(layer.shape, dtype=torch.int8))
            flat = sign.view(layer.units, -1)
            for place, kept in places.items():
                rows, columns = _bounds(place, flat.shape[1])
                flat[rows, columns] = 1 if kept else -1
            continue
        units = layer.units if group is None else group.units
        lead = name if group is None else group.name
        sign = signs.setdefault(lead, torch.zeros(units, dtype=torch.int8))
        for place, kept in places.items():
            unit = int(place) if group is None else int(group.rows[name][int(place)])
            if unit < 0:
                raise ValueError(f"unit {place} of layer {name!r} is in no group and must stay")
            sign[unit] = 1 if kept else -1
    return signs


def _bounds(place: str, inputs: int) -> tuple[slice, slice]:
    if ":" not in place:
        return slice(int(place), int(place) + 1), slice(0, inputs)
    rows, columns = (part.split(":") for part in place.split(","))
    return slice(int(rows[0]), int(rows[1])), slice(int(columns[0]), int(columns[1]))
