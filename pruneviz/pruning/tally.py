"""What do all uses of one layer add up to while the calibration data passes?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from pruneviz.data import check_targets
from pruneviz.network.calls import Call
from pruneviz.network.graph import Graph, activation_of
from pruneviz.network.layers import Layer
from pruneviz.network.replica import state
from pruneviz.network.rows import Layout
from pruneviz.network.weight_inputs import (
    by_sample,
    gradient_sums,
    input_squares,
    unit_contributions,
)

Use = tuple[str, int]  # a layer, and how many uses of it came before in the same pass
LARGE = 2**20  # from so many weights on, sums of gradients are kept in float32


class Tally:
    """Running sums of one layer while the calibration data passes through."""

    def __init__(
        self,
        layer: Layer,
        activate: Callable[[Tensor], Tensor],
        classes: int,
        device: torch.device,
        layouts: Mapping[Use, Layout | None],
    ) -> None:
        self.layer, self.activate, self.n = layer, activate, 0
        self.layouts = layouts
        self.labels = torch.empty(0, dtype=torch.int64)
        self.heard: list[tuple[Call, Layout]] = []
        units = layer.units

        def zeros(*shape: int) -> Tensor:
            return torch.zeros(shape, dtype=torch.float64, device=device)

        self.positions = zeros(1)
        self.sums = {key: zeros(units) for key in ("size", "total", "square", "silent")}
        self.by_class = zeros(units, classes)
        self.class_positions = zeros(classes)
        self.input_square: Tensor | float = 0.0
        self.gradients: dict[str, Tensor] = {}
        self.contributions: list[Tensor] = []
        self.samples = 0
        self.mixed = self._felt = False
        self._uses = 0

    @classmethod
    def of(
        cls,
        model: nn.Module,
        layer: Layer,
        graph: Graph | None,
        classes: int,
        layouts: Mapping[Use, Layout | None],
    ) -> Tally:
        """The empty tally of a layer of `model`; without a graph of what it puts out itself."""
        tensors = state(model)
        activate = activation_of(graph, layer, tensors) if graph else _same
        return cls(layer, activate, classes, tensors[layer.weight].device, layouts)

    def begin(self, n: int, targets: Tensor | None) -> None:
        """Expect a batch of n samples."""
        self.n, self._uses = n, 0
        self.labels = torch.zeros(n, dtype=torch.int64, device=self.positions.device)
        if targets is not None and len(self.class_positions) > 1:
            check_targets(targets, len(self.class_positions), "the classes named")
            self.labels = targets.to(self.positions.device)

    def hear(self, call: Call, *, keep: bool) -> Tensor | None:
        """Add one use of the layer; keep: for the gradients that come later.

        Nothing more is added, and `mixed` is true, once it cannot be told which rows are whose.
        """
        layout = self._layout(call)
        self.mixed |= layout is None
        if layout is None or self.mixed:
            return None
        self.samples += self.n if self._uses == 1 else 0
        detached = replace(call, inputs=call.inputs.detach(), output=call.output.detach())
        values = self.activate(detached.part(detached.output))
        active = by_sample(call, values, self.n, layout).double()
        self.positions += active.shape[0] * active.shape[2]
        self.sums["size"] += active.abs().sum((0, 2))
        self.sums["total"] += active.sum((0, 2))
        self.sums["square"] += active.square().sum((0, 2))
        self.sums["silent"] += (active <= 0).sum((0, 2))
        self.by_class.index_add_(1, self.labels, active.sum(2).T)
        counts = torch.full_like(self.labels, active.shape[2], dtype=torch.float64)
        self.class_positions.index_add_(0, self.labels, counts)
        self.input_square = self.input_square + input_squares(detached).double()
        if not keep:
            return None
        self._felt = True
        self.heard.append((replace(call, inputs=detached.inputs), layout))
        return call.output.clone()  # an activation in place must not change the tensor kept here

    def take(self, grads: list[Tensor | None]) -> None:
        """Add one batch's output gradients, one for every use that was kept."""
        felt = [
            ((call, grad.detach()), layout)
            for (call, layout), grad in zip(self.heard, grads, strict=True)
            if grad is not None
        ]
        self.heard.clear()
        if self.mixed or not self._uses:
            return
        units = torch.zeros(self.n, self.layer.units).to(self.positions)
        for (call, grad), layout in felt:
            units += unit_contributions(call, grad, self.n, layout)
        self.contributions.append(units.float())
        if not felt:
            return
        pairs, layouts = zip(*felt, strict=True)
        dtype = torch.float32 if self.layer.size >= LARGE else torch.float64
        for key, total in gradient_sums(pairs, self.n, layouts).items():
            before = self.gradients.get(key)
            self.gradients[key] = total.to(dtype) if before is None else before + total

    def result(self) -> dict[str, Tensor]:
        """The fields of Evidence that were gathered; none for a layer that never ran."""
        if not isinstance(self.input_square, Tensor):
            return {}
        mean = self.sums["total"] / self.positions
        result = {
            "input_norm": self.input_square.sqrt(),
            "activation": self.sums["size"] / self.positions,
            "silence": self.sums["silent"] / self.positions,
            "variance": (self.sums["square"] / self.positions - mean.square()).clamp(min=0),
            "by_class": self.by_class / self.class_positions.clamp(min=1),
        }
        names = {"g": "gradient", "size": "gradient_size", "power": "gradient_power"}
        for key, name in names.items() if self._felt else ():
            # A layer that ran but that the loss does not depend on has no effect: zeros.
            total = self.gradients.get(key, torch.zeros(self.layer.shape).to(self.positions))
            result[name] = total / self.samples
        if self.contributions:
            result["contribution"] = torch.cat(self.contributions)
        return result

    def _layout(self, call: Call) -> Layout | None:
        use, rows = (self.layer.name, self._uses), len(call.rows(call.inputs))
        self._uses += 1
        if self.n == 1:
            return Layout(1, rows)
        usual = call.usual(self.n) if call.samples_second or len(call.inputs) == self.n else None
        layout = self.layouts.get(use, usual)
        return layout if layout is not None and layout.fits(rows, self.n) else None


def _same(output: Tensor) -> Tensor:
    return output
