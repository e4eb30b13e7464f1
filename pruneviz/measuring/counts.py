"""What is left of a network under a plan?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from pruneviz.data import Data
from pruneviz.network.calling import call
from pruneviz.network.layers import Layer
from pruneviz.network.replica import replica
from pruneviz.network.trial import parameter_masks
from pruneviz.pruning.pruned import Pruned


@dataclass(frozen=True)
class Counts:
    """What is left, and of how much.

    params, params_kept: all parameters of the network, and those that are not masked.
    params_shrunk: those left after removal, as masks of single weights or of units that must stay
    leave the shape of the network as it is.
    macs, macs_kept: multiply-accumulates for one sample, dense, and with every masked weight
    skipped, as only an ideal sparse engine would. bytes_dense: the parameters as they are stored;
    bytes_sparse: an estimate, the kept ones plus one bit for each weight of a pruned layer.
    """

    params: int
    params_kept: int
    params_shrunk: int
    macs: int
    macs_kept: int
    bytes_dense: int
    bytes_sparse: int


def macs_of_network(model: nn.Module, data: Data) -> int:
    """Multiply-accumulates for the first sample of `data`, attention included.

    Counted by torch's own flop counter.
    """
    from torch.utils.flop_counter import FlopCounterMode  # loads torch's compiler: over a second

    counter = FlopCounterMode(display=False)
    # The counter knows the plain attention products, not the fused ones of the CPU.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        call(replica(model), data.first(1).inputs)
    return counter.get_total_flops() // 2


def counts_of(
    pruned: Pruned, layers: Mapping[str, Layer], macs: Mapping[str, int], total: int
) -> Counts:
    """The cost of a plan; macs by layer and of the network as the functions above give them."""
    parameters = dict(pruned.dense.named_parameters(remove_duplicate=False))
    once = {id(p): p for p in parameters.values()}.values()
    # Not summed: that would widen each mask to eight bytes a weight first.
    gone = {n: m.numel() - int(m.count_nonzero()) for n, m in pruned.parameter_masks.items()}
    cut = (pruned.report["total"] - pruned.report["kept"]).tolist()
    touched = {layers[n]: k for n, k in zip(pruned.report["layer"], cut, strict=True) if k}
    params, dense_bytes = sum(p.numel() for p in once), sum(p.nbytes for p in once)
    saved_bytes = sum(parameters[name].element_size() * number for name, number in gone.items())
    saved_macs = sum(macs[x.name] * number / x.size for x, number in touched.items())
    return Counts(
        params=params,
        params_kept=params - sum(gone.values()),
        params_shrunk=params - _removed(pruned, gone),
        macs=total,
        macs_kept=round(total - saved_macs),
        bytes_dense=dense_bytes,
        bytes_sparse=dense_bytes - saved_bytes + sum(-(-x.size // 8) for x in touched),
    )


def _removed(pruned: Pruned, gone: Mapping[str, int]) -> int:
    """How many parameters go for real."""
    groups = pruned.groups
    if groups is None:
        return 0
    removable = {name: line for name, line in pruned.units.items() if name in groups.groups}
    cut = [name for name, line in pruned.units.items() if not bool(line.all())]
    if all(name in removable for name in cut):
        return sum(gone.values())
    masks = parameter_masks(pruned.dense, groups, removable)
    return sum(mask.numel() - int(mask.count_nonzero()) for mask in masks.values())
