"""Which units can be removed, and what goes with them?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Place:
    """Where a group's units stand in one dimension of one parameter or buffer.

    tensor: its name in the state dict. dim: as it is stored. unit: int64 [size of dim], the unit
    that each entry belongs to, -1 for entries that stay.
    """

    tensor: str
    dim: int
    unit: Tensor


@dataclass(frozen=True)
class Skip:
    """How the code of a network passes a block by.

    path: the innermost module that holds the block; before, after: the nodes of the graph whose
    values go in and come out. silent: modules that put out zeros, through: those that hand on what
    they are given; each with how many values it returns (0: a tensor alone).
    """

    path: str
    before: str
    after: str
    silent: Mapping[str, int]
    through: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Group:
    """Units that can be removed, each with everything of it in every layer.

    name: of the first member. layers: the members, whose output units go, in their order.
    word: what a unit is called ("neuron", "filter", "head", "block"). rows: member -> int64
    [layer.units], the unit that each of its rows belongs to, -1 for rows that stay. consumers:
    layers of which inputs go along. places: all of it, in every tensor. skip: of a block, which is
    one unit of all its layers, how it is passed by.

    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    >>> pv.open(network, torch.randn(40, 4)).groups.groups["0"].consumers
    ('2',)
    """

    name: str
    layers: tuple[str, ...]
    units: int
    word: str
    rows: Mapping[str, Tensor]
    consumers: tuple[str, ...]
    places: tuple[Place, ...]
    skip: Skip | None = None


@dataclass(frozen=True, eq=False)
class Product:
    """A product apart from those of layers (of attention, say) that gets smaller with units.

    fixed: the sizes, multiplied, of its axes in which all stays. axes: the others, each its size
    and which unit of which group its entries belong to: int64, -1 for entries of other groups.
    """

    fixed: int
    axes: tuple[tuple[int, Mapping[str, Tensor]], ...]

    def macs(self, kept: Mapping[str, Tensor]) -> float:
        """Multiply-accumulates for one sample; kept: group -> bool [units], others stay whole."""
        total = float(self.fixed)
        for size, units in self.axes:
            lines = [
                torch.cat([line, line.new_ones(1)])[units[name]]
                for name, line in kept.items()
                if name in units
            ]
            fewest = torch.stack(lines).all(0) if lines else torch.ones(1)
            total *= size * int(fewest.count_nonzero()) / len(fewest)
        return total


@dataclass(frozen=True, eq=False)
class Groups:
    """All groups of a network by name; and why the units of other layers must stay.

    Units of the layers in `fixed` can be masked, each layer for itself, but not removed. whole:
    weights of grouped convolutions that lose whole groups, not the same number from each.
    products: what else is multiplied, and gets smaller with the units.

    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    >>> groups = pv.open(network, torch.randn(40, 4)).groups
    >>> groups.fixed["2"]
    "it is the network's answer"
    """

    groups: Mapping[str, Group] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()
    products: tuple[Product, ...] = ()

    def __post_init__(self) -> None:
        of = {layer: group.name for group in self.groups.values() for layer in group.layers}
        object.__setattr__(self, "_of", of)

    def lead(self, layer: str) -> str:
        """The name of the group that a layer belongs to; its own where it is in none."""
        of: Mapping[str, str] = self._of  # type: ignore[attr-defined]
        return of.get(layer, layer)

    def of(self, layer: str) -> Group | None:
        """The group that a layer belongs to."""
        return self.groups.get(self.lead(layer))

    def members(self, layer: str) -> tuple[str, ...]:
        """The layers that are cut together with this one, itself included."""
        group = self.of(layer)
        return (layer,) if group is None else group.layers


def masks_of(
    group: Group, kept: Tensor, tensors: Mapping[str, Tensor], masks: dict[str, Tensor]
) -> None:
    """Enter into `masks` (tensor name -> bool, True = kept) all that goes with a group's units.

    kept: bool [units]. tensors: the network's state, for shapes.
    """
    with_stay = torch.cat([kept, kept.new_ones(1)])  # -1: what stays
    for place in group.places:
        tensor = tensors[place.tensor]
        line = with_stay[place.unit]
        shape = [1] * tensor.ndim
        if shape:  # a single number has no dimension to be cut in
            shape[place.dim] = len(line)
        mask = masks.get(place.tensor)
        if mask is None:
            mask = torch.ones(tensor.shape, dtype=torch.bool, device=tensor.device)
        masks[place.tensor] = mask & line.to(tensor.device).reshape(shape)
