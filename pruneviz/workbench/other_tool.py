"""How did another tool leave this network?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from pruneviz.measuring.bench import Bench
from pruneviz.network.groups import Group, Groups, masks_of
from pruneviz.network.replica import apply_masks, first_names, overlaid, state
from pruneviz.plan import Plan
from pruneviz.sources import Source
from pruneviz.sources.networks.checkpoint import Weights
from pruneviz.sources.networks.foreign import foreign
from pruneviz.sources.networks.masked import bake, lay, masks_on
from pruneviz.sources.networks.narrower import blank, is_narrower, match
from pruneviz.sources.networks.unpickled import runs_code, unpickle
from pruneviz.sources.networks.weight_fit import fit, rename
from pruneviz.sources.networks.weights import read_weights

Other = str | Path | bytes | nn.Module
B = TypeVar("B", bound=Bench)
_CHANGED = (
    "which units are gone cannot be told, as their weights are not those of the dense network"
)


def open_version(bench: B, other: Other, name: str = "", unsafe: bool = False) -> B:
    """The network as another tool left it, as a version of this one, with the same samples.

    other: a file of weights (or its bytes) for the same architecture, or a network in hand: with
    zeros, with masks beside the weights (`torch.nn.utils.prune`), masks alone, or narrower (as
    Torch-Pruning leaves it). Its zeros are its `plan`; units that are gone are matched with those
    of this network where the weights are equal, else it stays a narrower network of its own, as
    `notes` say. unsafe: also a file that runs code (torch.save of a whole network).
    ValueError: it is damaged, or belongs to another architecture.

    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    >>> bench = pv.open(network, (torch.randn(40, 4), torch.arange(40) % 3))
    >>> cut = bench.prune(pv.Plan(sparsity={"0": 0.5})).model
    >>> bench.version(cut).plan.sparsity
    {'0': 0.5}
    """
    weights, network, notes = _read(other, name, unsafe)
    dense, masks = bench.source.model, dict[str, Tensor]()
    own = _own_names(dense, weights.tensors)
    if is_narrower(state(dense), own):
        model, how = _narrower(bench, weights, own, network)
    else:
        weights = weights if weights.tensors else lay(dense, weights)
        model, how = fit(dense, weights)
        masks = masks_on(model, weights)
    source = _source(bench, model, weights.name, (*notes, *how))
    if not _same_shapes(dense, model):
        return type(bench)(source, bench)
    masks = _zeros(bench, model) | masks
    source = replace(source, masks=masks, notes=(*source.notes, *_words(masks)))
    version = type(bench)(source, bench)
    plan = _unit_plan(version)
    return version if plan is None else type(bench)(replace(source, plan=plan), bench)


def _read(
    other: Other, name: str, unsafe: bool
) -> tuple[Weights, nn.Module | None, tuple[str, ...]]:
    """Its weights, masks put in; the network itself where one is in hand; what one should know."""
    if isinstance(other, bytes):
        return read_weights(other, name), None, ()
    notes: tuple[str, ...] = ()
    if not isinstance(other, nn.Module):
        path = Path(other).expanduser()
        name = name or path.name
        program = path.is_file() and unsafe and foreign(path, path.name) is None
        if not (program and (runs_code(path) or not _is_weights(path))):
            return read_weights(path, name), None, ()
        other, notes = unpickle(path, unsafe)
    name = name or type(other).__name__
    tensors = {n: t.detach() for n, t in other.state_dict().items() if isinstance(t, Tensor)}
    return bake(Weights(tensors, (), name)), other, notes


def _is_weights(path: Path) -> bool:
    try:
        read_weights(path)
    except ValueError:
        return False
    return True


def _own_names(model: nn.Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Under the names of `model`, shared weights under each of theirs."""
    goal = set(model.state_dict())
    own, _ = rename(tensors, goal)
    for name, first in first_names(model).items():
        if name in goal and name not in own and first in own:
            own[name] = own[first]
    return own


def _same_shapes(one: nn.Module, other: nn.Module) -> bool:
    shapes = [{name: t.shape for name, t in state(each).items()} for each in (one, other)]
    return shapes[0] == shapes[1]


def _narrower(
    bench: Bench, weights: Weights, own: Mapping[str, Tensor], network: nn.Module | None
) -> tuple[nn.Module, tuple[str, ...]]:
    """The dense network with zeros where units are gone; else the narrower one as it is."""
    dense, groups = bench.source.model, bench.graph_cache.groups
    reason = _CHANGED
    try:
        lines = match(dense, groups, own)
    except ValueError as error:
        if network is None and weights.widths is None:
            raise ValueError(f"{weights.name} does not fit {bench.source.name}: {error}") from None
        lines, reason = None, str(error)
    if lines is not None:
        cut = {name: line for name, line in lines.items() if not bool(line.all())}
        gone = sum(int((~line).sum()) for line in cut.values())
        note = (
            f"it is narrower: {gone:,} units are gone, and all that is left is as in the dense "
            "network; they are zeros here, and the plan cuts them"
        )
        return overlaid(dense, _without(dense, groups, cut)), (note,)
    note = f"it is narrower, and compared as a network of its own: {reason}"
    if network is not None:
        return network.eval(), (note,)
    small = dense if weights.widths is not None else blank(dense, groups, own)
    model, how = fit(small, weights)
    return model, (*how, note)


def _without(model: nn.Module, groups: Groups, cut: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The parameters of a network that change where units are zeros."""
    tensors, masks = state(model), dict[str, Tensor]()
    for name, line in cut.items():
        masks_of(groups.groups[name], line, tensors, masks)
    own = dict(model.named_parameters(remove_duplicate=False))
    return apply_masks(tensors, {name: mask for name, mask in masks.items() if name in own})


def _source(bench: Bench, model: nn.Module, name: str, notes: tuple[str, ...]) -> Source:
    origin = bench.source
    return replace(
        origin,
        name=name,
        model=model,
        card={},
        dense=None,
        notes=(f"as another tool left {origin.name}", *notes),
        opened=None,
        unnamed=tuple(dict.fromkeys(("model", *origin.unnamed))),
        past=None,
        masks={},
        plan=None,
        parent=origin,
    )


def _zeros(bench: Bench, model: nn.Module) -> dict[str, Tensor]:
    """Weight of a layer -> where it is not zero, for those with zeros that were none before."""
    masks, before, after = {}, state(bench.source.model), state(model)
    for layer in bench.layer_of.values():
        was, now = before[layer.weight] == 0, after[layer.weight] == 0
        if bool((now & ~was.to(now.device)).any()):
            masks[layer.weight] = ~now
    return masks


def _words(masks: Mapping[str, Tensor]) -> tuple[str, ...]:
    if not masks:
        return ("nothing in it is zero that is not zero in the dense network, too",)
    zeros = sum(mask.numel() - int(mask.count_nonzero()) for mask in masks.values())
    weights = sum(mask.numel() for mask in masks.values())
    return (f"{zeros:,} of the {weights:,} weights of {len(masks)} tensors are zero: its plan",)


def _unit_plan(version: Bench) -> Plan | None:
    """The plan that cuts whole units, where zeros are all that it cuts and it cuts all zeros."""
    zeros = {n: m for n, m in version.source.masks.items() if not bool(m.all())}
    layers = version.layer_of
    wants = {
        name: layer.canonical(zeros[layer.weight])
        for name, layer in layers.items()
        if layer.weight in zeros
    }
    rows = any(not bool(mask.reshape(len(mask), -1).any(1).all()) for mask in wants.values())
    groups = version.graph_cache.groups_or_none() if rows else None
    if groups is None:
        return None
    gone = {name: _zero_units(version.source.model, group) for name, group in groups.groups.items()}
    cut = {name: line for name, line in gone.items() if bool(line.any()) and not bool(line.all())}
    if not cut:
        return None
    heads = all(groups.groups[name].word == "head" for name in cut)
    levels = {name: int(line.count_nonzero()) / len(line) for name, line in cut.items()}
    pins = {name: _places(groups.groups[name], line) for name, line in cut.items()}
    for pinned in ({}, pins):
        plan = Plan("l2", "head" if heads else "neuron", sparsity=levels, pinned=pinned)
        masks = version.masks(plan).masks
        if all(torch.equal(mask, wants.get(n, torch.ones_like(mask))) for n, mask in masks.items()):
            return plan
    return None


def _zero_units(model: nn.Module, group: Group) -> Tensor:
    """bool [units]: those of which all parameters are zero."""
    own = dict(model.named_parameters(remove_duplicate=False))
    gone = torch.ones(group.units, dtype=torch.bool)
    for place in group.places:
        if place.tensor in own and own[place.tensor].ndim:
            zero = (own[place.tensor].detach() == 0).movedim(place.dim, 0).cpu()
            zero = zero.reshape(len(zero), -1).all(1)
            inside = place.unit >= 0
            gone[place.unit[inside & ~zero]] = False
    return gone


def _places(group: Group, cut: Tensor) -> dict[str, bool]:
    """The units of a group as pins of its first layer name them: by a row of each."""
    rows = group.rows[group.name].tolist()
    return {str(rows.index(unit)): False for unit in cut.nonzero().flatten().tolist()}
