"""What can be cut of the network as it is now?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.network.graph_cache import GraphCache
from pruneviz.network.groups import Groups
from pruneviz.network.layers import Layer
from pruneviz.plan import Plan, pattern
from pruneviz.pruning.criteria import find_criterion
from pruneviz.pruning.evidence import Evidence, parts_for, weights_only
from pruneviz.pruning.evidence_pass import gather
from pruneviz.pruning.masks import Ranking, pin
from pruneviz.pruning.pins import hands
from pruneviz.pruning.prune import active, apply, kind_of, rank
from pruneviz.pruning.pruned import Pruned
from pruneviz.tasks import Task
from pruneviz.training.mask_set import MaskSet


@dataclass(frozen=True)
class Structure:
    """The layers of a network in training, and its graph; another one when units were removed.

    items: layer, or lead of a group -> units it had at first, where some were removed.
    calibration, block: what feeds the criteria, and how many samples at a time. places: layer ->
    number that each of its units had at first, where some were removed. least: units that stay of
    each group, whatever the plan says: the best.
    """

    layers: Mapping[str, Layer]
    graph_cache: GraphCache
    calibration: Data
    task: Task
    block: int
    items: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[str, Tensor] = field(default_factory=dict)
    least: int = 0

    def groups(self, plan: Plan) -> Groups | None:
        """The groups of units, where the plan cuts whole units."""
        return self.graph_cache.groups_for(plan.granularity)

    def cut(
        self,
        network: nn.Module,
        plan: Plan,
        before: MaskSet,
        evidence: Mapping[str, Evidence] | None = None,
    ) -> MaskSet:
        """What is cut when the network, with its weights as they are, comes to `plan`.

        What was cut before stays cut, whatever its score is now. evidence: in place of what is
        gathered on the calibration data.
        """
        plan = self.rescale(plan)
        if plan.is_dense:
            return before
        groups = self.groups(plan)
        graph = None if groups is None else self.graph_cache.graph
        gathered_evidence = self._evidence(network, plan) if evidence is None else evidence
        active_plan = active(plan)
        rankings = rank(self.layers, gathered_evidence, active_plan, groups)
        if pattern(plan.granularity):
            rankings = {n: r for n, r in rankings.items() if n not in _cut_layers(before)}
            active_plan = replace(active_plan, sparsity={n: plan.sparsity[n] for n in rankings})
        else:
            signs = self._signs(plan, before, groups)
            if self.least and groups is not None:
                signs = self._spare(network, active_plan, rankings, signs, groups)
            rankings = _pin(rankings, signs)
        pruned = apply(network, active_plan, self.layers, rankings, graph, groups)
        return join(before, mask_set_of(pruned, self.layers))

    def _spare(
        self,
        network: nn.Module,
        plan: Plan,
        rankings: Mapping[str, Ranking],
        signs: Mapping[str, Tensor],
        groups: Groups,
    ) -> dict[str, Tensor]:
        """The signs, with one more kept in each group of which nothing would be left."""
        candidates = _pin(rankings, signs)
        units = apply(network, plan, self.layers, candidates, self.graph_cache.graph, groups).units
        spared = dict(signs)
        for name, line in units.items():
            if name not in groups.groups or name not in rankings or bool(line.any()):
                continue
            sign = signs.get(name, torch.zeros(line.shape, dtype=torch.int8)).clone()
            free = (sign == 0).nonzero().flatten()
            if len(free):
                sign[free[rankings[name].rank.cpu().flatten()[free].argmax()]] = 1
                spared[name] = sign
        return spared

    def rescale(self, plan: Plan) -> Plan:
        """The plan in fractions and places of the units that are still there, where some were
        removed.
        """
        if self.places and plan.pinned:
            plan = replace(plan, pinned={n: self._move(n, p) for n, p in plan.pinned.items()})
        if not self.items:
            return plan
        groups = self.graph_cache.groups
        sizes = {name: self._units(groups, name) for name in plan.sparsity}
        gone = {n: max(0, self.items.get(groups.lead(n), now) - now) for n, now in sizes.items()}
        able = [name for name, size in sizes.items() if size > self.least]
        if plan.scope != "layer":
            leads = {groups.lead(name): name for name in plan.sparsity}
            kinds = {lead: kind_of(plan, lead, self.layers, groups) for lead in leads}
            pooled: dict[str, float] = {}
            for kind in dict.fromkeys(kinds.values()):
                mine = [name for lead, name in leads.items() if kinds[lead] == kind]
                number = sum(plan.sparsity[n] * (sizes[n] + gone[n]) - gone[n] for n in mine)
                level = max(0.0, number / max(1, sum(sizes[n] for n in mine if n in able)))
                members = [name for name in able if kinds[groups.lead(name)] == kind]
                pooled |= dict.fromkeys(members, min(1.0, level))
            return replace(plan, sparsity=pooled)
        levels = {
            name: max(0.0, (plan.sparsity[name] * (sizes[name] + gone[name]) - gone[name]))
            / sizes[name]
            for name in able
        }
        return replace(plan, sparsity=levels)

    def _move(self, name: str, pinned: Mapping[str, bool]) -> dict[str, bool]:
        places = self.places.get(name)
        if places is None:
            return dict(pinned)
        now = {str(place): str(unit) for unit, place in enumerate(places.tolist())}
        return {now[place]: kept for place, kept in pinned.items() if place in now}

    def _units(self, groups: Groups, name: str) -> int:
        group = groups.of(name)
        return self.layers[name].units if group is None else group.units

    def _evidence(self, network: nn.Module, plan: Plan) -> Mapping[str, Evidence]:
        criterion = find_criterion(plan.criterion, plan.granularity)
        if not criterion.needs_gathering:
            graph = self.graph_cache.graph if criterion.needs else None
            return weights_only(network, self.layers, graph)
        return gather(
            network,
            self.layers,
            self.graph_cache.graph_or_none(),
            self.calibration,
            classes=1,
            task=self.task,
            parts=parts_for(criterion.needs),
            batch=self.block,
        )

    def _signs(self, plan: Plan, before: MaskSet, groups: Groups | None) -> dict[str, Tensor]:
        """What is out of the ranking: cut or kept by hand, or cut before."""
        signs = hands(plan, self.layers, groups)
        masks = before.layers if groups is None else before.units
        for name, mask in masks.items():
            if not bool(mask.all()):
                sign = signs.get(name, torch.zeros(mask.shape, dtype=torch.int8))
                signs[name] = torch.where(mask.cpu(), sign, torch.full_like(sign, -1))
        return signs


def _pin(rankings: Mapping[str, Ranking], signs: Mapping[str, Tensor]) -> dict[str, Ranking]:
    pinned = {name: sign for name, sign in signs.items() if name in rankings}
    return pin(rankings, pinned)


def mask_set_of(pruned: Pruned, layers: Mapping[str, Layer]) -> MaskSet:
    """The masks of a plan, of what it cuts alone."""
    own = pruned.parameter_masks
    masks = {name: m for name, m in pruned.masks.items() if layers[name].weight in own}
    return MaskSet(own, masks, pruned.units)


def join(before: MaskSet, now: MaskSet) -> MaskSet:
    """What either of them cuts is cut."""

    def both(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {**a, **{name: a[name] & mask if name in a else mask for name, mask in b.items()}}

    return MaskSet(
        both(before.parameters, now.parameters),
        both(before.layers, now.layers),
        both(before.units, now.units),
    )


def _cut_layers(masks: MaskSet) -> set[str]:
    return {name for name, mask in masks.layers.items() if not bool(mask.all())}
