"""What does a plan cut?"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace

import pandas as pd
import torch
from torch import Tensor, nn

from pruneviz.network.blocks import find_blocks
from pruneviz.network.graph import Graph
from pruneviz.network.group_search import find_groups
from pruneviz.network.groups import Groups
from pruneviz.network.layers import Layer, find_layers
from pruneviz.network.replica import state
from pruneviz.plan import UNITS, WIDTHS, Plan, pattern
from pruneviz.pruning.criteria import Criterion, find_criterion
from pruneviz.pruning.curvature import no_curvature
from pruneviz.pruning.evidence import PARTS, TOLD, Evidence, weights_only
from pruneviz.pruning.granularity import expand, rank_items, scores_for
from pruneviz.pruning.masks import Ranking, layer_count, mask_of, pin, pool, pool_counts
from pruneviz.pruning.pins import check_pins, hands
from pruneviz.pruning.pruned import Pruned
from pruneviz.pruning.units import cannot_units, check_units, levels, unit_masks, unit_scores


def rank(
    layers: Mapping[str, Layer],
    evidence: Mapping[str, Evidence],
    plan: Plan,
    groups: Groups | None = None,
) -> dict[str, Ranking]:
    """Rankings of the layers that `plan` names; of whole units by the lead of their group.

    What is pinned is left in its place; layers of which no unit can be cut are left out. With scope
    "global" the layers named compete in one pool, with "alike" in one of each kind. Only criterion,
    granularity, scope, relative, seed, aggregate and the names in the plan's sparsity matter, not
    the levels.
    """
    criterion = find_criterion(plan.criterion, plan.granularity)
    rankings: dict[str, Ranking] = {}
    seeded = {
        name: own if own.seed == plan.seed else replace(own, seed=plan.seed)
        for name, own in evidence.items()
    }
    for name in layers:
        group = groups.of(name) if groups is not None else None
        lead = name if group is None else group.name
        if name not in plan.sparsity or lead in rankings:
            continue
        if groups is not None and cannot_units(groups, layers[name], plan.granularity):
            continue
        if group is not None:
            scores = unit_scores(criterion, plan, group, seeded)
        else:
            scores = scores_for(criterion, plan.granularity, seeded[name])
            if plan.relative:
                scores = scores.double()
                scores = scores / scores.norm().clamp(min=torch.finfo(torch.float64).tiny)
        rankings[lead] = rank_items(scores, plan.granularity)
    return pool_for(plan, rankings, layers, groups)


def pool_for(
    plan: Plan,
    rankings: Mapping[str, Ranking],
    layers: Mapping[str, Layer],
    groups: Groups | None,
) -> dict[str, Ranking]:
    """The rankings in the pools of the plan's scope; as they are where each layer has its own."""
    if plan.scope == "layer":
        return dict(rankings)
    return pool(rankings, {name: kind_of(plan, name, layers, groups) for name in rankings})


def kind_of(plan: Plan, name: str, layers: Mapping[str, Layer], groups: Groups | None) -> Hashable:
    """What the layers of one pool have in common; name: of a layer, or of the lead of its group.

    With scope "alike" their kinds and shapes, in order; of a group those of all its layers.
    (Isomorphic pruning, Fang et al. 2024, arXiv:2407.04616, looks at the kinds alone.)
    """
    if plan.scope == "global":
        return None
    group = None if groups is None else groups.of(name)
    members = (name,) if group is None else group.layers
    return tuple((layers[one].kind, layers[one].shape) for one in members)


def prune(
    model: nn.Module,
    plan: Plan,
    evidence: Mapping[str, Evidence] | None = None,
    graph: Graph | None = None,
) -> Pruned:
    """Masks for `plan` on `model`, which is left as it is.

    evidence: from `gather`, for criteria that look at data. graph: from `trace`, needed for whole
    units ("neuron", "head", "block"), where it says what goes with each; they are found by trial
    cuts, which take seconds in a large network. A plan's repair needs data: `Workbench.prune` does
    it.
    Raises ValueError naming the layer, criterion or field that does not fit.

    >>> pv.prune(nn.Linear(10, 1), pv.Plan(sparsity={"": 0.5})).report["kept"].tolist()
    [5]
    """
    layers = find_layers(model)
    check(plan, layers)
    if plan.repair:
        raise ValueError(f"repair {plan.repair[0]!r} needs calibration data; use Workbench.prune")
    by_unit = plan.granularity in UNITS and not plan.is_dense
    if by_unit and graph is None:
        raise ValueError(
            f"granularity {plan.granularity!r} needs the network's graph to find what belongs to a "
            "unit; pass graph=pruneviz.trace(model, example, layers)"
        )
    find = find_blocks if plan.granularity == "block" else find_groups
    groups = find(model, layers, graph) if by_unit and graph is not None else None
    evidence = evidence or weights_only(model, layers, graph)
    rankings = rank(layers, evidence, active(plan), groups)
    signs = hands(plan, layers, groups)
    rankings = pin(rankings, signs)
    return apply(model, plan, layers, rankings, graph, groups)


def check(plan: Plan, layers: Mapping[str, Layer]) -> None:
    """ValueError when the plan names a layer that is not there, or an unknown criterion."""
    unknown = [name for name in plan.sparsity if name not in layers]
    if unknown:
        names = ", ".join(list(layers)[:10]) + (", …" if len(layers) > 10 else "")
        raise ValueError(f"no layer {unknown[0]!r} to prune; there are {names}")
    check_pins(plan, layers)
    criterion = find_criterion(plan.criterion, plan.granularity)
    for name, level in plan.sparsity.items():
        layer = layers[name]
        reason = cannot(layer, criterion, plan.granularity)
        # A row that is too short for an N:M pattern is asked for in vain, as the report says.
        refused = layer.kind in ("embedding", "experts") or layer.table or plan.granularity in UNITS
        if level and reason is not None and refused:
            raise ValueError(f"layer {name!r} cannot be pruned so: {reason}")


def cannot(layer: Layer, criterion: Criterion, granularity: str) -> str | None:
    """Why nothing of a layer can be cut by this criterion and granularity, or None.

    Told by the layer alone; that no batch norm follows it only the network's graph can tell.
    """
    shape = pattern(granularity)
    if granularity in WIDTHS and layer.units == 1:
        return f"it has one {layer.unit_word} only: nothing would be left"
    if layer.kind in ("recurrent", "experts") and granularity in WIDTHS:
        units = "recurrent units" if layer.kind == "recurrent" else "units of stacked experts"
        return f"{units} are masked, not removed; use single weights or an N:M pattern"
    if layer.kind == "experts" and set(criterion.needs) & set(PARTS["activity"]):
        return (
            f"{criterion.label} looks at what a weight meets, and what is sent to which expert is "
            "not heard; use a criterion of weights or gradients"
        )
    if layer.kind == "embedding":
        if granularity not in ("weight", "block"):
            return "an embedding has no units or inputs to cut; use single weights"
        if criterion.needs:
            return f"{criterion.label} looks at more than weights, and an embedding has no inputs"
    curved = no_curvature(layer) if set(criterion.needs) & set(PARTS["curvature"]) else None
    if curved is not None and layer.kind != "embedding":
        return f"{criterion.label}: {curved}; use another criterion"
    if layer.table and set(criterion.needs) - TOLD:
        return (
            f"{criterion.label} would see one of two paths: its weight is the table "
            f"{layer.table!r}, too; judge it by its weights alone"
        )
    if shape is not None and layer.size // layer.units < shape[1]:
        return f"{granularity}: a row has only {layer.size // layer.units} inputs"
    return None


def active(plan: Plan) -> Plan:
    """The plan without layers that ask for nothing; in a pool these still compete and stay."""
    if plan.scope != "layer" and not plan.is_dense:
        return plan
    asking = {name: level for name, level in plan.sparsity.items() if level > 0}
    return replace(plan, sparsity=asking)


def cuts(
    plan: Plan, rankings: Mapping[str, Ranking], groups: Groups | None = None
) -> dict[str, int]:
    """Layer, or lead of a group -> how many of its items go."""
    sparsity = plan.sparsity if groups is None else levels(plan, groups)
    if plan.scope != "layer":
        counts = pool_counts(sparsity, rankings)
        kept = {n: int(mask_of(r, counts[n]).count_nonzero()) for n, r in rankings.items()}
        return {name: ranking.items - kept[name] for name, ranking in rankings.items()}
    return {name: layer_count(sparsity.get(name, 0.0), r) for name, r in rankings.items()}


def apply(
    model: nn.Module,
    plan: Plan,
    layers: Mapping[str, Layer],
    rankings: Mapping[str, Ranking],
    graph: Graph | None = None,
    groups: Groups | None = None,
) -> Pruned:
    """Cut what `plan` asks from rankings made for it, in which what is pinned has been pinned."""
    if groups is not None:
        check_units(plan, layers, groups)
    kept = _keep(plan, layers, rankings, groups)
    tensors = state(model)
    if groups is not None and graph is not None:
        own = frozenset(name for name, _ in model.named_parameters(remove_duplicate=False))
        parameter_masks = unit_masks(kept, layers, groups, graph, tensors, own)
    else:
        parameter_masks = {}
        for name, items in kept.items():
            layer = layers[name]
            whole_mask = layer.turn(expand(layer, items))
            _enter(parameter_masks, tensors[layer.weight], layer, whole_mask)
    masks = {}
    for name, layer in layers.items():
        mask = parameter_masks.get(layer.weight)
        whole = torch.ones((), dtype=torch.bool, device=tensors[layer.weight].device)
        # One element where nothing is cut: dense layers cost no memory.
        masks[name] = whole.expand(layer.shape) if mask is None else layer.canonical(mask)
    return Pruned(
        plan,
        masks,
        parameter_masks,
        {name: r.scores for name, r in rankings.items()},
        _report(plan, layers, masks, kept if groups is not None else None, groups),
        model,
        kept if groups is not None else {},
        groups,
        graph,
    )


def _keep(
    plan: Plan,
    layers: Mapping[str, Layer],
    rankings: Mapping[str, Ranking],
    groups: Groups | None,
) -> dict[str, Tensor]:
    """Layer, or lead of a group -> which of its items stay."""
    if plan.scope == "layer":
        counts = cuts(plan, rankings, groups)
    else:
        counts = pool_counts(plan.sparsity if groups is None else levels(plan, groups), rankings)
    kept = {name: mask_of(ranking, counts[name]) for name, ranking in rankings.items()}
    for name, sign in hands(plan, layers, groups).items():
        if name not in kept:  # it is asked for nothing else
            kept[name] = sign >= 0
    return kept


def _enter(masks: dict[str, Tensor], tensor: Tensor, layer: Layer, mask: Tensor) -> None:
    mask = mask.to(tensor.device)
    if layer.rows is None:
        masks[layer.weight] = mask
        return
    if layer.weight not in masks:
        masks[layer.weight] = torch.ones(tensor.shape, dtype=torch.bool, device=tensor.device)
    masks[layer.weight][slice(*layer.rows)] = mask


def _report(
    plan: Plan,
    layers: Mapping[str, Layer],
    masks: Mapping[str, Tensor],
    units: Mapping[str, Tensor] | None,
    groups: Groups | None,
) -> pd.DataFrame:
    sparsity = plan.sparsity if groups is None else levels(plan, groups)
    rows = []
    for name, layer in layers.items():
        whole = masks[name].stride() == (0,) * len(layer.shape)  # not summed: it is one element
        remaining = layer.size if whole else int(masks[name].count_nonzero())
        lead = name if groups is None else groups.lead(name)
        got = 1 - remaining / layer.size
        if units is not None and groups is not None:
            got = _units_cut(units.get(lead))
        group = None if groups is None else groups.of(name)
        whole_block = group is not None and group.skip is not None  # what comes in goes past it
        collapse = (
            ""
            if remaining or whole_block
            else f"collapse: nothing is left of {name!r}; lower its sparsity"
        )
        if not remaining and got < 1 and not whole_block:
            collapse = f"collapse: nothing is left of {name!r}: all that it reads is cut"
        rows.append((name, sparsity.get(lead, 0.0), got, remaining, layer.size, collapse))
    return pd.DataFrame(rows, columns=["layer", "asked", "got", "kept", "total", "collapse"])


def _units_cut(kept: Tensor | None) -> float:
    """The fraction of a layer's units that go; of one in a group, of the group's."""
    return 0.0 if kept is None else 1 - int(kept.count_nonzero()) / len(kept)
