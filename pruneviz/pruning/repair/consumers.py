"""Which layers take in what removed units put out?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor, nn
from torch.fx import Node

from pruneviz.data import Inputs
from pruneviz.network.calls import Call, WeightListener
from pruneviz.network.forward_pass import at_work
from pruneviz.network.forward_pass import call as answer
from pruneviz.network.graph import Graph
from pruneviz.network.layers import Layer
from pruneviz.network.replica import apply_masks, first_names, replica, state

STATS = ("running_mean", "running_var")
_BATCH_NORM = torch.ops.aten.batch_norm.default
_FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "linear": F.linear,
    "recurrent": F.linear,
    **{f"conv{n}d": getattr(F, f"conv{n}d") for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": getattr(F, f"conv_transpose{n}d") for n in (1, 2, 3)},
}


@dataclass(frozen=True)
class Constant:
    """Where a constant that is added to a layer's outputs can be kept.

    tensor: its name in the state dict. rows: the layer's part of it, if not the whole. sign: 1 in
    a bias, -1 in a running mean, which is taken off.
    """

    tensor: str
    rows: tuple[int, int] | None
    sign: int

    def add(
        self, tensors: Mapping[str, Tensor], repaired: dict[str, Tensor], shift: Tensor
    ) -> None:
        """Enter into `repaired` the tensor with `shift` [units] added to the layer's outputs."""
        new = repaired.get(self.tensor, tensors[self.tensor]).clone()
        part = new if self.rows is None else new[slice(*self.rows)]
        part += self.sign * shift.to(new)
        repaired[self.tensor] = new


@dataclass(frozen=True, eq=False)
class Consumer:
    """A layer of which inputs are cut. kept: bool, like its weight [units, inputs, ...]."""

    layer: Layer
    kept: Tensor
    constant: Constant | None

    @property
    def rows(self) -> Tensor:
        """Bool [units], those of which something is kept."""
        return self.kept.flatten(1).any(1)


class RepairedNetwork:
    """A network that answers with its masks and what was repaired so far; never written to.

    dense: every parameter and buffer. names: of any of them -> its first.
    """

    def __init__(self, model: nn.Module, masks: Mapping[str, Tensor]) -> None:
        self._model = model
        self.names = first_names(model) | _first_buffers(model)
        self.masks = {self.names.get(name, name): mask for name, mask in masks.items()}
        self.dense = state(model)
        # Of the buffers only what batch norms keep: others a network may write to.
        names = set(dict(model.named_parameters())) | {n for n in self.dense if n.endswith(STATS)}
        self._given = [n for n in self.dense if n in names and self.names[n] == n]

    def tensors(self, repaired: Mapping[str, Tensor], *, cut: bool = True) -> dict[str, Tensor]:
        """Parameters and statistics under their first names, masked, `repaired` in their places."""
        whole = {
            name: self.dense[name].clone() if name.endswith(STATS) else self.dense[name]
            for name in self._given
        }
        whole |= {self.names.get(name, name): tensor for name, tensor in repaired.items()}
        return whole | apply_masks(whole, self.masks) if cut else whole

    def run(
        self,
        inputs: Inputs,
        tensors: Mapping[str, Tensor],
        listening: AbstractContextManager[object],
    ) -> None:
        """Send inputs through while somebody listens."""
        with torch.no_grad(), listening, at_work("repairing on calibration samples"):
            answer(replica(self._model), inputs, tensors)

    def listener(
        self,
        tensors: Mapping[str, Tensor],
        heard: Mapping[str, Consumer],
        hear: Callable[[Call], Tensor | None],
    ) -> WeightListener:
        """A mode in which `hear` is told of each use of the weights of `heard` in `tensors`."""
        layers = {name: consumer.layer for name, consumer in heard.items()}
        weights = {layer.weight: tensors[self.names[layer.weight]] for layer in layers.values()}
        return WeightListener(layers, weights, hear)


def consumers(
    layers: Mapping[str, Layer], masks: Mapping[str, Tensor], graph: Graph | None
) -> dict[str, Consumer]:
    """The layers with a row that stays but has inputs cut, by name.

    An embedding multiplies nothing, what meets an expert is not heard, and a weight that several
    modules share is nobody's own.
    """
    result = {}
    for name, layer in layers.items():
        mask = masks.get(layer.weight)
        if mask is None or layer.kind in ("embedding", "experts") or layer.shared:
            continue
        kept = layer.canonical(mask)
        rows = kept.flatten(1)
        if not bool(rows[rows.any(1)].all()):
            result[name] = Consumer(layer, kept, _constant(layer, graph))
    return result


def _first_buffers(model: nn.Module) -> dict[str, str]:
    first: dict[int, str] = {}
    buffers = model.named_buffers(remove_duplicate=False)
    return {name: first.setdefault(id(buffer), name) for name, buffer in buffers}


def apply(call: Call, weight: Tensor, shift: Tensor | None = None) -> Tensor:
    """What the layer called would put out for these inputs with another weight [units, ...]."""
    layer = call.layer
    turned_weight = weight if layer.flat else layer.turn(weight)
    settings: Mapping[str, Any] = call.settings
    return _FUNCTIONS[layer.kind](call.inputs, turned_weight, shift, **settings)


def by_item(call: Call, values: Tensor) -> Tensor:
    """Inputs or outputs of a convolution as a batch, also where it was given no batch."""
    single = not call.layer.flat and values.ndim == len(call.layer.shape) - 1
    return values.unsqueeze(0) if single else values


def plain(call: Call) -> Call:
    """The call with its inputs and output as they stand: which sample is whose does not matter."""
    own = call.part(call.output)
    return replace(
        call, inputs=by_item(call, call.inputs), output=by_item(call, own), samples_second=False
    )


def _constant(layer: Layer, graph: Graph | None) -> Constant | None:
    if layer.bias is not None:
        return Constant(layer.bias, layer.bias_rows, 1)
    calls = graph.calls.get(layer.name, ()) if graph else ()
    users = list(calls[0].users) if len(calls) == 1 else []
    if graph is None or len(users) != 1 or users[0].target is not _BATCH_NORM:
        return None
    norm, mean = users[0], users[0].args[3]
    over_units = not layer.flat or calls[0].meta["val"].ndim == 2
    # A running mean that other layers' outputs meet as well is nobody's own.
    if norm.args[0] is not calls[0] or not isinstance(mean, Node) or not over_units:
        return None
    return Constant(graph.parameters[mean.name], None, -1) if len(mean.users) == 1 else None
