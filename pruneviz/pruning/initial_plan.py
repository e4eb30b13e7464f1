"""Which plan cuts what a network came without?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from pruneviz.network.layers import Layer
from pruneviz.plan import Plan

_PLACES = 500  # that may be pinned in a layer: each is a line of the plan


def beginning(
    layers: Mapping[str, Layer],
    masks: Mapping[str, Tensor],
    weight: Callable[[str], Tensor],
) -> Plan:
    """The plan whose masks are those that a network came with; dense where it came with none.

    masks: parameter -> bool, True = kept; the weights are zero where they cut, so that magnitude
    cuts there first. weight: of a layer, as [units, inputs, ...]. Weights that are kept and zero
    all the same are pinned; where they are too many to name, they are cut as well.
    """
    levels, pins = {}, {}
    for name, layer in layers.items():
        mask = masks.get(layer.weight)
        if mask is None or bool(mask.all()):
            continue
        kept = layer.canonical(mask).reshape(layer.units, -1)
        zero = weight(name).reshape(layer.units, -1) == 0
        if not bool(zero[~kept].all()):  # trained since: there are no zeros to begin with
            continue
        cut, places = ~kept, _places(kept & zero)
        if len(places) > _PLACES:
            cut, places = zero, []
        if bool(cut.any()):
            levels[name] = int(cut.count_nonzero()) / layer.size
            pins[name] = dict.fromkeys(places, True)
    return Plan(sparsity=levels, pinned=pins)


def _places(entries: Tensor) -> list[str]:
    """Single entries of [units, inputs] as a plan names them: "2:3,0:1"."""
    where: list[list[int]] = torch.nonzero(entries)[: _PLACES + 1].tolist()
    return [f"{row}:{row + 1},{column}:{column + 1}" for row, column in where]
