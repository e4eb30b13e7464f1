"""What do a scan, a prediction and a search need of a workbench?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from pruneviz.measuring.counts import Counts
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.pruning.evidence import Evidence
from pruneviz.pruning.layers import Layer
from pruneviz.pruning.masks import Ranking
from pruneviz.pruning.pruned import Pruned
from pruneviz.pruning.sliders import Slider
from pruneviz.sources import Source

Progress = Callable[[str, float], None]


class Bench(Protocol):
    """A network that can be cut and measured; `Workbench` is one."""

    found: dict[str, Layer]
    source: Source

    @property
    def fingerprint(self) -> str: ...

    @property
    def data_fingerprint(self) -> str: ...

    @property
    def macs(self) -> dict[str, int]: ...

    @property
    def block(self) -> int: ...

    def cannot(self, plan: Plan) -> dict[str, str]: ...

    def sliders(self, plan: Plan, locked: Collection[str] = ()) -> tuple[Slider, ...]: ...

    def rankings(self, plan: Plan) -> Mapping[str, Ranking]: ...

    def masks(self, plan: Plan) -> Pruned: ...

    def counts(self, plan: Plan) -> Counts: ...

    def evaluate(self, plan: Plan, n: int | None = None, start: int = 0) -> Evaluation: ...

    def evidence(
        self, *parts: str, progress: Callable[[float], None] = ...
    ) -> dict[str, Evidence]: ...
