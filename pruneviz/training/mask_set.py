"""How does what was cut stay cut while a network trains?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from pruneviz.network.layers import Layer


@dataclass(frozen=True)
class MaskPairs:
    """Parameters, each with its mask as zeros and ones of its kind, made once for many steps.

    Multiplied, which on a CPU takes a fifteenth of the time that filling under a bool mask does;
    what is not finite there becomes NaN, and `Stepper.check` looks for that.
    """

    pairs: tuple[tuple[nn.Parameter, Tensor], ...] = ()

    def hold_gradients_(self) -> None:
        """Zero what is cut of the gradients, so that no momentum can gather there."""
        for parameter, kept in self.pairs:
            if parameter.grad is not None:
                parameter.grad.mul_(kept)

    def hold_weights_(self) -> None:
        """Zero what is cut of the parameters."""
        with torch.no_grad():
            for parameter, kept in self.pairs:
                parameter.mul_(kept)


@dataclass(frozen=True)
class MaskSet:
    """Masks that hold; a new object at each change.

    parameters: parameter name -> bool of its shape, True = kept; only what is cut somewhere.
    layers: layer -> bool of its weight's shape. units: lead of a group, or layer in none -> bool
    [units], where whole units are cut.
    """

    parameters: Mapping[str, Tensor] = field(default_factory=dict)
    layers: Mapping[str, Tensor] = field(default_factory=dict)
    units: Mapping[str, Tensor] = field(default_factory=dict)

    def hold_weights_(self, network: nn.Module) -> None:
        """Zero what is cut of the network's parameters."""
        with torch.no_grad():
            for parameter, cut in self._cut_places(network):
                parameter.masked_fill_(cut, 0)

    def grip(self, network: nn.Module) -> MaskPairs:
        """The masks as each step needs them; for this network as long as these masks hold."""
        return MaskPairs(tuple((p, (~cut).to(p.dtype)) for p, cut in self._cut_places(network)))

    def hold_momentum_(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Zero what is cut of all that the optimiser remembers of each weight."""
        for parameter, cut in self._cut_places(network):
            for value in optimizer.state.get(parameter, {}).values():
                if isinstance(value, Tensor) and value.shape == parameter.shape:
                    value.masked_fill_(cut, 0)

    def count_revived(self, network: nn.Module) -> dict[str, int]:
        """Parameter -> how many weights that are cut are not exactly zero; empty if all hold."""
        names = dict(network.named_parameters(remove_duplicate=False))
        counts = {
            name: int(
                names[name].detach().masked_select(~mask.to(names[name].device)).count_nonzero()
            )
            for name, mask in self.parameters.items()
        }
        return {name: count for name, count in counts.items() if count}

    @property
    def gone(self) -> int:
        """How many parameters are cut."""
        return sum(m.numel() - int(m.count_nonzero()) for m in self.parameters.values())

    def _cut_places(self, network: nn.Module) -> list[tuple[nn.Parameter, Tensor]]:
        names = dict(network.named_parameters(remove_duplicate=False))
        return [
            (names[name], ~mask.to(names[name].device)) for name, mask in self.parameters.items()
        ]


def enter(mask_view: Tensor, layer: Layer, mask: Tensor) -> Tensor:
    """A parameter's mask with that of one layer in its place."""
    if layer.rows is None:
        return layer.turn(mask)
    new = mask_view.clone()
    new[slice(*layer.rows)] = layer.turn(mask)
    return new
