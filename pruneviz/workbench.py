"""What do the app, the command line and a Python user work at?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import pandas as pd
from torch import Tensor

from pruneviz.caching import Kept
from pruneviz.cutting import Cutting
from pruneviz.graph import Graph
from pruneviz.measuring.collapse import SAMPLES, cut_in_two
from pruneviz.measuring.cost import Progress, cost_of
from pruneviz.measuring.counts import Counts, counts_of, macs_of_network
from pruneviz.measuring.evaluate import (
    BLOCK,
    Evaluation,
    answer,
    join,
    nothing_answered,
    summarise,
)
from pruneviz.measuring.feature_maps import feature_maps
from pruneviz.measuring.ledger import Cost
from pruneviz.measuring.outcomes import Outcomes
from pruneviz.measuring.probe import Probe, probe_size
from pruneviz.plan import Plan
from pruneviz.pruning.accounting import layer_table, never_pruned
from pruneviz.pruning.evidence import Evidence
from pruneviz.pruning.groups import Groups
from pruneviz.pruning.locks import usual_locks
from pruneviz.pruning.masks import Ranking
from pruneviz.pruning.prune import check
from pruneviz.pruning.pruned import Pruned
from pruneviz.pruning.survey import seen_layers
from pruneviz.replica import fingerprint, state
from pruneviz.sources import Outcome, Source
from pruneviz.sources.checks import check_source
from pruneviz.sources.networks.unwrapped import unwrapped
from pruneviz.tasks import Task, task_for
from pruneviz.traced import Traced

# Bytes that are kept: of the dense network's answers, of what plans answered.
_ANSWERS, _OUTCOMES = 2**26, 2**28

# A block's largest layer has its inputs and outputs in this many bytes: a fixed number, so that
# a network's answers do not depend on the machine.
_BLOCK_BYTES = 2**23
_COLUMNS = 64


class Workbench:
    """A model, its data, and everything about them that is worth keeping.

    One workbench serves many threads. The model is never written to.
    """

    def __init__(self, source: Source) -> None:
        check_source(source)
        model, notes = unwrapped(source.model)
        self.source = replace(source, model=model, notes=(*source.notes, *notes))
        self.name = source.name
        self.found, self.survey = seen_layers(model, source.validation)
        self.task: Task = task_for(self.survey.output, source.validation, source.metric)
        self._traced = Traced(model, source.validation, self.found)
        self._cutting = Cutting(
            model,
            self.found,
            self._traced,
            source.calibration,
            self.task,
            classes=lambda: len(self.columns),
            block=lambda: self.block,
        )
        plans = _OUTCOMES // (24 * max(1, len(source.validation)))
        self._outcomes = Outcomes(min(1024, max(64, plans)), self._answer)
        self._dense_answers: Kept[Tensor] = Kept(_ANSWERS, lambda tensor: tensor.nbytes)
        self.dense_confirmed = False
        if source.dense is not None and len(source.dense) == len(source.validation):
            self._outcomes.put(Plan(), source.dense)

    # -- what there is ---------------------------------------------------------------------

    @property
    def layers(self) -> pd.DataFrame:
        """One row a layer that may be pruned: layer, kind, shape, params, macs, group, locked.

        group: the first of the layers whose units must be cut together with its own.
        locked: why it is locked until somebody unlocks it, or "".
        """
        return layer_table(self.found, self.macs, self.locks, self._traced.groups_or_none())

    @cached_property
    def never(self) -> pd.DataFrame:
        """Parameters that no slider reaches, one row each: parameter, params, reason."""
        return never_pruned(self.source.model, self.found)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on how the model and its data were found."""
        return self.source.notes

    @cached_property
    def locks(self) -> dict[str, str]:
        """Layer -> why it is locked until somebody unlocks it (the output head, say)."""
        return usual_locks(self.found, self.survey)

    @cached_property
    def fingerprint(self) -> str:
        """The first 12 hex digits of the SHA-256 of all parameters and buffers."""
        return fingerprint(self.source.model)

    @property
    def macs(self) -> dict[str, int]:
        """Layer -> multiply-accumulates for one sample."""
        return {name: self.survey.macs[name] for name in self.found}

    @cached_property
    def macs_in_all(self) -> int:
        """Multiply-accumulates of the whole network for one sample, as its card says or counted."""
        said = self.source.card.get("macs")
        return (
            said
            if isinstance(said, int)
            else macs_of_network(self.source.model, self.source.validation)
        )

    @property
    def graph(self) -> Graph:
        """The network's graph, traced when first needed; ValueError if it cannot be traced."""
        return self._traced.graph

    @property
    def groups(self) -> Groups:
        """The groups of units that can be removed, each proved by a trial cut when first needed.

        ValueError if the network cannot be traced.
        """
        return self._traced.groups

    def weight(self, layer: str) -> Tensor:
        """The dense weight of a layer as [units, inputs, ...]; never write to it."""
        found = self.found[layer]
        return found.canonical(state(self.source.model)[found.weight])

    @cached_property
    def limits(self) -> dict[str, float]:
        """Layer -> the largest |weight|."""
        ends = {name: self.weight(name).aminmax() for name in self.found}
        return {name: max(-float(low), float(high)) for name, (low, high) in ends.items()}

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The classes of `Evidence.by_class`; one for all samples where there are none, or many."""
        classes = self.source.classes
        few = self.task.name == "classes" and 0 < len(classes) <= _COLUMNS
        return classes if few else ("all samples",)

    def has_evidence(self, *parts: str) -> bool:
        """Whether these parts of evidence (all by default) have been gathered."""
        return self._cutting.has_evidence(*parts)

    def evidence(
        self,
        *parts: str,
        progress: Callable[[float], None] = lambda done: None,
    ) -> dict[str, Evidence]:
        """Evidence by layer, gathered once and kept; `parts` of PARTS, all by default."""
        return self._cutting.evidence(*parts, progress=progress)

    # -- what a plan does ------------------------------------------------------------------

    def rankings(self, plan: Plan) -> dict[str, Ranking]:
        """The order in which the items of the layers named in `plan` would be cut."""
        return self._cutting.rankings(plan)

    def prune(self, plan: Plan) -> Pruned:
        """The masks of `plan`; ValueError names the layer or criterion that does not fit."""
        check(plan, self.found)
        # A new object each time: its `model` is the caller's own, to train or to change.
        return replace(self._cutting.prune(plan))

    def masks(self, plan: Plan) -> Pruned:
        """`prune` without the plan's repairs, which change no mask and take longer."""
        return self.prune(replace(plan, repair=()))

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
        return summarise(outcome, dense, data.targets, self.source.classes, n, self.task)

    def measured(self, plan: Plan) -> int:
        """On how many validation samples `plan` has been measured already."""
        return self._outcomes.count(plan)

    def confirm_dense(self, progress: Callable[[float], None] = lambda done: None) -> None:
        """Measure the dense network here, in place of what its source brought along.

        `progress` is called with the fraction done; what it raises leaves everything as it was.
        """
        outcome = nothing_answered()
        while (done := len(outcome)) < self._all:
            progress(done / self._all)
            outcome = join(outcome, self._answer(Plan(), done, done + self.block))
        self._outcomes.put(Plan(), outcome)
        self.dense_confirmed = True

    def counts(self, plan: Plan) -> Counts:
        """What is left of the network under `plan`, counted."""
        return counts_of(self.masks(plan), self.found, self.macs, self.macs_in_all)

    def cost(self, plan: Plan, progress: Progress = lambda label, done: None) -> Cost:
        """The ledger of `plan`: sizes, memory and latency, measured; takes seconds.

        `progress` is called with what is measured and the fraction done, and may raise to stop.
        """
        pruned, counts = self.prune(plan), self.counts(plan)
        small, why = None, ""
        try:
            small = pruned.shrink()
        except ValueError as error:
            why = str(error)
        return cost_of(pruned, counts, small, why, self.source.validation, progress=progress)

    def warnings(self, plan: Plan) -> dict[str, str]:
        """Layer -> what has collapsed there: nothing left of it, or the network cut in two."""
        pruned = self.prune(plan)
        found = dict(pruned.collapse)
        if not plan.is_dense:
            layer = cut_in_two(
                self.source.model,
                pruned.tensors,
                self.found,
                self.source.validation,
                2 if self.slow else SAMPLES,
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
            self.prune(plan).tensors,
            self.found[layer],
            self._traced.graph_or_none(),
            self.source.validation.take(slice(sample, sample + 1)).inputs,
        )

    @cached_property
    def block(self) -> int:
        """How many samples are answered at a time, by the size of the largest layer."""
        fits = max(1, _BLOCK_BYTES // max(1, self.survey.activation))
        return min(BLOCK, 1 << (fits.bit_length() - 1))

    @property
    def probe(self) -> int:
        """How many validation samples this machine answers in about 0.12 s; at least one."""
        return self._probe.size

    @property
    def slow(self) -> bool:
        """Whether too few samples can be answered while a slider moves."""
        return self._probe.slow

    @property
    def seconds_per_sample(self) -> float:
        """How long the dense network takes for one sample on this machine."""
        return self._probe.seconds_per_sample

    @cached_property
    def _probe(self) -> Probe:
        return probe_size(self.source.model, self.source.validation, self.task, self.block)

    # -- inside ----------------------------------------------------------------------------

    @property
    def _all(self) -> int:
        return len(self.source.validation)

    def _answer(self, plan: Plan, start: int, stop: int) -> Outcome:
        tensors = self.prune(plan).tensors
        data = self.source.validation
        return answer(
            self.source.model,
            tensors,
            data,
            start,
            stop,
            self.task,
            self.block,
            self._dense_answers,
        )
