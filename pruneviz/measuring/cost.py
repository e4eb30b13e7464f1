"""What is left of a network under a plan?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from pruneviz.pruning.layers import Layer
from pruneviz.pruning.prune import Pruned
from pruneviz.replica import replica


@dataclass(frozen=True)
class Cost:
    """What is left, and of how much.

    params, params_kept: all parameters of the network, and those that are not masked.
    macs, macs_kept: multiply-accumulates for one sample, dense, and with every masked weight
    skipped, as only an ideal sparse engine would. bytes_dense: the parameters as they are stored;
    bytes_sparse: an estimate, the kept ones plus one bit for each weight of a pruned layer.
    """

    params: int
    params_kept: int
    macs: int
    macs_kept: int
    bytes_dense: int
    bytes_sparse: int


def macs_by_layer(model: nn.Module, layers: Mapping[str, Layer], example: Tensor) -> dict[str, int]:
    """Layer -> multiply-accumulates for one sample: positions of its output times its weights.

    Seen in one forward pass on example[:1]; a layer that is called twice counts twice.
    """
    network, counted = replica(model), dict.fromkeys(layers, 0)

    def listen(layer: Layer) -> None:
        def hear(module: nn.Module, given: object, output: Tensor) -> None:
            counted[layer.name] += output.numel() // layer.units * layer.size

        network.get_submodule(layer.name).register_forward_hook(hear)

    for layer in layers.values():
        listen(layer)
    with torch.inference_mode():
        network(example[:1])
    return counted


def macs_of_network(model: nn.Module, example: Tensor) -> int:
    """Multiply-accumulates for one sample, attention included, by torch's own flop counter."""
    from torch.utils.flop_counter import FlopCounterMode  # loads torch's compiler: over a second

    counter = FlopCounterMode(display=False)
    # The counter knows the plain attention products, not the fused ones of the CPU.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        replica(model)(example[:1])
    return counter.get_total_flops() // 2


def cost_of(
    pruned: Pruned, layers: Mapping[str, Layer], macs: Mapping[str, int], total: int
) -> Cost:
    """The cost of a plan; macs by layer and of the network as the functions above give them."""
    parameters = dict(pruned.dense.named_parameters())
    params = sum(p.numel() for p in parameters.values())
    width = {name: p.element_size() for name, p in parameters.items()}
    dense_bytes = sum(p.numel() * width[name] for name, p in parameters.items())
    gone = {name: int((~mask).sum()) for name, mask in pruned.parameter_masks.items()}
    saved_bytes = sum(width[name] * number for name, number in gone.items())
    touched = [layer for layer in layers.values() if gone.get(layer.weight)]
    saved_macs = sum(macs[x.name] * gone[x.weight] / x.size for x in touched)
    return Cost(
        params=params,
        params_kept=params - sum(gone.values()),
        macs=total,
        macs_kept=round(total - saved_macs),
        bytes_dense=dense_bytes,
        bytes_sparse=dense_bytes - saved_bytes + sum(-(-x.size // 8) for x in touched),
    )
