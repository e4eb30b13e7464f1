"""What may a criterion look at?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

from torch import Tensor, nn

from pruneviz.network.graph import Graph, norm_scale
from pruneviz.network.layers import Layer
from pruneviz.network.replica import state
from pruneviz.pruning.curvature import no_curvature

# What is gathered together -> the fields of Evidence it gives.
PARTS = {
    "activity": ("input_norm", "activation", "silence", "variance", "by_class"),
    "gradients": ("gradient", "gradient_size", "gradient_power", "contribution"),
    "flow": ("flow",),
    "curvature": ("inverse_diagonal",),
    "turn": ("turn",),
}
# What is gathered where nothing else is asked for: curvature takes longer than all the rest, and
# only whole blocks turn what passes them.
USUAL = tuple(part for part in PARTS if part not in ("curvature", "turn"))
# Fields that weights and graph tell: nothing is sent through the network for them.
TOLD = frozenset({"scale", "written", "read"})


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
    g being the gradient of that sample's loss.
    contribution: [samples, units], Σ g·w over the weights of each unit, sample by sample.
    flow: like weight, the gradient of SynFlow's R (no data).
    inverse_diagonal: broadcasting over the weight, the diagonal of H⁻¹, H = mean x·xᵀ + λI of the
    inputs that each weight meets.
    written, read: [units], Σ of squares of the weights (and batch-norm scales) that make each unit,
    and of those that read it, over all layers that are cut together; of whole units alone.
    turn: [1], 1 − the cosine of what goes into the layer's block and what comes out of it, mean
    over samples and positions; of blocks alone.

    >>> pv.Evidence(pv.find_layers(nn.Linear(4, 3))[""], torch.ones(3, 4)).has("gradient")
    False
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
    contribution: Tensor | None = None
    flow: Tensor | None = None
    inverse_diagonal: Tensor | None = None
    written: Tensor | None = None
    read: Tensor | None = None
    turn: Tensor | None = None

    @property
    def as_float32(self) -> Evidence:
        """The same with short number formats as float32, in which squares and sums keep digits."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        short = {
            name: value.float()
            for name, value in values.items()
            if isinstance(value, Tensor) and value.is_floating_point() and value.element_size() < 4
        }
        return replace(self, **short) if short else self  # type: ignore[arg-type]

    def has(self, need: str) -> bool:
        """Whether the field `need` was gathered."""
        return getattr(self, need) is not None

    def of(self, need: str) -> Tensor:
        """The field `need`; ValueError names it and the layer when it was not gathered."""
        value = getattr(self, need)
        if value is None:
            raise ValueError(f"layer {self.layer.name!r} has no {need!r}: {self._why(need)}")
        assert isinstance(value, Tensor)
        return value

    def join(self, rows: Tensor, units: int) -> Evidence:
        """With `contribution` summed over the rows of whole units: [samples, units].

        rows: int64 [rows], the unit that each row of the weight belongs to, -1: to none.
        """
        inside = rows >= 0
        single = self.of("contribution")
        total = single.new_zeros(len(single), units)
        total.index_add_(1, rows[inside], single[:, inside])
        return replace(self, contribution=total)

    def _why(self, need: str) -> str:
        if self.layer.kind == "embedding":
            return _NO_INPUTS
        if self.layer.kind == "experts" and need in PARTS["activity"]:
            return _NOT_HEARD
        if need == "scale":
            return _NO_SCALE
        if need in ("written", "read"):
            return NO_READER
        if need == "turn":
            return _NO_TURN
        curved = no_curvature(self.layer) if need in PARTS["curvature"] else None
        if curved is not None:
            return f"{curved}; use another criterion or leave it dense"
        if need == "flow" and self.samples is not None:
            return _NO_FLOW
        return _NOT_SENT if self.samples is None else _NEVER_RAN


_NO_INPUTS = "an embedding multiplies no inputs; judge it by its weights or leave it dense"
_NOT_HEARD = "what is sent to which expert is not heard; use a criterion of weights or gradients"
_NO_FLOW = "SynFlow needs a network that takes one float tensor; choose another criterion"
_NOT_SENT = "gather evidence on calibration data first"
_NEVER_RAN = "it never ran on the calibration data; leave it dense"
NO_READER = (
    "no layer is known that reads its units and loses an input with each; choose another criterion "
    "or leave the layer dense"
)
_NO_TURN = "it stands in no block whose input and output were seen; choose another criterion"
_NO_SCALE = "no batch norm follows it; choose another criterion or leave the layer dense"


def parts_for(needs: Iterable[str]) -> tuple[str, ...]:
    """What must be gathered for these fields of Evidence; nothing for those told by weights."""
    fields_needed = set(needs)
    return tuple(part for part, given in PARTS.items() if fields_needed & set(given))


def weights_only(
    model: nn.Module, layers: Mapping[str, Layer], graph: Graph | None = None
) -> dict[str, Evidence]:
    """What needs no data: weights and, where the graph shows them, batch-norm scales."""
    tensors = state(model)
    evidence = {}
    for name, layer in layers.items():
        scale = norm_scale(graph, layer) if graph else None
        evidence[name] = Evidence(
            layer,
            layer.canonical(tensors[layer.weight]),
            scale=tensors[scale] if scale else None,
        )
    return evidence
