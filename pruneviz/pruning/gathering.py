"""What does one pass over the calibration data tell of every layer?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from pruneviz.data import Data, check_targets
from pruneviz.network.calling import call as answer
from pruneviz.network.calls import Call, Listening
from pruneviz.network.flow import synaptic_flow
from pruneviz.network.graph import Graph, activation_of
from pruneviz.network.layers import Layer
from pruneviz.network.replica import first_names, leaves, replica, state
from pruneviz.network.unfolding import gradient_sums, input_squares, unit_rows
from pruneviz.pruning.evidence import PARTS, Evidence, weights_only
from pruneviz.tasks import Task, task_for

BATCH = 64
_LARGE = 2**20  # from so many weights on, sums of gradients are kept in float32


def gather(
    model: nn.Module,
    layers: Mapping[str, Layer],
    graph: Graph | None,
    calibration: Data,
    *,
    classes: int,
    task: Task | None = None,
    parts: Collection[str] = tuple(PARTS),
    batch: int = BATCH,
    progress: Callable[[float], None] = lambda done: None,
) -> dict[str, Evidence]:
    """Evidence for every criterion, in one pass over the calibration data.

    One forward and one backward run a batch; per-sample gradients come from each layer's inputs
    and output gradients. Without a graph, activations are taken straight behind each layer.
    classes: columns of by_class; 1 puts all samples into one. task: whose loss is felt; told by
    the data if not given. parts: of PARTS, what is gathered. `progress` is called with the
    fraction done. Raises ValueError on empty data and on labels beyond the outputs.
    """
    if len(calibration) == 0:
        raise ValueError("calibration data is empty; give at least one sample")
    tensors = state(model)
    listeners = {name: layer for name, layer in layers.items() if layer.kind != "embedding"}
    tallies = {
        name: _Tally(
            layer,
            activation_of(graph, layer, tensors) if graph else lambda output: output,
            max(1, classes),
            tensors[layer.weight].device,
        )
        for name, layer in listeners.items()
    }
    if {"activity", "gradients"} & set(parts):
        _pass(model, tallies, calibration, task, parts, batch, progress)
    flow: Mapping[str, Tensor] = {}
    if "flow" in parts and isinstance(calibration.inputs, Tensor):
        flow = _flow(model, layers, calibration.inputs)
    known = weights_only(model, layers, graph)
    return {
        name: replace(known[name], samples=len(calibration))
        if name not in tallies
        else replace(
            known[name],
            samples=tallies[name].samples,
            flow=flow.get(name),
            **tallies[name].result(),  # type: ignore[arg-type]
        )
        for name in layers
    }


def _pass(
    model: nn.Module,
    tallies: Mapping[str, _Tally],
    data: Data,
    task: Task | None,
    parts: Collection[str],
    batch: int,
    progress: Callable[[float], None],
) -> None:
    copy, found, names = replica(model), leaves(model), first_names(model)
    backward = "gradients" in parts

    def hear(call: Call) -> Tensor | None:
        return tallies[call.layer.name].hear(call, keep=backward)

    layers = {name: tally.layer for name, tally in tallies.items()}
    listening = Listening(layers, {name: found[one] for name, one in names.items()}, hear)
    for start in range(0, len(data), batch):
        part = data.take(slice(start, start + batch))
        labels = part.targets
        for tally in tallies.values():
            tally.begin(len(part), labels)
        # Parameters that ask for gradients make every layer's output ask for them too.
        with torch.set_grad_enabled(backward):
            with listening:
                outputs = answer(copy, part.inputs, found)
            if backward:
                task = task or task_for(outputs.detach(), data, None)
                _backward(task, outputs, part, tallies)
        progress(min(1.0, (start + batch) / len(data)))


def _backward(task: Task, outputs: Tensor, part: Data, tallies: Mapping[str, _Tally]) -> None:
    targets = part.targets
    if targets is not None:
        targets = targets.to(outputs.device)
        if task.name == "classes":
            check_targets(targets, outputs.shape[1], "the network's outputs")
    loss = task.loss(outputs, targets).sum()
    heard = [call.output for tally in tallies.values() for call in tally.heard]
    grads = iter(torch.autograd.grad(loss, heard, allow_unused=True))
    for tally in tallies.values():
        tally.take([next(grads) for _ in tally.heard])


def _flow(model: nn.Module, layers: Mapping[str, Layer], inputs: Tensor) -> Mapping[str, Tensor]:
    if not inputs.is_floating_point():
        return {}
    try:
        return synaptic_flow(model, layers, inputs)
    except (RuntimeError, TypeError, ValueError):
        # A network that fixes its own precision cannot run in float64; Evidence says what to do.
        return {}


class _Tally:
    """Running sums of one layer while the calibration data passes through."""

    def __init__(
        self,
        layer: Layer,
        activate: Callable[[Tensor], Tensor],
        classes: int,
        device: torch.device,
    ) -> None:
        self.layer, self.activate, self.n = layer, activate, 0
        self.labels = torch.empty(0, dtype=torch.int64)
        self.heard: list[Call] = []
        units = layer.units

        def zeros(*shape: int) -> Tensor:
            return torch.zeros(shape, dtype=torch.float64, device=device)

        self.positions = zeros(1)
        self.sums = {key: zeros(units) for key in ("size", "total", "square", "silent")}
        self.by_class = zeros(units, classes)
        self.class_positions = zeros(classes)
        self.input_square: Tensor | float = 0.0
        self.gradients: dict[str, Tensor] = {}
        self.samples = 0
        self._ran = self._felt = False

    def begin(self, n: int, targets: Tensor | None) -> None:
        """Expect a batch of n samples."""
        self.n, self._ran = n, False
        self.labels = torch.zeros(n, dtype=torch.int64, device=self.positions.device)
        if targets is not None and len(self.class_positions) > 1:
            check_targets(targets, len(self.class_positions), "the classes named")
            self.labels = targets.to(self.positions.device)

    def hear(self, call: Call, *, keep: bool) -> Tensor | None:
        """Add one use of the layer; keep: for the gradients that come later."""
        self.samples += 0 if self._ran else self.n
        self._ran = True
        detached = replace(call, inputs=call.inputs.detach(), output=call.output.detach())
        values = detached.by_sample(self.activate(detached.part(detached.output)), self.n)
        active = unit_rows(values, self.layer).double()  # [n, units, positions]
        if len(active) == 1:  # used once for all samples
            active = active.expand(self.n, -1, -1)
        self.positions += active.shape[0] * active.shape[2]
        self.sums["size"] += active.abs().sum((0, 2))
        self.sums["total"] += active.sum((0, 2))
        self.sums["square"] += active.square().sum((0, 2))
        self.sums["silent"] += (active <= 0).sum((0, 2))
        self.by_class.index_add_(1, self.labels, active.sum(2).T)
        counts = torch.full_like(self.labels, active.shape[2], dtype=torch.float64)
        self.class_positions.index_add_(0, self.labels, counts)
        self.input_square = self.input_square + input_squares(detached, self.n).double()
        if not keep:
            return None
        self._felt = True
        self.heard.append(replace(call, inputs=detached.inputs))
        return call.output.clone()  # an activation in place must not change the tensor kept here

    def take(self, grads: list[Tensor | None]) -> None:
        """Add one batch's output gradients, one for every use that was kept."""
        pairs = [
            (call, grad.detach())
            for call, grad in zip(self.heard, grads, strict=True)
            if grad is not None
        ]
        self.heard.clear()
        if not pairs:
            return
        kept = torch.float32 if self.layer.size >= _LARGE else torch.float64
        for key, total in gradient_sums(pairs, self.n).items():
            before = self.gradients.get(key)
            self.gradients[key] = total.to(kept) if before is None else before + total

    def result(self) -> dict[str, Tensor]:
        """The fields of Evidence that were gathered; none for a layer that never ran."""
        if not isinstance(self.input_square, Tensor):
            return {}
        mean = self.sums["total"] / self.positions
        found = {
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
            found[name] = total / self.samples
        return found
