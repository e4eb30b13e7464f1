"""How does a network become smaller while it trains?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from pruneviz.network.graph_cache import GraphCache
from pruneviz.network.groups import Groups
from pruneviz.network.removal import lines_of, narrow, remove
from pruneviz.network.shrink import shrink
from pruneviz.network.survey import survey_layers
from pruneviz.training.mask_set import MaskSet
from pruneviz.training.optimizers import optimizer_for
from pruneviz.training.run import Run


def remove_cut(run: Run) -> bool:
    """Take what whole units are cut out of the network for real; whether there was any.

    Optimiser, masks and what the method remembers follow; it is proved that the smaller network
    answers as the masked one. ValueError names a group of which nothing would be left.
    """
    groups = run.structure.graph_cache.groups
    kept = {
        name: line.cpu()
        for name, line in run.masks.units.items()
        if name in groups.groups and not bool(line.all())
    }
    if not kept:
        return False
    small = shrink(run.network, groups, kept, run.structure.graph_cache.graph.example)
    small.requires_grad_(True)
    optimizer = _carry(run, small, lines_of(groups, kept))
    masks = _masks_after(run, groups, kept)
    run.memory = _memory_after(run.memory, groups, kept)
    _take_up(run, small, groups, kept)
    run.optimizer = optimizer
    run.hold(masks)
    for name, line in kept.items():
        run.tell("removed", name, int((~line).sum()), f"of {len(line)} units")
        if int(line.sum()) == 1:
            run.notes.append(f"{name!r} came down to its last unit, which stays")
    return True


def remove_again(run: Run, kept: Mapping[str, Tensor]) -> None:
    """Take out of the network what was removed before it was interrupted; weights come later."""
    groups = run.structure.graph_cache.groups
    small = remove(run.network, groups, kept).train().requires_grad_(True)
    _take_up(run, small, groups, kept)


def _take_up(run: Run, small: nn.Module, groups: Groups, kept: Mapping[str, Tensor]) -> None:
    data, before = run.bench.source.validation, run.structure
    layers = {n: x for n, x in survey_layers(small, data)[0].items() if n in before.layers}
    first = {name: len(line) for name, line in kept.items()}
    run.network = small
    run.structure = replace(
        before,
        layers=layers,
        graph_cache=GraphCache(small, data, layers),
        items=first | dict(before.items),
        places=_places_after(run, groups, kept),
    )
    run.removed.append(dict(kept))


def _carry(
    run: Run, small: nn.Module, lines: Mapping[str, Mapping[int, Tensor]]
) -> torch.optim.Optimizer:
    """An optimiser over the smaller network that remembers what belongs to what is left."""
    old, new = run.optimizer, optimizer_for(small, run.training)
    for mine, theirs in zip(new.param_groups, old.param_groups, strict=True):
        mine.update({name: value for name, value in theirs.items() if name != "params"})
    before = dict(run.network.named_parameters())
    for name, parameter in small.named_parameters():
        state, grad = old.state.get(before[name], {}), before[name].grad
        shape = before[name].shape
        # It is cut between a backward pass and its step, which is not to be lost.
        parameter.grad = None if grad is None else narrow(grad, lines.get(name, {}))
        new.state[parameter] = {
            key: narrow(value, lines.get(name, {}))
            if isinstance(value, Tensor) and value.shape == shape
            else value
            for key, value in state.items()
        }
    return new


def _masks_after(run: Run, groups: Groups, kept: Mapping[str, Tensor]) -> MaskSet:
    """What is still masked: units that can be cut but not removed."""
    lines = lines_of(groups, kept)
    parameters = {n: narrow(m, lines.get(n, {})) for n, m in run.masks.parameters.items()}
    parameters = {name: mask for name, mask in parameters.items() if not bool(mask.all())}
    layers = run.structure.layers
    return MaskSet(
        parameters,
        {n: x.canonical(parameters[x.weight]) for n, x in layers.items() if x.weight in parameters},
        {name: line for name, line in run.masks.units.items() if name not in kept},
    )


def _memory_after(
    memory: Mapping[str, Tensor], groups: Groups, kept: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """What is remembered of each unit ("what/layer" -> [units]), for those that are left."""
    after = {}
    for key, values in memory.items():
        rows = _rows_after(key.partition("/")[2], groups, kept) if values.ndim else None
        after[key] = values if rows is None else values[rows.to(values.device)]
    return after


def _places_after(run: Run, groups: Groups, kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Layer -> the number that each unit had at first, of those that are left."""
    after = dict(run.structure.places)
    for name, layer in run.structure.layers.items():
        rows = _rows_after(name, groups, kept)
        if rows is not None:
            after[name] = after.get(name, torch.arange(layer.units))[rows]
    return after


def _rows_after(name: str, groups: Groups, kept: Mapping[str, Tensor]) -> Tensor | None:
    """Which units of a layer are left; None where it is in no group that is cut."""
    group = groups.of(name)
    if group is None or group.name not in kept:
        return None
    stays = torch.cat([kept[group.name], torch.ones(1, dtype=torch.bool)])
    return stays[group.rows[name]]  # -1, the last, for a unit in no group: it stays
