"""What does a plan cut?"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import pandas as pd
import torch
from torch import Tensor, nn

from pruneviz.graph import Graph, belongings
from pruneviz.plan import Plan, pattern
from pruneviz.pruning import masks as cutting
from pruneviz.pruning.criteria import Criterion, find_criterion
from pruneviz.pruning.evidence import Evidence, weights_only
from pruneviz.pruning.granularity import expand, ranks, scores_for
from pruneviz.pruning.layers import Layer, find_layers
from pruneviz.pruning.masks import Ranking
from pruneviz.replica import state


@dataclass(frozen=True)
class Pruned:
    """The result of a plan on one network.

    masks: layer -> bool of the weight's shape, True = kept. parameter_masks: parameter name ->
    bool, for everything that is cut: weights and what belongs to pruned units.
    scores: layer -> floats, like the weight or [units]. report: one row a layer: layer, asked,
    got, kept, total (of weights), collapse (what is wrong, or "").
    """

    plan: Plan
    masks: Mapping[str, Tensor]
    parameter_masks: Mapping[str, Tensor]
    scores: Mapping[str, Tensor]
    report: pd.DataFrame
    dense: nn.Module = field(repr=False)

    @property
    def sparsity(self) -> dict[str, float]:
        """Fraction of weights pruned, by layer."""
        return dict(zip(self.report["layer"], self.report["got"].astype(float), strict=True))

    @property
    def collapse(self) -> dict[str, str]:
        """Layers of which nothing is left, with the sentence that says so."""
        rows = self.report[self.report["collapse"] != ""]
        return dict(zip(rows["layer"], rows["collapse"], strict=True))

    @property
    def bytes(self) -> int:
        """Memory its masks hold."""
        return sum(mask.untyped_storage().nbytes() for mask in self.masks.values())

    @cached_property
    def model(self) -> nn.Module:
        """A copy of the network, its own class and keys, with the masks baked in."""
        model = copy.deepcopy(self.dense)
        parameters = dict(model.named_parameters(remove_duplicate=False))
        with torch.no_grad():
            for name, mask in self.parameter_masks.items():
                parameters[name].mul_(mask)
        return model


def rank(
    layers: Mapping[str, Layer], evidence: Mapping[str, Evidence], plan: Plan
) -> dict[str, Ranking]:
    """Rankings of the layers that `plan` names.

    With scope "global" the layers named compete in one pool. Only criterion, granularity, scope,
    relative, seed and the names in the plan's sparsity matter, not the levels.
    """
    criterion = find_criterion(plan.criterion, plan.granularity)
    found: dict[str, Ranking] = {}
    for name in layers:
        if name not in plan.sparsity:
            continue
        known = evidence[name]
        if known.seed != plan.seed:
            known = replace(known, seed=plan.seed)
        scores = scores_for(criterion, plan.granularity, known)
        if plan.relative:
            scores = scores.double()
            scores = scores / scores.norm().clamp(min=torch.finfo(torch.float64).tiny)
        order, only = ranks(scores, plan.granularity)
        found[name] = Ranking(order, scores, only)
    return cutting.pool(found) if plan.scope == "global" else found


def prune(
    model: nn.Module,
    plan: Plan,
    evidence: Mapping[str, Evidence] | None = None,
    graph: Graph | None = None,
) -> Pruned:
    """Masks for `plan` on `model`, which is left as it is.

    evidence: from `gather`, for criteria that look at data. graph: from `trace`, needed for
    granularity "neuron", where it says which batch norms belong to a unit.
    Raises ValueError naming the layer, criterion or field that does not fit.
    """
    layers = find_layers(model)
    check(plan, layers)
    if plan.granularity == "neuron" and graph is None and not plan.is_dense:
        raise ValueError(
            "granularity 'neuron' needs the network's graph to find what belongs to a neuron; "
            "pass graph=pruneviz.trace(model, example, layers)"
        )
    evidence = evidence or weights_only(model, layers, graph)
    return apply(model, plan, layers, rank(layers, evidence, active(plan)), graph)


def check(plan: Plan, layers: Mapping[str, Layer]) -> None:
    """ValueError when the plan names a layer that is not there, or an unknown criterion."""
    unknown = [name for name in plan.sparsity if name not in layers]
    if unknown:
        known = ", ".join(list(layers)[:10]) + (", …" if len(layers) > 10 else "")
        raise ValueError(f"no layer {unknown[0]!r} to prune; there are {known}")
    criterion = find_criterion(plan.criterion, plan.granularity)
    for name, level in plan.sparsity.items():
        layer = layers[name]
        reason = cannot(layer, criterion, plan.granularity)
        # A row that is too short for an N:M pattern is asked for in vain, as the report says.
        if level and reason is not None and layer.kind == "embedding":
            raise ValueError(f"layer {name!r} cannot be pruned so: {reason}")


def cannot(layer: Layer, criterion: Criterion, granularity: str) -> str | None:
    """Why nothing of a layer can be cut by this criterion and granularity, or None.

    Told by the layer alone; that no batch norm follows it only the network's graph can tell.
    """
    shape = pattern(granularity)
    if layer.kind == "embedding":
        if granularity != "weight":
            return "an embedding has no units or inputs to cut; use single weights"
        if criterion.needs:
            return f"{criterion.label} looks at more than weights, and an embedding has no inputs"
    if shape is not None and layer.size // layer.units < shape[1]:
        return f"{granularity}: a row has only {layer.size // layer.units} inputs"
    return None


def active(plan: Plan) -> Plan:
    """The plan without layers that ask for nothing; in a pool these still compete and stay."""
    if plan.scope == "global" and not plan.is_dense:
        return plan
    levels = {name: level for name, level in plan.sparsity.items() if level > 0}
    return replace(plan, sparsity=levels)


def cuts(plan: Plan, rankings: Mapping[str, Ranking]) -> dict[str, int]:
    """Layer -> how many of its items go."""
    if plan.scope == "global":
        k = cutting.pool_count(plan.sparsity, rankings)
        return {name: int((r.rank < k).count_nonzero()) for name, r in rankings.items()}
    return {
        name: cutting.layer_count(plan.sparsity.get(name, 0.0), r) for name, r in rankings.items()
    }


def apply(
    model: nn.Module,
    plan: Plan,
    layers: Mapping[str, Layer],
    rankings: Mapping[str, Ranking],
    graph: Graph | None = None,
) -> Pruned:
    """Cut what `plan` asks from rankings made for it."""
    masks: dict[str, Tensor] = {}
    parameter_masks: dict[str, Tensor] = {}
    counts = cuts(plan, rankings)
    pooled = cutting.pool_count(plan.sparsity, rankings) if plan.scope == "global" else None
    tensors = state(model)
    for name, layer in layers.items():
        ranking = rankings.get(name)
        if ranking is None:
            whole = torch.ones((), dtype=torch.bool, device=tensors[layer.weight].device)
            masks[name] = whole.expand(layer.shape)  # one element: dense layers cost no memory
            continue
        kept = cutting.kept(ranking, counts[name] if pooled is None else pooled)
        masks[name] = expand(layer, kept)
        stored = layer.turn(masks[name])
        _enter(parameter_masks, tensors, layer.weight, layer.rows, stored)
        if plan.granularity == "neuron" and graph is not None:
            for owned in belongings(graph, layer):
                rows = layer.bias_rows if owned == layer.bias else None
                _enter(parameter_masks, tensors, owned, rows, kept)
    return Pruned(
        plan,
        masks,
        parameter_masks,
        {name: r.scores for name, r in rankings.items()},
        _report(plan, layers, masks),
        model,
    )


def _enter(
    masks: dict[str, Tensor],
    tensors: Mapping[str, Tensor],
    name: str,
    rows: tuple[int, int] | None,
    mask: Tensor,
) -> None:
    if rows is None:
        masks[name] = mask
        return
    if name not in masks:
        masks[name] = torch.ones(tensors[name].shape, dtype=torch.bool, device=mask.device)
    masks[name][slice(*rows)] = mask


def _report(plan: Plan, layers: Mapping[str, Layer], masks: Mapping[str, Tensor]) -> pd.DataFrame:
    rows = []
    for name, layer in layers.items():
        whole = masks[name].stride() == (0,) * len(layer.shape)  # not summed: it is one element
        left = layer.size if whole else int(masks[name].count_nonzero())
        collapse = "" if left else f"collapse: nothing is left of {name!r}; lower its sparsity"
        rows.append(
            (name, plan.sparsity.get(name, 0.0), 1 - left / layer.size, left, layer.size, collapse)
        )
    return pd.DataFrame(rows, columns=["layer", "asked", "got", "kept", "total", "collapse"])
