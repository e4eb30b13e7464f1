"""Which layers of a network may be pruned?"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import nn

KINDS: dict[type[nn.Module], str] = {
    nn.Linear: "linear",
    nn.Conv1d: "conv1d",
    nn.Conv2d: "conv2d",
    nn.Conv3d: "conv3d",
}


@dataclass(frozen=True)
class Layer:
    """One layer that may be pruned, called by its module path.

    shape: of the weight, [output units, inputs (per group), kernel ...].
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    has_bias: bool

    @property
    def weight(self) -> str:
        """The weight's name in the state dict."""
        return f"{self.name}.weight" if self.name else "weight"

    @property
    def bias(self) -> str | None:
        """The bias's name in the state dict."""
        return self.weight.removesuffix("weight") + "bias" if self.has_bias else None

    @property
    def units(self) -> int:
        """Output units: neurons of a linear layer, filters of a convolution."""
        return self.shape[0]

    @property
    def size(self) -> int:
        """Number of weights."""
        return math.prod(self.shape)

    @property
    def unit_word(self) -> str:
        """What one output unit is called."""
        return "neuron" if self.kind == "linear" else "filter"


def find_layers(model: nn.Module) -> dict[str, Layer]:
    """The layers of `model` that may be pruned, by name, in the order of its modules.

    A weight that two modules share is listed once, under the first of them. Subclasses that
    compute something else with their weight (quantised ones, say) are not guessed at: only the
    exact classes of KINDS are listed. ValueError when there are none.
    """
    layers: dict[str, Layer] = {}
    seen: set[int] = set()
    for name, module in model.named_modules():
        kind = KINDS.get(type(module))
        if kind is None or id(module.weight) in seen:
            continue
        assert isinstance(module.weight, nn.Parameter)
        seen.add(id(module.weight))
        layers[name] = Layer(name, kind, tuple(module.weight.shape), module.bias is not None)
    if not layers:
        raise ValueError(
            f"{type(model).__name__} has no layer that can be pruned; "
            f"known kinds are {', '.join(KINDS.values())}"
        )
    return layers
