"""What is left of a network under a plan?"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.network.forward_pass import call
from pruneviz.network.layers import Layer
from pruneviz.network.products import Counter, StepByStep
from pruneviz.network.replica import replica
from pruneviz.network.trial import parameter_masks
from pruneviz.pruning.pruned import Pruned

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Counts:
    """What is left, and of how much.

    params, params_kept: all parameters of the network, and those that are not masked.
    params_shrunk: those left after removal, as masks of single weights or of units that must stay
    leave the shape of the network as it is. macs, macs_kept, macs_shrunk: multiply-accumulates for
    one sample, likewise; kept ones are what an ideal sparse engine alone would compute; None where
    they cannot be counted. bytes_dense, bytes_shrunk: the parameters as they are stored;
    bytes_sparse: an estimate, the kept ones plus one bit for each weight of a pruned layer, where
    that is smaller.

    >>> pv.open("lenet300").counts(pv.Plan(sparsity={"fc1": 0.5})).params_kept
    149010
    """

    params: int
    params_kept: int
    params_shrunk: int
    macs: int | None
    macs_kept: int | None
    macs_shrunk: int | None
    bytes_dense: int
    bytes_sparse: int
    bytes_shrunk: int


def macs_of_network(model: nn.Module, data: Data) -> int | None:
    """Multiply-accumulates for the first sample of `data`, attention and recurrent layers included.

    None where they cannot be counted, as in a network that calls compiled code; the log says why.
    """
    counter = Counter()
    try:
        with torch.no_grad(), StepByStep(), counter:
            call(replica(model), data.first(1).inputs)
    except Exception:  # the network answers otherwise: only what watches it has failed
        _LOG.warning("cannot count the multiply-accumulates", exc_info=True)
        return None
    return counter.macs


def counts_of(
    pruned: Pruned, layers: Mapping[str, Layer], macs: Mapping[str, int], total: int | None
) -> Counts:
    """The cost of a plan; macs by layer and of the network as `survey` and `macs_of_network` count.

    total: None where it could not be counted.
    """
    parameters_by_name = dict(pruned.dense.named_parameters(remove_duplicate=False))
    parameters = list({id(p): p for p in parameters_by_name.values()}.values())
    gone = {n: _count_cut(m) for n, m in pruned.parameter_masks.items()}
    masks = _removal(pruned)
    removed = (
        gone if masks is pruned.parameter_masks else {n: _count_cut(m) for n, m in masks.items()}
    )
    params, bytes_dense = sum(p.numel() for p in parameters), sum(p.nbytes for p in parameters)
    cut = pruned.report["total"] - pruned.report["kept"]
    cut_of = {layers[n]: k for n, k in zip(pruned.report["layer"], cut.tolist(), strict=True) if k}
    macs_zero = macs_removed = _macs_saved(
        pruned, macs, {x.name: k / x.size for x, k in cut_of.items()}
    )
    if masks is not pruned.parameter_masks:
        there = [x for x in layers.values() if x.weight in masks]
        shares = {x.name: _count_cut(x.canonical(masks[x.weight])) / x.size for x in there}
        macs_removed = _macs_saved(pruned, macs, shares) if shares else 0.0
    return Counts(
        params=params,
        params_kept=params - sum(gone.values()),
        params_shrunk=params - sum(removed.values()),
        macs=total,
        macs_kept=None if total is None else round(total - macs_zero),
        macs_shrunk=None if total is None else round(total - macs_removed),
        bytes_dense=bytes_dense,
        bytes_sparse=bytes_dense - _bytes_saved(parameters_by_name, gone, cut_of),
        bytes_shrunk=bytes_dense
        - sum(parameters_by_name[name].element_size() * k for name, k in removed.items()),
    )


def _count_cut(mask: Tensor) -> int:
    # Not summed: that would widen each mask to eight bytes a weight first.
    return mask.numel() - int(mask.count_nonzero())


def _units(pruned: Pruned) -> dict[str, Tensor]:
    """Group -> which of its units stay; of those that can be removed."""
    there = {} if pruned.groups is None else pruned.groups.groups
    return {name: line for name, line in pruned.units.items() if name in there}


def _removal(pruned: Pruned) -> Mapping[str, Tensor]:
    """The masks of what goes for real."""
    if pruned.groups is None:
        return {}
    removable = _units(pruned)
    cut = [name for name, line in pruned.units.items() if not bool(line.all())]
    if all(name in removable for name in cut):
        return pruned.parameter_masks
    return parameter_masks(pruned.dense, pruned.groups, removable)


def _macs_saved(pruned: Pruned, macs: Mapping[str, int], shares: Mapping[str, float]) -> float:
    """Multiply-accumulates that go; shares: layer -> the fraction of its weights that is cut."""
    of_layers = sum(macs[name] * share for name, share in shares.items())
    if pruned.groups is None:
        return of_layers
    units = _units(pruned)
    return of_layers + sum(one.macs({}) - one.macs(units) for one in pruned.groups.products)


def _bytes_saved(
    parameters: Mapping[str, Tensor], gone: Mapping[str, int], cut: Mapping[Layer, int]
) -> int:
    """Bytes that encoding saves; gone: parameter -> entries; cut: layer -> weights of it."""
    others = dict(gone)
    total = 0
    for layer, number in cut.items():
        size = parameters[layer.weight].element_size()
        total += max(0, size * number - -(-layer.size // 8))
        others[layer.weight] = others.get(layer.weight, number) - number
    return total + sum(parameters[name].element_size() * number for name, number in others.items())
