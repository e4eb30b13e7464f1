"""What do the app, the command line and a Python user work at?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import pandas as pd
from torch import Tensor

from pruneviz.allocation.request import SearchRequest
from pruneviz.export import export
from pruneviz.measuring.bench import Bench
from pruneviz.measuring.continuation import continuation, surprise
from pruneviz.measuring.counts import Counts, counts_of
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.measuring.executor import Workers
from pruneviz.network.graph import Graph
from pruneviz.network.graph_cache import GraphCache
from pruneviz.network.groups import Groups
from pruneviz.network.replica import state
from pruneviz.network.survey import survey_layers
from pruneviz.plan import Plan
from pruneviz.progress import Progress, ShareDone, silent, silent_share
from pruneviz.pruning.criteria import has_own_criteria
from pruneviz.pruning.evidence import Evidence
from pruneviz.pruning.initial_plan import beginning
from pruneviz.pruning.locks import usual_locks
from pruneviz.pruning.masks import Ranking
from pruneviz.pruning.parameter_reach import layer_table, never_pruned, reach_notes
from pruneviz.pruning.prune import check
from pruneviz.pruning.pruned import Pruned
from pruneviz.pruning.sliders import Slider
from pruneviz.sensitivity.scan import LEVELS, PRECISION
from pruneviz.sources import Source
from pruneviz.sources.checks import check_source
from pruneviz.sources.networks.unwrapped import plain
from pruneviz.storage.home import home
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.tasks import Task
from pruneviz.training import train
from pruneviz.workbench import description
from pruneviz.workbench.answer_time import AnswerTime
from pruneviz.workbench.block_table import block_table
from pruneviz.workbench.evaluation_cache import EvaluationCache
from pruneviz.workbench.inspection import head_maps, layer_maps, layer_warnings, ledger_of
from pruneviz.workbench.judgement import judge
from pruneviz.workbench.lineage import landmarks_of, of_original, original_of, parent_of
from pruneviz.workbench.mask_cache import MaskCache
from pruneviz.workbench.other_tool import open_version
from pruneviz.workbench.purpose import purpose_of, tasks_of
from pruneviz.workbench.studies import Studies, close

_DENSE = Plan()


class Workbench(AnswerTime):
    """A model, its data, and everything about them that is worth keeping.

    One workbench serves many threads. The model is never written to. parent: of a trained version,
    the workbench of the network it was trained from; one is made when needed where none is given.

    >>> pv.open("lenet300").prune(pv.Plan(sparsity={"fc1": 0.9})).sparsity["fc1"]
    0.9
    """

    def __init__(self, source: Source, parent: Bench | None = None) -> None:
        check_source(source)
        self.given_parent = parent
        self.plain_source = source = plain(source)
        model = source.model
        self.name = source.name
        self.layer_of, self.survey = survey_layers(model, source.validation)
        self.task: Task
        self.source, self.task = purpose_of(source, self.survey)
        self.graph_cache = GraphCache(model, source.validation, self.layer_of)
        self._mask_cache = MaskCache(
            model,
            self.layer_of,
            self.graph_cache,
            self.source.calibration,
            self.task,
            classes=lambda: len(self.columns),
            block=lambda: self.block,
        )
        self._evaluation_cache = EvaluationCache(
            self.source, self.task, self.survey.activation, self.graph_cache, self.prune,
            None if source.parent is None else lambda: self.original._evaluation_cache,
        )  # fmt: skip

    parent = cached_property(parent_of)  # bench.parent: of a trained version, what was trained
    landmarks = cached_property(landmarks_of)  # bench.landmarks: what it is seen beside
    original = property(original_of)  # bench.original: as it was first opened, "dense"
    fingerprint = cached_property(description.weights_fingerprint)
    data_fingerprint = cached_property(description.data_fingerprint)
    identity = cached_property(description.identity)  # what measurements depend on besides a plan
    macs_in_all = cached_property(description.macs_in_all)  # of one sample; None: cannot be counted
    limits = cached_property(description.weight_limits)  # layer -> its largest |weight|
    columns = cached_property(description.class_columns)  # of `Evidence.by_class`
    blocks = property(block_table)  # bench.blocks: DataFrame of what granularity "block" cuts

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Those of `pruneviz.tasks.TASKS` that fit outputs and targets; none beside a metric."""
        return tasks_of(self.plain_source, self.survey)

    # -- what there is ---------------------------------------------------------------------

    @property
    def layers(self) -> pd.DataFrame:
        """One row a layer that may be pruned: layer, kind, shape, params, macs, group, locked.

        group: the first of the layers whose units must be cut together with its own.
        locked: why it is locked until somebody unlocks it, or "".
        """
        return layer_table(self.layer_of, self.macs, self.locks, self.graph_cache.groups_or_none())

    _reach = cached_property(lambda self: (*reach_notes(self.source.model, self.never),))

    @cached_property
    def never(self) -> pd.DataFrame:
        """Parameters that no slider reaches, one row each: parameter, params, reason."""
        return never_pruned(self.source.model, self.layer_of)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on how model and data were found, what no slider reaches, and memory."""
        return (*self.source.notes, *self._reach, *self._evaluation_cache.notes)

    @cached_property
    def locks(self) -> dict[str, str]:
        """Layer -> why it is locked until somebody unlocks it (the output head, say)."""
        return usual_locks(self.layer_of, self.survey)

    @cached_property
    def plan(self) -> Plan:
        """The plan to begin with: dense, or what the network came pruned by, mask for mask."""
        own = self.source.plan
        return own or beginning(self.layer_of, self.source.masks, self.weight)

    @property
    def macs(self) -> dict[str, int]:
        """Layer -> multiply-accumulates for one sample."""
        return {name: self.survey.macs[name] for name in self.layer_of}

    @property
    def graph(self) -> Graph:
        """The network's graph, traced when first needed; ValueError if it cannot be traced."""
        return self.graph_cache.graph

    @property
    def groups(self) -> Groups:
        """The groups of units that can be removed, proved by trials; ValueError as `graph`."""
        return self.graph_cache.groups

    def weight(self, layer: str) -> Tensor:
        """The dense weight of a layer as [units, inputs, ...]; never write to it."""
        place = self.layer_of[layer]
        return place.canonical(state(self.source.model)[place.weight])

    def has_evidence(self, *parts: str) -> bool:
        """Whether these parts of evidence (the usual ones by default) have been gathered."""
        return self._mask_cache.has_evidence(*parts)

    def evidence(self, *parts: str, progress: ShareDone = silent_share) -> dict[str, Evidence]:
        """Evidence by layer, gathered once and kept; `parts` of PARTS, by default of USUAL."""
        return self._mask_cache.evidence(*parts, progress=progress)

    # -- what a plan does ------------------------------------------------------------------

    def cannot(self, plan: Plan) -> dict[str, str]:
        """Layer -> why nothing can be cut there under the plan's criterion and granularity."""
        return self._mask_cache.cannot(plan)

    def sliders(self, plan: Plan, locked: Collection[str] = ()) -> tuple[Slider, ...]:
        """What may move under the plan's criterion and granularity, apart from what is locked."""
        return self._mask_cache.sliders(plan, locked)

    def rankings(self, plan: Plan) -> dict[str, Ranking]:
        """The order in which the items of the layers named in `plan` would be cut."""
        return self._mask_cache.rankings(plan)

    def prune(self, plan: Plan) -> Pruned:
        """The masks of `plan`; ValueError names the layer or criterion that does not fit."""
        check(plan, self.layer_of)
        # A new object each time: its `model` is the caller's own, to train or to change.
        return replace(self._mask_cache.prune(plan))

    def masks(self, plan: Plan) -> Pruned:
        """`prune` without the plan's repairs, which change no mask and take longer."""
        return self.prune(replace(plan, repair=()))

    def evaluate(self, plan: Plan, n: int | None = None, start: int = 0) -> Evaluation:
        """`plan` measured on validation samples start..n, the first n (all of them) by default.

        What was measured before, for this plan or a shorter prefix, is not measured again.
        Raises ValueError for n outside 1..number of validation samples.
        """
        check(plan, self.layer_of)
        return self._evaluation_cache.evaluate(plan, n, start)

    def samples_measured(self, plan: Plan) -> int:
        """On how many validation samples `plan` has been measured already."""
        return self._evaluation_cache.samples_measured(plan)

    def confirm_dense(self, progress: ShareDone = silent_share) -> None:
        """Measure the dense network here, in place of what its source brought along.

        `progress` is called with the fraction done; what it raises leaves everything as it was.
        """
        self._evaluation_cache.confirm_dense(progress)

    @property
    def dense_confirmed(self) -> bool:
        """Whether the dense network has been measured here."""
        return self._evaluation_cache.dense_confirmed

    def scan(
        self,
        plan: Plan = _DENSE,
        levels: Sequence[float] = LEVELS,
        precision: float = PRECISION,
        budget: int | None = None,
        progress: Progress = silent,
        workers: Workers = 1,
    ) -> pd.DataFrame:
        """How much each layer bears, cut alone: one row a layer (or group) and sparsity.

        plan: of criterion, granularity, repair. levels: in (0, 1]. precision: half the width that
        paired intervals are to have. budget: the most samples to answer. workers: processes that
        share the layers, without a budget. Columns as in `Curves.table`. `progress` may raise.
        """
        return self.studies.curves(plan, levels, precision, budget, progress, workers).table

    def allocate(
        self,
        method: str = "sensitivity",
        target: float = 0.5,
        plan: Plan = _DENSE,
        budget: str = "parameters",
        *,
        granularity: str | None = None,
        locked: Collection[str] = (),
        floor: float | Mapping[str, float] = 0.0,
        progress: Progress = silent,
    ) -> Plan:
        """A plan that takes `target` of what is free to go, shared out over the layers.

        method: of ALLOCATIONS; "sensitivity" measures (see `Studies.search`). plan: of the
        criterion, granularity and repair; locked layers keep their level of it. budget: what
        counts, of BUDGETS. granularity: in place of the plan's. floor: the least fraction kept of
        each layer, or of those named. ValueError names what does not fit, or cannot be met.
        """
        plan = plan if granularity is None else replace(plan, granularity=granularity)
        request = SearchRequest(plan, budget, locked, floor)
        return self.studies.search(method, target, request, progress).plan

    @cached_property
    def studies(self) -> Studies:
        """Curves, predictions and searches in full; `scan` and `allocate` are short for two."""
        own = self.source.metric is not None or has_own_criteria()
        # What depends on a function of the user's, which may change under its name, is not kept.
        return Studies(self, MeasurementStore(None if own else home()))

    def counts(self, plan: Plan) -> Counts:
        """What is left of the network under `plan`, counted, and of how much when first opened."""
        counts = counts_of(self.masks(plan), self.layer_of, self.macs, self.macs_in_all)
        return of_original(counts, self)

    cost = ledger_of  # bench.cost(plan): sizes, memory and latency, measured in some seconds
    export = export  # bench.export(plan, folder, formats): files, each proved
    train = train  # bench.train(plan, training): a trained network of its own
    version = open_version  # bench.version(file): as another tool left this network
    judge = judge  # bench.judge(file, plan): that beside a plan of this network
    close = close  # bench.close(): where its owner is done with it before the program ends

    warnings = layer_warnings  # bench.warnings(plan): layer -> what has collapsed there
    continuation = continuation  # bench.continuation(plan, prompt): what a language model writes
    surprise = surprise  # bench.surprise(plan, tokens): which words of a text it did not expect
    feature_maps = layer_maps  # bench.feature_maps(plan, layer, sample): activations
    attention_maps = head_maps  # bench.attention_maps(layer, sample): where each head looks
