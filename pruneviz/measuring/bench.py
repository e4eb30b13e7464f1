"""What do a scan, a prediction, a search and an export need of a workbench?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from pruneviz.measuring.counts import Counts
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.network.graph_cache import GraphCache
from pruneviz.network.layers import Layer
from pruneviz.network.survey import Survey
from pruneviz.plan import Plan
from pruneviz.progress import ShareDone
from pruneviz.pruning.evidence import Evidence
from pruneviz.pruning.masks import Ranking
from pruneviz.pruning.pruned import Pruned
from pruneviz.pruning.sliders import Slider
from pruneviz.sources import Source
from pruneviz.tasks import Task


class Bench(Protocol):
    """A network that can be cut and measured; `Workbench` is one."""

    def __init__(self, source: Source, parent: Bench | None = None) -> None: ...

    layer_of: dict[str, Layer]
    source: Source
    plain_source: Source
    given_parent: Bench | None
    task: Task
    graph_cache: GraphCache
    survey: Survey

    @property
    def parent(self) -> Bench | None: ...

    @property
    def original(self) -> Bench: ...

    @property
    def plan(self) -> Plan: ...

    @property
    def probe(self) -> int: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def data_fingerprint(self) -> str: ...

    @property
    def identity(self) -> str: ...

    @property
    def macs(self) -> dict[str, int]: ...

    @property
    def block(self) -> int: ...

    @property
    def slow(self) -> bool: ...

    @property
    def seconds_per_sample(self) -> float: ...

    def cannot(self, plan: Plan) -> dict[str, str]: ...

    def sliders(self, plan: Plan, locked: Collection[str] = ()) -> tuple[Slider, ...]: ...

    def rankings(self, plan: Plan) -> Mapping[str, Ranking]: ...

    def prune(self, plan: Plan) -> Pruned: ...

    def masks(self, plan: Plan) -> Pruned: ...

    def counts(self, plan: Plan) -> Counts: ...

    def samples_measured(self, plan: Plan) -> int: ...

    def follows(self, plan: Plan) -> bool: ...

    def answer_soon(self, plan: Plan, most: int) -> int: ...

    def evaluate(self, plan: Plan, n: int | None = None, start: int = 0) -> Evaluation: ...

    def evidence(self, *parts: str, progress: ShareDone = ...) -> dict[str, Evidence]: ...
