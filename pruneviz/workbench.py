"""What do the app, the command line and a Python user work at?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import pandas as pd
from torch import Tensor, nn

from pruneviz.caching import Kept
from pruneviz.graph import Graph, heads, trace
from pruneviz.measuring.collapse import cut_in_two
from pruneviz.measuring.cost import Cost, cost_of, macs_by_layer, macs_of_network
from pruneviz.measuring.evaluate import (
    BLOCK,
    Evaluation,
    answer,
    join,
    nothing_answered,
    summarise,
)
from pruneviz.measuring.feature_maps import feature_maps
from pruneviz.measuring.outcomes import Outcomes
from pruneviz.measuring.probe import probe_size
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import find_criterion
from pruneviz.pruning.evidence import Evidence, gather, weights_only
from pruneviz.pruning.layers import Layer, find_layers
from pruneviz.pruning.masks import Ranking, pool
from pruneviz.pruning.prune import Pruned, active, apply, check, rank
from pruneviz.replica import fingerprint, replica, state
from pruneviz.sources import Data, Outcome, Source
from pruneviz.sources.checks import check_source
from pruneviz.sources.in_hand import from_model
from pruneviz.sources.registered import load_registered


class Workbench:
    """A model, its data, and everything about them that is worth keeping.

    One workbench serves many threads. The model is never written to.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.name = source.name
        self.found: dict[str, Layer] = find_layers(source.model)
        check_source(source)
        self._graph_lock, self._evidence_lock = threading.Lock(), threading.Lock()
        self._graph: Graph | ValueError | None = None
        self._evidence: dict[str, Evidence] | None = None
        self._rankings: Kept[dict[str, Ranking]] = Kept(16)
        self._pools: Kept[dict[str, Ranking]] = Kept(8)
        self._pruned: Kept[Pruned] = Kept(8)
        self._outcomes = Outcomes(1024, self._answer)
        self.dense_confirmed = False
        if source.dense is not None and len(source.dense.predicted) == len(source.validation):
            self._outcomes.put(Plan(), source.dense)

    # -- what there is ---------------------------------------------------------------------

    @property
    def layers(self) -> pd.DataFrame:
        """One row a layer that may be pruned: layer, kind, shape, params, macs, group.

        group: the layers that must be cut together with it; for masks each is its own.
        """
        rows = [
            (x.name, x.kind, x.shape, x.size + (x.units if x.has_bias else 0), self.macs[x.name])
            for x in self.found.values()
        ]
        table = pd.DataFrame(rows, columns=["layer", "kind", "shape", "params", "macs"])
        return table.assign(group=table["layer"])

    @cached_property
    def fingerprint(self) -> str:
        """The first 12 hex digits of the SHA-256 of all parameters and buffers."""
        return fingerprint(self.source.model)

    @cached_property
    def macs(self) -> dict[str, int]:
        """Layer -> multiply-accumulates for one sample."""
        return macs_by_layer(self.source.model, self.found, self.source.validation.inputs)

    @cached_property
    def macs_in_all(self) -> int:
        """Multiply-accumulates of the whole network for one sample, as its card says or counted."""
        said = self.source.card.get("macs")
        if isinstance(said, int):
            return said
        return macs_of_network(self.source.model, self.source.validation.inputs)

    @property
    def graph(self) -> Graph:
        """The network's graph, traced when first needed; ValueError if it cannot be traced."""
        with self._graph_lock:
            if self._graph is None:
                self._graph = self._trace()
            if isinstance(
                self._graph, ValueError
            ):  # to try again would take as long and fail again
                raise self._graph
            return self._graph

    @cached_property
    def heads(self) -> frozenset[str]:
        """The layers that make the network's outputs."""
        return heads(self.graph)

    def weight(self, layer: str) -> Tensor:
        """The dense weight of a layer; never write to it."""
        return state(self.source.model)[self.found[layer].weight]

    @property
    def evidence_ready(self) -> bool:
        """Whether the calibration data has passed through the network."""
        return self._evidence is not None

    def evidence(
        self, progress: Callable[[float], None] = lambda done: None
    ) -> dict[str, Evidence]:
        """Evidence for every criterion, by layer; gathered once and kept."""
        with self._evidence_lock:
            if self._evidence is None:
                self._evidence = gather(
                    self.source.model,
                    self.found,
                    self._graph_or_none(),
                    self.source.calibration,
                    classes=len(self.source.classes),
                    progress=progress,
                )
            return self._evidence

    # -- what a plan does ------------------------------------------------------------------

    def rankings(self, plan: Plan) -> dict[str, Ranking]:
        """The order in which the items of the layers named in `plan` would be cut."""
        names = [name for name in self.found if name in plan.sparsity]
        found = {name: self._ranking(plan, name) for name in names}
        if plan.scope == "layer":
            return found
        key = (*_ranking_key(plan), tuple(names))
        return self._pools.get_or(key, lambda: pool(found))

    def prune(self, plan: Plan) -> Pruned:
        """The masks of `plan`; ValueError names the layer or criterion that does not fit."""
        check(plan, self.found)
        # A new object each time: its `model` is the caller's own, to train or to change.
        return replace(self._pruned.get_or(plan, lambda: self._prune(plan)))

    def evaluate(self, plan: Plan, n: int | None = None) -> Evaluation:
        """`plan` measured on the first n validation samples (all of them by default).

        What was measured before, for this plan or a shorter prefix, is not measured again.
        Raises ValueError for n outside 1..number of validation samples.
        """
        check(plan, self.found)
        data = self.source.validation
        n = len(data) if n is None else n
        if type(n) is not int or not 1 <= n <= len(data):
            raise ValueError(f"n must be in 1..{len(data)} (the validation samples), got {n}")
        dense = self._outcomes.first(Plan(), n)
        outcome = dense if plan.is_dense else self._outcomes.first(plan, n)
        return summarise(outcome, dense, data.targets, self.source.classes, n)

    def measured(self, plan: Plan) -> int:
        """On how many validation samples `plan` has been measured already."""
        return self._outcomes.count(plan)

    def confirm_dense(self, progress: Callable[[float], None] = lambda done: None) -> None:
        """Measure the dense network here, in place of what its source brought along.

        `progress` is called with the fraction done; what it raises leaves everything as it was.
        """
        outcome = nothing_answered()
        while (done := len(outcome.predicted)) < self._all:
            progress(done / self._all)
            outcome = join(outcome, self._answer(Plan(), done, done + BLOCK))
        self._outcomes.put(Plan(), outcome)
        self.dense_confirmed = True

    def cost(self, plan: Plan) -> Cost:
        """What is left of the network under `plan`."""
        return cost_of(self.prune(plan), self.found, self.macs, self.macs_in_all)

    def warnings(self, plan: Plan) -> dict[str, str]:
        """Layer -> what has collapsed there: nothing left of it, or the network cut in two."""
        pruned = self.prune(plan)
        found = dict(pruned.collapse)
        if not plan.is_dense:
            layer = cut_in_two(
                self.source.model,
                pruned.parameter_masks,
                tuple(self.found),
                self.source.validation.inputs,
            )
            if layer is not None:
                found.setdefault(
                    layer,
                    f"collapse: the network is cut in two at {layer!r}; from there on nothing "
                    "depends on the input",
                )
        return found

    def feature_maps(self, plan: Plan, layer: str, sample: int) -> Tensor:
        """Activations of one layer under `plan` for one validation sample: [units, ...].

        Raises ValueError for a layer or sample that is not there.
        """
        if layer not in self.found:
            raise ValueError(f"no layer {layer!r}; there are {', '.join(self.found)}")
        if not 0 <= sample < self._all:
            raise ValueError(f"sample must be in 0..{self._all - 1}, got {sample}")
        return feature_maps(
            self.source.model,
            self.prune(plan).parameter_masks,
            self.found[layer],
            self._graph_or_none(),
            self.source.validation.inputs[sample : sample + 1],
        )

    @cached_property
    def probe(self) -> int:
        """How many validation samples this machine answers in about 0.12 s."""
        return probe_size(self.source.model, self.source.validation)

    # -- inside ----------------------------------------------------------------------------

    @property
    def _all(self) -> int:
        return len(self.source.validation)

    def _answer(self, plan: Plan, start: int, stop: int) -> Outcome:
        masks = self.prune(plan).parameter_masks
        return answer(self.source.model, masks, self.source.validation, start, stop)

    def _trace(self) -> Graph | ValueError:
        example = self.source.validation.inputs[:2]
        if len(example) < 2:
            example = example.repeat(2, *[1] * (example.ndim - 1))
        try:
            return trace(replica(self.source.model), example, self.found)
        except ValueError as error:
            return error

    def _graph_or_none(self) -> Graph | None:
        try:
            return self.graph
        except ValueError:
            return None

    def _ranking(self, plan: Plan, name: str) -> Ranking:
        known = self._rankings.get_or(_ranking_key(plan), dict)
        if name not in known:
            alone = replace(plan, sparsity={name: 0.0}, scope="layer")
            known[name] = rank(self.found, self._evidence_for(plan), alone)[name]
        return known[name]

    def _evidence_for(self, plan: Plan) -> dict[str, Evidence]:
        criterion = find_criterion(plan.criterion, plan.granularity)
        if criterion.needs_gathering:
            return self.evidence()
        graph = self.graph if criterion.needs else None
        return weights_only(self.source.model, self.found, graph)

    def _prune(self, plan: Plan) -> Pruned:
        graph = self.graph if plan.granularity == "neuron" and not plan.is_dense else None
        rankings = self.rankings(active(plan))
        return apply(self.source.model, plan, self.found, rankings, graph)


def open_workbench(
    source: str | Source | nn.Module, data: Data | tuple[Tensor, Tensor] | None = None
) -> Workbench:
    """Open a registered model by name, a Source, or a model in hand with its labelled data.

    For a model in hand, a seeded 30 % of the data calibrates and the rest validates.
    Raises ValueError naming what is unknown or missing.
    """
    if isinstance(source, str):
        return Workbench(load_registered(source))
    if isinstance(source, Source):
        return Workbench(source)
    if not isinstance(source, nn.Module):
        raise ValueError(f"expected a model's name, a Source or an nn.Module, got {source!r}")
    if data is None:
        raise ValueError(
            f"{type(source).__name__} needs data to be measured on: pass (inputs, targets)"
        )
    return Workbench(from_model(source, data))


def _ranking_key(plan: Plan) -> tuple[str, str, bool, int]:
    seed = plan.seed if plan.criterion == "random" else 0
    return plan.criterion, plan.granularity, plan.relative, seed
