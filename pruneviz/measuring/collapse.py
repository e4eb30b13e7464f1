"""Where does a pruned network stop depending on its input?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.network.calls import Call, WeightListener
from pruneviz.network.forward_pass import at_work, call_all
from pruneviz.network.layers import Layer
from pruneviz.network.replica import replica
from pruneviz.pruning.pruned import Pruned

SAMPLES = 16
_TOLERANCE = 1e-6


def collapses(
    pruned: Pruned, layers: Mapping[str, Layer], data: Data, samples: int = SAMPLES
) -> dict[str, str]:
    """Layer -> what has collapsed there: nothing left of it, or the network cut in two."""
    reasons = dict(pruned.collapse)
    if pruned.plan.is_dense:
        return reasons
    layer = cut_in_two(pruned.dense, pruned.tensors, layers, data, samples)
    if layer is not None:
        reasons.setdefault(
            layer,
            f"collapse: the network is cut in two at {layer!r}; from there on nothing depends on "
            "the input",
        )
    return reasons


def cut_in_two(
    model: nn.Module,
    tensors: Mapping[str, Tensor],
    layers: Mapping[str, Layer],
    data: Data,
    samples: int = SAMPLES,
) -> str | None:
    """The first layer behind which nothing depends on the input any more, or None.

    tensors: what takes the place of the network's own, by name. Measured on the first `samples` of
    `data`: only if the network answers all of them alike is a layer named, the first in the order
    they run from which on no layer's output varies; a branch that died before others went on is
    not it.
    """
    data, varies = data.first(samples), dict[str, bool]()
    n = len(data)

    def hear(call: Call) -> None:
        output = call.by_sample(call.part(call.output), n)
        varies.setdefault(call.layer.name, _varies(output) or len(output) != n)

    network = replica(model)
    parameters = dict(network.named_parameters(remove_duplicate=False)) | dict(tensors)
    what = f"looking for what has collapsed, on samples 0..{n - 1}"
    with torch.inference_mode(), WeightListener(layers, parameters, hear), at_work(what):
        answer = call_all(network, data.inputs, tensors).values()
        if n < 2 or any(map(_varies, answer)):
            return None
        if not any(map(_varies, call_all(replica(model), data.inputs).values())):
            return None  # nor does the dense network tell samples apart that are alike
    dead: list[str] = []
    for name, moving in varies.items():
        dead = [] if moving else [*dead, name]
    return dead[0] if dead else "the output"


def _varies(values: Tensor) -> bool:
    if not values.ndim or not values.numel():
        return False
    values = values if values.is_floating_point() else values.double()
    # Rows of one matrix product may differ in the last bit although their inputs are equal.
    spread = (values - values[:1]).abs().max()
    return bool(spread > _TOLERANCE * values.abs().max().clamp(min=1))
