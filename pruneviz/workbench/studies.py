"""Which way should the sliders go?"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from pruneviz.allocation.counterpart import counterpart
from pruneviz.allocation.depth import leave_out
from pruneviz.allocation.exact_target import levels_of
from pruneviz.allocation.pareto_line import ParetoLine, known_line, pareto_line
from pruneviz.allocation.request import SearchRequest
from pruneviz.allocation.search import SearchResult, search
from pruneviz.allocation.smallest import smallest, undecidable
from pruneviz.comparison.contest import Contest, ContestRequest, contest
from pruneviz.comparison.contest_apart import contest_apart
from pruneviz.comparison.similar import Similarity, similarity
from pruneviz.measuring.bench import Bench
from pruneviz.measuring.executor import Workers, check_workers
from pruneviz.plan import Plan, settings_of
from pruneviz.progress import Progress, silent
from pruneviz.pruning.prune import check
from pruneviz.sensitivity.curves import LOSE, Curves
from pruneviz.sensitivity.prediction import Predictor, known_predictor, predictor
from pruneviz.sensitivity.scan import LEVELS, PRECISION, check_scan, known_curves, scan
from pruneviz.sensitivity.scan_apart import scan_apart
from pruneviz.storage.cache import Cache
from pruneviz.storage.measurement_store import MeasurementStore

_DENSE = Plan()
_CURVES = 8  # of other choices that are at hand
_SEARCH = SearchRequest()
_CONTEST = ContestRequest()


def close(bench: object) -> None:
    """Let go of the file of measurements; what is measured from then on stays in memory."""
    studies = vars(bench).get("studies")  # the file is opened when it is first needed
    if isinstance(studies, Studies):
        studies.memory.close()


class Studies:
    """What a network's measurements say about where to cut; what was measured is remembered."""

    def __init__(self, bench: Bench, memory: MeasurementStore) -> None:
        self._bench, self.memory = bench, memory
        self._curves = Cache[Curves](_CURVES)

    def curves(
        self,
        plan: Plan = _DENSE,
        levels: Sequence[float] = LEVELS,
        precision: float = PRECISION,
        budget: int | None = None,
        progress: Progress = silent,
        workers: Workers = 1,
    ) -> Curves:
        """`Workbench.scan`, with what follows from it: knees, ranks, where a loss is certain."""
        check(plan, self._bench.layer_of)
        if check_workers(workers) != 1 and budget is None:  # a budget is spent point by point
            points = check_scan(levels, precision, budget)
            scan_apart(self._bench, plan, self.memory, points, precision, workers, progress)
        return scan(self._bench, plan, self.memory, levels, precision, budget, progress)

    def known_curves(self, plan: Plan = _DENSE) -> Curves:
        """The curves as far as they were measured before, at the usual levels; quick."""
        check(plan, self._bench.layer_of)
        # Estimates, the line and the tracks all begin with them, at every look of the board.
        key = settings_of(plan), self.memory.version
        return self._curves.get_or(key, lambda: known_curves(self._bench, plan, self.memory))

    def predictor(self, plan: Plan = _DENSE, progress: Progress = silent) -> Predictor:
        """What the curves of single layers tell about whole plans, for the choices of `plan`.

        Fitted on random plans, which are measured once; `progress` may raise to stop, and what was
        measured is kept. ValueError where nothing was scanned with these choices.
        """
        return predictor(self._bench, self.known_curves(plan), self.memory, progress)

    def known_predictor(self, plan: Plan = _DENSE) -> Predictor | None:
        """`predictor` if it was fitted before, else None; quick."""
        return known_predictor(self._bench, self.known_curves(plan), self.memory)

    def levels(
        self, method: str, targets: Sequence[float], request: SearchRequest = _SEARCH
    ) -> dict[str, NDArray[np.float64]]:
        """Layer -> its sparsity at each target, a fraction of the weights or units free to go.

        Nothing is measured. ValueError as `search` raises, and where "sensitivity" has no curves.
        """
        check(request.plan, self._bench.layer_of)
        curves = self.known_curves(request.plan)
        return levels_of(self._bench, method, targets, request, curves)

    def search(
        self,
        method: str,
        target: float,
        request: SearchRequest = _SEARCH,
        progress: Progress = silent,
    ) -> SearchResult:
        """`Workbench.allocate`, and how it went; see `SearchRequest`."""
        check(request.plan, self._bench.layer_of)
        if request.plan.granularity == "block":
            return leave_out(self._bench, method, target, request, progress)
        return search(self._bench, self.memory, method, target, request, progress)

    def smallest(
        self,
        lose: float = LOSE,
        request: SearchRequest = _SEARCH,
        progress: Progress = silent,
    ) -> SearchResult:
        """The plan that takes most away and loses at most `lose` (of the score; 95 % sure).

        Half of the validation samples decide, the others judge, see `SearchResult.holdout`.
        ValueError where so few cannot tell; `undecidable` says so before.
        """
        check(request.plan, self._bench.layer_of)
        return smallest(self._bench, self.memory, lose, request, progress)

    def pareto(self, request: SearchRequest = _SEARCH, progress: Progress = silent) -> ParetoLine:
        """Plans of the best accuracy that the curves predict, at every budget; see `ParetoLine`.

        Some of them are measured to correct the prediction; `progress` may raise to stop, and what
        was measured is kept. ValueError where nothing was scanned with these choices.
        """
        return pareto_line(*self._line_of(request), request, progress)

    def known_pareto(self, request: SearchRequest = _SEARCH) -> ParetoLine | None:
        """`pareto` if it was drawn before, else None; quick."""
        return known_line(*self._line_of(request), request)

    def _line_of(self, request: SearchRequest) -> tuple[Bench, Curves, MeasurementStore]:
        return self._bench, self.known_curves(request.plan), self.memory

    def counterpart(self, plan: Plan, locked: Collection[str] = ()) -> Plan:
        """Whole units for single weights, or the reverse, at equal parameters left."""
        check(plan, self._bench.layer_of)
        return counterpart(self._bench, plan, locked)

    def undecidable(self, lose: float = LOSE) -> str:
        """Why the samples cannot tell of any plan that it loses at most `lose`, or ""."""
        return undecidable(self._bench, lose)

    def similarity(
        self,
        plan: Plan = _DENSE,
        levels: Sequence[float] = (0.5,),
        progress: Progress = silent,
    ) -> Similarity:
        """Rank correlation and overlap of what is cut, of all criteria in every layer.

        plan: of the granularity, and how scores are put together. levels: sparsities in (0, 1] at
        which what is cut is compared. Evidence is gathered once; `progress` may raise to stop.
        """
        check(plan, self._bench.layer_of)
        return similarity(self._bench, plan, levels, progress)

    def contest(
        self,
        request: ContestRequest = _CONTEST,
        progress: Progress = silent,
        workers: Workers = 1,
    ) -> Contest:
        """Score against sparsity by criterion, the random control among them; see `ContestRequest`.

        workers: processes that measure. What was measured before is remembered; `progress` may
        raise to stop.
        """
        curves = self._curves_for(request)
        if check_workers(workers) != 1:
            contest_apart(self._bench, self.memory, request, workers, progress, curves)
        return contest(self._bench, self.memory, request, progress, curves)

    def known_contest(self, request: ContestRequest = _CONTEST) -> Contest:
        """`contest` as far as it was measured before; quick."""
        return contest(self._bench, self.memory, request, None, self._curves_for(request))

    def _curves_for(self, request: ContestRequest) -> Curves | None:
        check(request.plan, self._bench.layer_of)
        return self.known_curves(request.plan) if request.allocation == "sensitivity" else None
