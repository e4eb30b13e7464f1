"""What have the networks of plans answered, as far as they were asked?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from torch import Tensor

from pruneviz.data import Inputs, Outcome
from pruneviz.measuring.answers import BLOCK, Run, answer, empty_outcome, join, whole_run
from pruneviz.measuring.evaluate import Evaluation, summarise
from pruneviz.measuring.frontier import Frontiers, frontiers
from pruneviz.measuring.outcomes import Outcomes
from pruneviz.measuring.pace import Pace
from pruneviz.measuring.probe import LIMIT, PATIENCE, Probe, fewest, probe_at, time_samples
from pruneviz.measuring.room import Room
from pruneviz.network.graph_cache import GraphCache
from pruneviz.plan import Plan
from pruneviz.progress import ShareDone
from pruneviz.pruning.pruned import Pruned
from pruneviz.sources import Source
from pruneviz.storage.cache import Cache
from pruneviz.tasks import Task
from pruneviz.tasks.several import Answer

# Bytes that are kept: of the dense network's answers, of what plans answered.
_ANSWERS, _OUTCOMES = 2**26, 2**28

# A block's largest layer has its inputs and outputs in this many bytes: a fixed number, so that
# a network's answers do not depend on the machine.
_BLOCK_BYTES = 2**23


class EvaluationCache:
    """Plans measured on the validation samples of one source, none twice.

    prune(plan): what it makes of the network. graph_cache: whose graph is run, once it is there,
    from where a plan differs from those before it. activation: bytes of the inputs and outputs of
    the largest layer for one sample. original: of a trained version, the cache of the network as
    it was first opened, with which all is compared.
    """

    def __init__(
        self,
        source: Source,
        task: Task,
        activation: int,
        graph_cache: GraphCache,
        prune: Callable[[Plan], Pruned],
        original: Callable[[], EvaluationCache] | None = None,
    ) -> None:
        self._source, self._task, self._prune = source, task, prune
        self._graph_cache, self._original = graph_cache, original
        self._frontiers: Frontiers | str | None = None
        self._checking, self._timing = threading.Lock(), threading.Lock()
        self._pace: Pace | None = None
        fits = max(1, _BLOCK_BYTES // max(1, activation))
        self.block = min(BLOCK, 1 << (fits.bit_length() - 1))
        self.room = Room(self.block)
        self.samples = len(source.validation)
        plans = _OUTCOMES // (task.column_bytes * max(1, self.samples))
        self._outcomes = Outcomes(min(1024, max(64, plans)), self._answer)
        self._dense_answers: Cache[Answer] = Cache(
            _ANSWERS, lambda one: sum(tensor.nbytes for tensor in one.values())
        )
        self.dense_confirmed = False
        if source.dense is not None and len(source.dense) == self.samples:
            self._outcomes.put(Plan(), source.dense)

    def evaluate(self, plan: Plan, n: int | None = None, start: int = 0) -> Evaluation:
        """A plan that was checked, on samples start..n (all of them by default)."""
        n = self.samples if n is None else n
        if type(n) is not int or not 1 <= n <= self.samples:
            raise ValueError(f"n must be in 1..{self.samples} (the validation samples), got {n}")
        if type(start) is not int or not 0 <= start < n:
            raise ValueError(f"start must be in 0..{n - 1}, before n, got {start}")
        uncut = self._outcomes.first(Plan(), n)
        outcome = uncut if plan.is_dense else self._outcomes.first(plan, n)
        dense = uncut if self._original is None else self._original().dense(n)
        targets, classes = self._source.validation.targets, self._source.classes
        if start:
            parts = {id(one): one.part(start, n) for one in (outcome, uncut, dense)}
            outcome, uncut, dense = (parts[id(one)] for one in (outcome, uncut, dense))
            targets, n = None if targets is None else targets[start:n], n - start
        began = None if self._original is None else uncut
        return summarise(outcome, dense, targets, classes, n, self._task, began)

    def dense(self, n: int) -> Outcome:
        """What the network answers to the first n samples, or to more, before anything is cut."""
        return self._outcomes.first(Plan(), n)

    def samples_measured(self, plan: Plan) -> int:
        """On how many samples `plan` has been measured already; nothing cut: with the original."""
        counts = [self._outcomes.count(plan)]
        if plan.is_dense and self._original is not None:
            counts.append(self._original().samples_measured(plan))
        return min(counts)

    def confirm_dense(self, progress: ShareDone) -> None:
        """Measure the dense network here, in place of what its source brought along."""
        outcome = empty_outcome()
        while (done := len(outcome)) < self.samples:
            progress(done / self.samples)
            outcome = join(outcome, self._answer(Plan(), done, done + self.block))
        self._outcomes.put(Plan(), outcome)
        self.dense_confirmed = True

    @property
    def probe(self) -> Probe:
        """How many samples are answered while a thumb moves, by the pace of all answers so far."""
        return probe_at(self.pace.each, self.samples, self.block)

    @property
    def pace(self) -> Pace:
        """How long the whole network takes for a sample; it is timed when it is first asked for."""
        with self._timing:
            if self._pace is None:
                source = self._source
                self._pace = time_samples(source.model, source.validation, self._task, self.block)
            return self._pace

    def follows(self, plan: Plan) -> bool:
        """Whether plans that change what this one changes are answered while a thumb moves,
        because only so little of the network is behind it.
        """
        parts = self._parts()
        if parts is None:
            return not self.probe.slow
        left = parts.part_left(self._prune(plan).versions)
        return left * self.pace.each * fewest(self.samples, self.block) <= PATIENCE

    def answer_soon(self, plan: Plan, most: int) -> int:
        """Measure a plan on up to `most` samples, as long as somebody waits for an answer: a second
        for the fewest that say something, less for more of them. On how many it is measured then.
        """
        began, least, took = time.monotonic(), fewest(most, self.block), 0.0
        while (n := self.samples_measured(plan)) < most:
            before = time.monotonic()
            if before - began + took > (PATIENCE if n < least else LIMIT):
                break
            self._outcomes.first(plan, min(n + self.block, most))
            took = time.monotonic() - before
        return n

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on memory that was too little, and on why every plan runs the whole network."""
        why = self._frontiers if isinstance(self._frontiers, str) else ""
        return tuple(note for note in (self.room.note, why) if note)

    def _answer(self, plan: Plan, start: int, stop: int) -> Outcome:
        pruned = self._prune(plan)
        tensors = pruned.tensors
        # Of a version: what answers are compared with, where targets are not all that judges them.
        first = self._original() if self._original and self._task.needs_dense else None
        return answer(
            self._source.model,
            tensors,
            self._source.validation,
            start,
            stop,
            self._task,
            self.block,
            (first or self)._dense_answers,
            self.room,
            self._run(tensors, pruned),
            None if first is None else first._source.model,
        )

    def _run(self, tensors: Mapping[str, Tensor], pruned: Pruned) -> Run:
        parts = self._parts()
        if parts is not None:
            return parts.run(tensors, pruned.versions, self._learn)
        run = whole_run(self._source.model, tensors)

        def answers(inputs: Inputs, which: slice) -> Answer:
            began, busy = time.perf_counter(), time.thread_time()
            result = run(inputs, which)
            worked = time.thread_time() - busy
            self._learn(which.stop - which.start, time.perf_counter() - began, worked)
            return result

        return answers

    def _parts(self) -> Frontiers | None:
        """What runs a plan from where it differs from others; None where that cannot be (yet)."""
        with self._checking:
            graph = self._graph_cache.graph_at_hand if self._frontiers is None else None
            if graph is not None:
                source = self._source
                self._frontiers = frontiers(source.model, graph, source.validation, self.block)
        return self._frontiers if isinstance(self._frontiers, Frontiers) else None

    def _learn(self, samples: float, seconds: float, worked: float) -> None:
        if self._pace is not None:
            self._pace.learn(samples, seconds, worked)
