"""What is left of a network under a plan?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

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


def macs_by_layer(
    model: nn.Module, layers: Mapping[str, Layer], example: Tensor
) -> tuple[dict[str, int], int]:
    """(layer -> multiply-accumulates for one sample, those of the whole network).

    Counted by torch's own flop counter on example[:1]; two flops are one MAC.
    """
    network = replica(model)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network(example[:1])
    by_module = counter.get_flop_counts()
    root = type(network).__name__
    counted = {name: sum(by_module.get(f"{root}.{name}", {}).values()) // 2 for name in layers}
    return counted, counter.get_total_flops() // 2


def cost_of(
    pruned: Pruned, layers: Mapping[str, Layer], macs: Mapping[str, int], total: int
) -> Cost:
    """The cost of a plan; macs and total as `macs_by_layer` gives them."""
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
