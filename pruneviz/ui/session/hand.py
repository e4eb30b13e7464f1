"""What does a hand on single units and weights make of a plan?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pruneviz.network.layers import Layer
from pruneviz.plan import Plan, pattern
from pruneviz.pruning.pins import hands
from pruneviz.ui.board import ALL
from pruneviz.workbench import Workbench
from pruneviz.workbench.units import by_unit, groups_for, unit_of_row

Pins = dict[str, dict[str, bool]]
Block = tuple[int, int, int, int]  # first row, the row behind the last; the same of inputs


def by_hand(bench: Workbench, plan: Plan, name: str, places: Mapping[str, bool | None]) -> Plan:
    """`plan` with places of one layer cut (False), kept (True) or given back (None) by hand.

    A unit is one of the whole group, whichever member's row is named. Giving back a block gives
    back all that touches it; `ALL` is the whole layer. ValueError names what is not there.
    """
    if name not in bench.layer_of:
        raise ValueError(f"no layer {name!r} to cut by hand")
    if pattern(plan.granularity) is not None:
        raise ValueError(f"{plan.granularity} says how many weights stay: none is pinned by hand")
    members = groups_for(bench, plan).members(name)
    pins = {each: dict(pinned) for each, pinned in plan.pinned.items()}
    if ALL in places:
        pins |= {member: {} for member in members}
    strokes = {place: kept for place, kept in places.items() if place != ALL}
    if by_unit(plan):
        groups = groups_for(bench, plan)
        rows = {member: unit_of_row(groups, bench.layer_of[member]) for member in members}
        return replace(plan, pinned=_with_units(pins, rows, name, strokes))
    pins[name] = _with_blocks(pins.get(name, {}), bench.layer_of[name], strokes)
    return replace(plan, pinned=pins)


def counts_by_hand(bench: Workbench, plan: Plan) -> dict[str, tuple[int, int]]:
    """Layer -> how many of its items were cut and kept by hand, in the layers where some were."""
    groups = groups_for(bench, plan)
    counts_of: dict[str, tuple[int, int]] = {}
    for lead, sign in hands(plan, bench.layer_of, groups).items():
        counts = int((sign < 0).sum()), int((sign > 0).sum())
        counts_of |= dict.fromkeys(groups.members(lead), counts)
    return counts_of


def valid_pins(plan: Plan, granularity: str) -> Pins:
    """The pins of `plan` that can hold under another granularity, by their form.

    A whole row is one under single weights and neurons alike; a row of a head or of a block is not
    all of it.
    """
    if granularity == plan.granularity:
        return {name: dict(places) for name, places in plan.pinned.items()}
    if pattern(granularity) is not None or {"head", "block"} & {granularity, plan.granularity}:
        return {}
    pins = {
        name: {place: pins for place, pins in places.items() if ":" not in place}
        for name, places in plan.pinned.items()
    }
    return {name: places for name, places in pins.items() if places}


def that_fit(bench: Workbench, plan: Plan, whole: Mapping[str, str]) -> Pins:
    """The pins of `plan` in layers that can be cut (not in `whole`), on units that can go."""
    groups = groups_for(bench, plan)
    pins: Pins = {}
    for name, places in plan.pinned.items():
        if name in whole:
            continue
        unit = unit_of_row(groups, bench.layer_of[name]) if by_unit(plan) else None
        fit = {p: kept for p, kept in places.items() if unit is None or unit[int(p)] >= 0}
        if fit:
            pins[name] = fit
    return pins


def loss_text(before: Plan, after: Plan) -> str | None:
    """A sentence on what had to be given back between two plans, or None."""
    number = sum(len(places) for places in before.pinned.values())
    number -= sum(len(places) for places in after.pinned.values())
    if number <= 0:
        return None
    what = "place" if number == 1 else "places"
    return (
        f"{number} {what} cut or kept by hand had to be given back: "
        f"{after.granularity} cannot hold {'it' if number == 1 else 'them'}."
    )


def _with_units(
    pins: Pins,
    rows: Mapping[str, NDArray[np.int64]],
    name: str,
    places: Mapping[str, bool | None],
) -> Pins:
    unit = rows[name]
    for place in places:
        if ":" in place or int(place) >= len(unit):
            raise ValueError(f"{place!r} is no unit of {name!r}, which has {len(unit)}")
    free = {place: kept for place, kept in places.items() if unit[int(place)] >= 0}
    if places and not free:
        raise ValueError(f"this part of {name!r} must stay: it belongs to no unit that can be cut")
    places = free
    strokes = {int(unit[int(place)]) for place in places}
    result = dict(pins)
    for member, units in rows.items():
        old = pins.get(member, {})
        result[member] = {p: kept for p, kept in old.items() if int(units[int(p)]) not in strokes}
    once = {int(unit[int(place)]): place for place in reversed(places)}
    result[name] |= {p: kept for p in once.values() if (kept := places[p]) is not None}
    return result


def _with_blocks(
    old: Mapping[str, bool], layer: Layer, places: Mapping[str, bool | None]
) -> dict[str, bool]:
    result = dict(old)
    for place, kept in places.items():
        block = _block(layer, place)
        gone = _touches if kept is None else _covers
        result = {p: k for p, k in result.items() if not gone(block, _block(layer, p))}
        if kept is not None:
            result[place] = kept  # the last: later ones win
    return result


def _block(layer: Layer, place: str) -> Block:
    inputs = layer.size // layer.units
    if ":" in place:
        top, bottom, left, right = (int(x) for part in place.split(",") for x in part.split(":"))
    else:
        top, bottom, left, right = int(place), int(place) + 1, 0, inputs
    if not (top < bottom <= layer.units and left < right <= inputs):
        raise ValueError(
            f"{place!r} is no block of {layer.name!r}, which has {layer.units} rows of {inputs}"
        )
    return top, bottom, left, right


def _touches(one: Block, other: Block) -> bool:
    rows = one[0] < other[1] and other[0] < one[1]
    return rows and one[2] < other[3] and other[2] < one[3]


def _covers(one: Block, other: Block) -> bool:
    rows = one[0] <= other[0] and other[1] <= one[1]
    return rows and one[2] <= other[2] and other[3] <= one[3]
