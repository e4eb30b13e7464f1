"""Which whole units does a plan cut, and what goes with them?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from pruneviz.network.graph import Graph, belongings
from pruneviz.network.groups import Group, Groups, masks_of
from pruneviz.network.layers import Layer
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import Criterion
from pruneviz.pruning.evidence import Evidence
from pruneviz.pruning.granularity import scores_for

_AGGREGATES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mean": lambda scores, there: scores.sum(0) / there.sum(0),
    "sum": lambda scores, there: scores.sum(0),
    "max": lambda scores, there: scores.masked_fill(~there, -torch.inf).amax(0),
}


def levels(plan: Plan, groups: Groups) -> dict[str, float]:
    """The sparsity asked of each group, by its lead, and of each layer that is in none.

    Layers of one group go together: a level given to any of them holds for all. ValueError names
    two that ask for different ones; one that is asked for nothing follows the others.
    """
    result: dict[str, float] = {}
    sources: dict[str, str] = {}
    for name, level in plan.sparsity.items():
        lead = groups.lead(name)
        if level and result.get(lead) and result[lead] != level:
            raise ValueError(
                f"{sources[lead]!r} and {name!r} are cut together, but are asked for "
                f"{result[lead]:g} and {level:g}; give them the same sparsity, or one of them none"
            )
        if level or lead not in result:
            result[lead], sources[lead] = level, name
    return result


def check_units(plan: Plan, layers: Mapping[str, Layer], groups: Groups) -> None:
    """ValueError naming a layer that is asked for, or pinned, where no unit can be cut so."""
    for name in {**plan.pinned, **{name: 0 for name, level in plan.sparsity.items() if level}}:
        reason = cannot_units(groups, layers[name], plan.granularity)
        if reason is not None:
            raise ValueError(f"layer {name!r} cannot be pruned so: {reason}")


def cannot_units(groups: Groups, layer: Layer, granularity: str) -> str | None:
    """Why no unit of a layer can be cut, or None."""
    group = groups.of(layer.name)
    if granularity == "block":
        return None if group is not None else f"block: {groups.fixed[layer.name]}"
    if granularity == "head" and (group is None or group.word != "head"):
        return "heads: this layer holds no attention heads that can be cut whole"
    units = layer.units if group is None else group.units
    return f"it has one {layer.unit_word} only: nothing would be left" if units == 1 else None


def unit_scores(
    criterion: Criterion, plan: Plan, group: Group, evidence: Mapping[str, Evidence]
) -> Tensor:
    """Scores of a group's units, float64 [units].

    Each member scores its rows, summed over the rows of a unit (with `plan.relative` divided by
    the member's L2 norm; of a joint criterion what its rows contribute is summed first, sample by
    sample); then members are put together as `plan.aggregate` says. Members without
    what the criterion needs (a batch norm, say) have no vote. A block is scored as one unit of one
    layer, which has all the weights of its layers.
    """
    if group.skip is not None:
        return scores_for(criterion, plan.granularity, as_one(group, evidence))
    if set(criterion.needs) & {"written", "read"}:
        written, read = unit_squares(group, evidence)
        evidence = {n: replace(evidence[n], written=written, read=read) for n in group.layers}
    able = [n for n in group.layers if all(evidence[n].has(need) for need in criterion.needs)]
    scores, there = [], []
    for name in able or group.layers[:1]:  # the first one tells what is missing
        rows = group.rows[name].to(evidence[name].weight.device)
        joint, lead_evidence, inside = criterion.joint, evidence[name], rows >= 0
        lead_evidence = (
            lead_evidence.join(rows, group.units)
            if joint and lead_evidence.has("contribution")
            else lead_evidence
        )
        own = scores_for(criterion, plan.granularity, lead_evidence)
        if plan.relative:
            own = own / own.norm().clamp(min=torch.finfo(own.dtype).tiny)
        total = torch.zeros(group.units, dtype=own.dtype, device=own.device)
        scores.append(own if joint else total.index_add(0, rows[inside], own[inside]))
        there.append(torch.zeros_like(total, dtype=torch.bool).index_fill(0, rows[inside], True))
    return _AGGREGATES[plan.aggregate](torch.stack(scores), torch.stack(there))


def as_one(group: Group, evidence: Mapping[str, Evidence]) -> Evidence:
    """Evidence on a block as on a layer of one unit, with the weights of all its layers in a row;
    of the rest what its layers all have.
    """
    members = [evidence[name] for name in group.layers]
    size = sum(one.layer.size for one in members)

    def row(name: str) -> Tensor | None:
        parts = [getattr(one, name) for one in members]
        if any(part is None for part in parts):
            return None
        return torch.cat([part.reshape(1, -1).to(parts[0]) for part in parts], 1)

    def total() -> Tensor | None:
        parts = [one.contribution for one in members]
        if any(part is None for part in parts):
            return None
        return torch.stack([p.sum(1, keepdim=True) for p in parts if p is not None]).sum(0)

    weight = row("weight")
    assert weight is not None
    return Evidence(
        replace(members[0].layer, shape=(1, size)),
        weight,
        members[0].seed,
        members[0].samples,
        gradient=row("gradient"),
        gradient_size=row("gradient_size"),
        gradient_power=row("gradient_power"),
        contribution=total(),
        turn=members[0].turn,
    )


def readers(group: Group, layers: Mapping[str, Layer]) -> Iterator[tuple[str, Tensor]]:
    """(layer, int64 [its inputs]) of those that lose an input with each unit of a group: the unit
    that each of their inputs is, -1 for others.
    """
    for name in group.consumers:
        layer = layers[name]
        dim = 0 if layer.turned else 1
        for place in group.places:
            # Of convolutions with groups whole groups go, and no input of a filter.
            if place.tensor == layer.weight and place.dim == dim and layer.groups == 1:
                yield name, place.unit


def unit_squares(group: Group, evidence: Mapping[str, Evidence]) -> tuple[Tensor, Tensor | None]:
    """`written` and `read` of Evidence, float64 [units of the group]; None where nobody reads."""
    weights = {name: evidence[name].weight.double().square() for name in group.layers}
    device = next(iter(weights.values())).device
    written = torch.zeros(group.units, dtype=torch.float64, device=device)
    read, known = torch.zeros_like(written), False
    for name, squares in weights.items():
        scale = evidence[name].scale
        rows = squares.flatten(1).sum(1)
        rows = rows if scale is None else rows + scale.double().square()
        _add_by_unit(written, group.rows[name], rows)
    for name, units in readers(group, {name: one.layer for name, one in evidence.items()}):
        columns = evidence[name].weight.double().square().transpose(0, 1).flatten(1).sum(1)
        _add_by_unit(read, units, columns)
        known = True
    return written, read if known else None


def _add_by_unit(total: Tensor, units: Tensor, values: Tensor) -> None:
    units = units.to(total.device)
    inside = units >= 0
    total.index_add_(0, units[inside], values[inside].to(total.device))


def unit_masks(
    kept: Mapping[str, Tensor],
    layers: Mapping[str, Layer],
    groups: Groups,
    graph: Graph,
    tensors: Mapping[str, Tensor],
    parameters: frozenset[str],
) -> dict[str, Tensor]:
    """Parameter -> bool of its shape, True = kept, for all that goes with the units cut.

    kept: lead or layer in no group -> bool [units]. Of a layer in no group its rows, biases and
    own batch norms are masked; nothing of the layers that read it.
    """
    masks: dict[str, Tensor] = {}
    for name, line in kept.items():
        if name in groups.groups:
            masks_of(groups.groups[name], line, tensors, masks)
            continue
        layer = layers[name]
        for parameter in (layer.weight, *belongings(graph, layer)):
            rows = layer.rows if parameter == layer.weight else None
            rows = layer.bias_rows if parameter == layer.bias else rows
            _enter(masks, tensors[parameter], parameter, layer, rows, line)
    return {name: mask for name, mask in masks.items() if name in parameters}


def _enter(
    masks: dict[str, Tensor],
    tensor: Tensor,
    name: str,
    layer: Layer,
    rows: tuple[int, int] | None,
    line: Tensor,
) -> None:
    if name not in masks:
        masks[name] = torch.ones(tensor.shape, dtype=torch.bool, device=tensor.device)
    if name != layer.weight:
        part = masks[name] if rows is None else masks[name][slice(*rows)]
        part &= line.to(part.device)
        return
    view = line.to(tensor.device).reshape(-1, *([1] * (len(layer.shape) - 1)))
    line_mask = layer.turn(view.expand(layer.shape))
    part = masks[name] if rows is None else masks[name][slice(*rows)]
    part &= line_mask
