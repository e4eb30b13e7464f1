"""What is kept from one plan to the next, so that masks are there at once?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from torch import nn

from pruneviz.data import Data
from pruneviz.network.graph import norm_scale
from pruneviz.network.graph_cache import GraphCache
from pruneviz.network.groups import Groups
from pruneviz.network.layers import Layer
from pruneviz.plan import Plan
from pruneviz.progress import ShareDone, silent_share
from pruneviz.pruning.criteria import find_criterion
from pruneviz.pruning.evidence import (
    NO_READER,
    USUAL,
    Evidence,
    parts_for,
    weights_only,
)
from pruneviz.pruning.evidence_cache import EvidenceCache
from pruneviz.pruning.evidence_pass import gather
from pruneviz.pruning.masks import Ranking
from pruneviz.pruning.prune import active, apply, cannot
from pruneviz.pruning.pruned import Pruned
from pruneviz.pruning.ranking_cache import RankingCache
from pruneviz.pruning.repair.verdict import mend
from pruneviz.pruning.sliders import Slider, find_sliders
from pruneviz.pruning.turn import turns
from pruneviz.pruning.units import cannot_units, readers
from pruneviz.storage.cache import Cache
from pruneviz.tasks import Task

_MASKS = 2**26  # bytes


class MaskCache:
    """One network, cut by any plan: its graph, evidence, rankings and masks, each made once.

    classes: of `Evidence.by_class`. block: how many samples are sent through at a time.
    """

    def __init__(
        self,
        model: nn.Module,
        layers: Mapping[str, Layer],
        traced: GraphCache,
        calibration: Data,
        task: Task,
        classes: Callable[[], int],
        block: Callable[[], int],
    ) -> None:
        self._model, self._layers, self._graph_cache = model, layers, traced
        self._calibration, self._task = calibration, task
        self._classes, self._block = classes, block
        self._evidence = EvidenceCache(self._gather)
        self._ranked = RankingCache(layers, self._evidence_for, self._groups_for)
        self._pruned: Cache[Pruned] = Cache(_MASKS, lambda pruned: pruned.bytes)

    def has_evidence(self, *parts: str) -> bool:
        """Whether these parts of evidence (the usual ones by default) have been gathered."""
        return self._evidence.has(parts or USUAL)

    def evidence(self, *parts: str, progress: ShareDone = silent_share) -> dict[str, Evidence]:
        """Evidence by layer, gathered once and kept; `parts` of PARTS, by default of USUAL."""
        return self._evidence.of(parts or USUAL, progress)

    def rankings(self, plan: Plan) -> dict[str, Ranking]:
        """The order in which the items of the layers named in `plan` would be cut."""
        return self._ranked.of(plan)

    def cannot(self, plan: Plan) -> dict[str, str]:
        """Layer -> why nothing can be cut there under the plan's criterion and granularity."""
        criterion, groups = find_criterion(plan.criterion, plan.granularity), self._groups_for(plan)
        reasons = {}
        for name, layer in self._layers.items():
            reason = cannot(layer, criterion, plan.granularity)
            if groups is not None:
                reason = reason or cannot_units(groups, layer, plan.granularity)
            if reason is not None:
                reasons[name] = reason
            elif "scale" in criterion.needs and self._no_scale(groups, layer):
                reasons[name] = f"{criterion.label}: no batch norm follows this layer"
            elif "read" in criterion.needs and not self._is_read(groups, layer):
                reasons[name] = f"{criterion.label}: {NO_READER}"
        return reasons

    def _no_scale(self, groups: Groups | None, layer: Layer) -> bool:
        """Whether no batch norm scales the layer; of a group one that does is enough."""
        members = (layer.name,) if groups is None else groups.members(layer.name)
        graph = self._graph_cache.graph
        return all(norm_scale(graph, self._layers[name]) is None for name in members)

    def _is_read(self, groups: Groups | None, layer: Layer) -> bool:
        """Whether a layer is known that reads its units."""
        group = None if groups is None else groups.of(layer.name)
        return group is not None and any(readers(group, self._layers))

    def sliders(self, plan: Plan, locked: Collection[str] = ()) -> tuple[Slider, ...]:
        """What may move under the plan's criterion and granularity, apart from what is locked."""
        out = {*self.cannot(plan), *locked}
        return find_sliders(self._layers, self._groups_for(plan), plan.granularity, out)

    def prune(self, plan: Plan) -> Pruned:
        """The masks of a plan that was checked, and what repairs them."""
        return self._pruned.get_or(plan, lambda: self._prune(plan))

    def _gather(self, parts: Collection[str], progress: ShareDone) -> dict[str, Evidence]:
        evidence = gather(
            self._model,
            self._layers,
            self._graph_cache.graph_or_none(),
            self._calibration,
            classes=self._classes(),
            task=self._task,
            parts=parts,
            batch=self._block(),
            progress=progress,
        )
        return self._with_turns(evidence, progress) if "turn" in parts else evidence

    def _with_turns(
        self, evidence: Mapping[str, Evidence], progress: ShareDone
    ) -> dict[str, Evidence]:
        graph, blocks = self._graph_cache.graph, self._graph_cache.blocks
        found = turns(
            self._model, graph, blocks, self._layers, self._calibration, self._block(), progress
        )
        return {name: replace(one, turn=found.get(name)) for name, one in evidence.items()}

    def _evidence_for(self, plan: Plan) -> dict[str, Evidence]:
        criterion = find_criterion(plan.criterion, plan.granularity)
        if criterion.needs_gathering:
            return self.evidence(*parts_for(criterion.needs))
        graph = self._graph_cache.graph if criterion.needs else None
        return weights_only(self._model, self._layers, graph)

    def _groups_for(self, plan: Plan) -> Groups | None:
        return self._graph_cache.groups_for(plan.granularity)

    def _prune(self, plan: Plan) -> Pruned:
        if plan.is_dense:
            return apply(self._model, plan, self._layers, {})
        groups = self._groups_for(plan)
        graph = None if groups is None else self._graph_cache.graph
        rankings = self.rankings(active(plan))
        pruned = apply(self._model, plan, self._layers, rankings, graph, groups)
        return self._mend(pruned) if plan.repair else pruned

    def _mend(self, pruned: Pruned) -> Pruned:
        mending = mend(
            self._model,
            self._layers,
            pruned.groups,
            pruned.graph or self._graph_cache.graph_or_none(),
            pruned.plan,
            pruned.parameter_masks,
            pruned.units,
            self._calibration,
            batch=self._block(),
        )
        return replace(pruned, repaired=mending.tensors, notes=mending.notes)
