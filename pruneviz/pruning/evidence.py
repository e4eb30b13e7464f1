"""What may a criterion look at?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor, nn

from pruneviz.graph import Graph, activation_of, norm_scale
from pruneviz.pruning.layers import KINDS, Layer
from pruneviz.pruning.unfolding import rows_of, unit_rows
from pruneviz.replica import first_names, replica, state
from pruneviz.sources import Data
from pruneviz.sources.checks import check_targets

BATCH = 64


@dataclass(frozen=True)
class Evidence:
    """What is known about one layer; fields that were not gathered are None.

    weight: [units, ...], dense. seed: of the random criterion. samples: how many calibration
    samples reached the layer, None before any were sent.
    scale: [units], the batch-norm scale behind each unit.
    input_norm: [1, ...] broadcasting over the weight: L2 norm of the input that each weight
    multiplies, over all calibration samples and positions (grouped convolutions: [units, ...]).
    activation, silence, variance: [units], over samples and positions of the unit's activation
    (behind its own batch norm and activation function): mean of |a|, fraction of a <= 0, variance.
    by_class: [units, classes], mean activation for the samples of each class.
    gradient, gradient_size, gradient_power: like weight; mean over samples of g, |g| and g²,
    g being the gradient of that sample's cross-entropy.
    flow: like weight, the gradient of SynFlow's R (no data).
    """

    layer: Layer
    weight: Tensor
    seed: int = 0
    samples: int | None = None
    scale: Tensor | None = None
    input_norm: Tensor | None = None
    activation: Tensor | None = None
    silence: Tensor | None = None
    variance: Tensor | None = None
    by_class: Tensor | None = None
    gradient: Tensor | None = None
    gradient_size: Tensor | None = None
    gradient_power: Tensor | None = None
    flow: Tensor | None = None

    def has(self, need: str) -> bool:
        """Whether the field `need` was gathered."""
        return getattr(self, need) is not None

    def of(self, need: str) -> Tensor:
        """The field `need`; ValueError names it and the layer when it was not gathered."""
        value = getattr(self, need)
        if value is None:
            why = (
                _NO_SCALE if need == "scale" else _NOT_SENT if self.samples is None else _NEVER_RAN
            )
            raise ValueError(f"layer {self.layer.name!r} has no {need!r}: {why}")
        assert isinstance(value, Tensor)
        return value


_NOT_SENT = "gather evidence on calibration data first"
_NEVER_RAN = "it never ran on the calibration data; leave it dense"
_NO_SCALE = "no batch norm follows it; choose another criterion or leave the layer dense"


def weights_only(
    model: nn.Module, layers: Mapping[str, Layer], graph: Graph | None = None
) -> dict[str, Evidence]:
    """What needs no data: weights and, where the graph shows them, batch-norm scales."""
    tensors = state(model)
    found = {}
    for name, layer in layers.items():
        scale = norm_scale(graph, layer) if graph else None
        found[name] = Evidence(
            layer, tensors[layer.weight], scale=tensors[scale] if scale else None
        )
    return found


def gather(
    model: nn.Module,
    layers: Mapping[str, Layer],
    graph: Graph | None,
    calibration: Data,
    *,
    classes: int,
    progress: Callable[[float], None] = lambda done: None,
) -> dict[str, Evidence]:
    """Evidence for every criterion, in one pass over the calibration data.

    One forward and one backward run a batch; per-sample gradients come from each layer's inputs
    and output gradients. Without a graph, activations are taken straight behind each layer.
    `progress` is called with the fraction done. Raises ValueError on empty data.
    """
    if len(calibration) == 0:
        raise ValueError("calibration data is empty; give at least one sample")
    check_targets(calibration.targets, classes, "the classes named")
    copy, tensors = replica(model), state(model)
    tallies = {
        name: _Tally(
            layer,
            _modules_with(copy, name),
            activation_of(graph, layer, tensors) if graph else lambda output: output,
            classes,
        )
        for name, layer in layers.items()
    }
    with _listening(tallies):
        for start in range(0, len(calibration), BATCH):
            inputs = calibration.inputs[start : start + BATCH]
            targets = calibration.targets[start : start + BATCH]
            for tally in tallies.values():
                tally.targets = targets
            with torch.enable_grad():
                # A leaf that asks for gradients makes every layer's output ask for them too.
                loss = F.cross_entropy(copy(inputs.clone().requires_grad_()), targets)
                outputs = [output for t in tallies.values() for *_, output in t.heard]
                grads = iter(torch.autograd.grad(loss * len(targets), outputs, allow_unused=True))
            for tally in tallies.values():
                tally.take([next(grads) for _ in tally.heard])
            progress(min(1.0, (start + BATCH) / len(calibration)))
    flow = synaptic_flow(model, layers, calibration.inputs[:1])
    known = weights_only(model, layers, graph)
    return {
        name: replace(known[name], samples=tally.samples, flow=flow[name], **tally.result())  # type: ignore[arg-type]
        for name, tally in tallies.items()
    }


def synaptic_flow(
    model: nn.Module, layers: Mapping[str, Layer], example: Tensor
) -> dict[str, Tensor]:
    """∂R/∂θ of every layer's weight, R the sum of the outputs for an input of ones.

    All weights are made positive and biases and batch-norm means zero, in float64, so that R is
    the total flow through the network (Tanaka et al. 2020, eq. 4; one round).
    """
    copy = replica(model)
    values: dict[str, Tensor] = {}
    names = first_names(model)
    for name, tensor in state(model).items():
        if names.get(name, name) != name or not tensor.is_floating_point():
            continue
        silent = name.endswith(("bias", "running_mean"))
        value = torch.zeros_like(tensor) if silent else tensor.abs()
        values[name] = value.double()
    leaves = [values[names[layer.weight]].requires_grad_() for layer in layers.values()]
    with torch.enable_grad():
        ones = torch.ones_like(example[:1], dtype=torch.float64)
        total = torch.func.functional_call(copy, values, (ones,)).sum()
        grads = torch.autograd.grad(total, leaves, allow_unused=True)
    return {
        layer.name: torch.zeros(layer.shape) if grad is None else grad
        for layer, grad in zip(layers.values(), grads, strict=True)
    }


class _Tally:
    """Running sums of one layer while the calibration data passes through."""

    def __init__(
        self,
        layer: Layer,
        modules: tuple[nn.Module, ...],
        activate: Callable[[Tensor], Tensor],
        classes: int,
    ) -> None:
        self.layer, self.modules, self.activate = layer, modules, activate
        self.targets = torch.empty(0, dtype=torch.int64)
        self.heard: list[tuple[nn.Module, Tensor, Tensor]] = []
        device = next(modules[0].parameters()).device
        zeros = {"dtype": torch.float64, "device": device}
        units = layer.units
        self.positions = torch.zeros(1, **zeros)  # type: ignore[call-overload]
        self.sums = {
            key: torch.zeros(units, **zeros)  # type: ignore[call-overload]
            for key in ("size", "total", "square", "silent")
        }
        self.by_class = torch.zeros(units, classes, **zeros)  # type: ignore[call-overload]
        self.class_positions = torch.zeros(classes, **zeros)  # type: ignore[call-overload]
        self.input_square: Tensor | float = 0.0
        self.gradients: dict[str, Tensor | float] = {"g": 0.0, "size": 0.0, "power": 0.0}
        self.samples = 0

    def hear(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        self.heard.append((module, inputs[0].detach(), output))
        active = unit_rows(self.activate(output.detach()), self.layer).double()  # [n, units, p]
        self.positions += active.shape[0] * active.shape[2]
        self.sums["size"] += active.abs().sum((0, 2))
        self.sums["total"] += active.sum((0, 2))
        self.sums["square"] += active.square().sum((0, 2))
        self.sums["silent"] += (active <= 0).sum((0, 2))
        self.by_class.index_add_(1, self.targets, active.sum(2).T)
        counts = torch.full_like(self.targets, active.shape[2], dtype=torch.float64)
        self.class_positions.index_add_(0, self.targets, counts)
        return output.clone()  # an activation in place must not change the tensor kept here

    def take(self, grads: list[Tensor | None]) -> None:
        """Add one batch's inputs and output gradients, one of each for every call heard."""
        pairs = []
        for (module, inputs, _), grad in zip(self.heard, grads, strict=True):
            rows = rows_of(inputs, module)  # [n, groups, fan-in, positions]
            self.input_square = self.input_square + rows.square().sum((0, 3)).double()
            if grad is not None:
                outer = unit_rows(grad.detach(), self.layer)  # [n, units, positions]
                pairs.append((outer.reshape(*rows.shape[:2], -1, rows.shape[3]), rows))
        if pairs:
            for key, total in gradient_sums(pairs).items():
                shaped = total.double().reshape(self.layer.shape)
                self.gradients[key] = self.gradients[key] + shaped
        self.samples += len(self.targets) if self.heard else 0
        self.heard.clear()

    def result(self) -> dict[str, Tensor]:
        """The fields of Evidence that were gathered; none for a layer that never ran."""
        shape = self.layer.shape
        if not isinstance(self.input_square, Tensor):
            return {}
        groups = self.input_square.shape[0]
        norm = self.input_square.sqrt()
        if groups > 1:  # the inputs of a group meet all of its units
            norm = norm.repeat_interleave(shape[0] // groups, 0)
        mean = self.sums["total"] / self.positions
        found = {
            "input_norm": norm.reshape(-1, *shape[1:]),
            "activation": self.sums["size"] / self.positions,
            "silence": self.sums["silent"] / self.positions,
            "variance": (self.sums["square"] / self.positions - mean.square()).clamp(min=0),
            "by_class": self.by_class / self.class_positions.clamp(min=1),
        }
        names = {"g": "gradient", "size": "gradient_size", "power": "gradient_power"}
        for key, name in names.items():
            total = torch.as_tensor(self.gradients[key], dtype=torch.float64)
            found[name] = (total / self.samples).expand(shape)
        return found


def gradient_sums(pairs: Sequence[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    """Sums over samples of g, |g| and g², g = Σ over calls and positions of outer · rowᵀ.

    pairs: for each call of the layer, output gradients [n, groups, units, positions] and
    unfolded inputs [n, groups, fan-in, positions]. Returns "g", "size", "power":
    [groups, units, fan-in].
    """
    if len(pairs) == 1 and pairs[0][1].shape[3] == 1:
        # With one position g is an outer product, and so are |g| and g²: no tensor per sample.
        outer, rows = pairs[0][0][..., 0], pairs[0][1][..., 0]
        parts = {"g": (outer, rows), "size": (outer.abs(), rows.abs())}
        parts["power"] = (outer.square(), rows.square())
        return {key: torch.einsum("ngo,ngi->goi", *both) for key, both in parts.items()}
    each = sum(torch.einsum("ngop,ngip->ngoi", outer, rows) for outer, rows in pairs)
    assert isinstance(each, Tensor)
    return {"g": each.sum(0), "size": each.abs().sum(0), "power": each.square().sum(0)}


def _modules_with(model: nn.Module, name: str) -> tuple[nn.Module, ...]:
    # A tied weight is one weight: what reaches it by any of its modules counts.
    weight = model.get_submodule(name).weight
    return tuple(m for m in model.modules() if type(m) in KINDS and m.weight is weight)


@contextmanager
def _listening(tallies: Mapping[str, _Tally]) -> Iterator[None]:
    handles = [
        module.register_forward_hook(tally.hear)
        for tally in tallies.values()
        for module in tally.modules
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
