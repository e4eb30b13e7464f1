"""What moves together?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from pruneviz.network.groups import Groups
from pruneviz.network.layers import Layer
from pruneviz.plan import UNITS, Plan


@dataclass(frozen=True)
class Slider:
    """Layers that get the same level, and how many items (weights, units or heads) they share.

    name: of the layer, or of the first one of its group.
    """

    name: str
    layers: tuple[str, ...]
    items: int

    def level(self, plan: Plan) -> float:
        """Where it stands."""
        return max((plan.sparsity.get(name, 0.0) for name in self.layers), default=0.0)

    def raise_to(self, plan: Plan, level: float) -> Plan:
        """`plan` with all its layers at this level."""
        return replace(plan, sparsity={**plan.sparsity, **dict.fromkeys(self.layers, level)})


def find_sliders(
    layers: Mapping[str, Layer], groups: Groups | None, granularity: str, out: Collection[str]
) -> tuple[Slider, ...]:
    """One for each layer, or group where whole units are cut, in the network's order.

    groups: None where single weights are cut. out: layers that must not move; they hold their whole
    group.
    """
    sliders: dict[str, Slider] = {}
    for name, layer in layers.items():
        group = groups.of(name) if groups is not None else None
        members = (name,) if group is None else group.layers
        lead = name if group is None else group.name
        if lead in sliders or any(member in out for member in members):
            continue
        items = layer.size if granularity not in UNITS else layer.units
        sliders[lead] = Slider(lead, members, items if group is None else group.units)
    return tuple(sliders.values())
