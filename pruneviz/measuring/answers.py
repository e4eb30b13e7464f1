"""What does a network answer to samples, a block at a time?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import torch
from torch import Tensor, nn

from pruneviz.data import Data, Inputs, Outcome
from pruneviz.measuring.room import Room
from pruneviz.network.forward_pass import at_work, call_all, out_of_memory
from pruneviz.network.replica import replica
from pruneviz.storage.cache import Cache
from pruneviz.tasks import Task
from pruneviz.tasks.several import Answer, judge_answer
from pruneviz.tasks.task_scores import concatenate
from pruneviz.turns import piece

# Samples are answered in blocks that always start at the same places: a sample's answer then
# does not depend on which prefixes were asked for before it.
BLOCK = 64
_SMALL = 1 << 18  # numbers of a dense answer that may be kept: 1 MB in float32

# What a network, cut in some way, answers to the inputs of the samples of a slice.
Run = Callable[[Inputs, slice], Answer]


def answer(
    model: nn.Module,
    tensors: Mapping[str, Tensor],
    data: Data,
    start: int,
    stop: int,
    task: Task,
    block: int = BLOCK,
    cache: Cache[Answer] | None = None,
    room: Room | None = None,
    run: Run | None = None,
    dense: nn.Module | None = None,
) -> Outcome:
    """What `model` with `tensors` in place of its own answers to samples start..stop, in blocks.

    `start` is rounded down and `stop` up to a multiple of `block`. The model is not written to.
    cache: where the dense network's answers to a block may stay, if they are small and the task
    is measured against them; without it they are computed each time. room: how many samples of a
    block go at once; a new one starts with all of them. run: what gives the same answers in place
    of the network's own code. dense: the network that answers are compared with, where it is
    another one than `model` without `tensors`.
    Raises ValueError naming the first target beyond the outputs, or the samples on which the
    network raised, or that memory is too little for one sample.
    """
    room, whole = room or Room(block), _Whole(model)
    other, changed = whole if dense is None else _Whole(dense), bool(tensors) or dense is not None
    judge = _Judgement(run or whole.with_tensors(tensors), other, task, cache, changed=changed)
    stop = min(-(-stop // block) * block, len(data))
    begin = start // block * block
    while begin < stop:
        # What is kept of the dense network is kept by samples: they end where a block does.
        end = min(begin + room.size, begin // block * block + block, stop)
        fits = False
        try:
            with piece():
                judge.ask(data, slice(begin, end))
            fits = True
        except Exception as error:
            if not out_of_memory(error):
                raise
        if fits:
            begin = end
        else:  # not in the except, which holds on to what did not fit
            room.halve(end - begin, begin)
    return judge.outcome(data)


def empty_outcome() -> Outcome:
    """The outcome of no samples."""
    return Outcome(torch.empty(0, dtype=torch.int64), torch.empty(0))


def join(first: Outcome, second: Outcome) -> Outcome:
    """Two outcomes one after the other; of their columns those that both have."""
    full = [outcome for outcome in (first, second) if len(outcome)]
    return concatenate(full) if full else first


def whole_run(model: nn.Module, tensors: Mapping[str, Tensor]) -> Run:
    """What answers by a network's own code, with `tensors` in place of its own."""
    return _Whole(model).with_tensors(tensors)


class _Whole:
    """A network's own code, in a replica that is made when it is first run."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model

    @cached_property
    def _network(self) -> nn.Module:
        return replica(self._model)

    def dense(self, inputs: Inputs) -> Answer:
        return call_all(self._network, inputs)

    def with_tensors(self, tensors: Mapping[str, Tensor]) -> Run:
        return lambda inputs, which: call_all(self._network, inputs, tensors)


class _Judgement:
    """What gives an answer, judged by targets or by what the dense network answers.

    Small answers that are judged sample by sample wait for each other: judging takes as long for
    a few as for many.
    """

    def __init__(
        self, run: Run, whole: _Whole, task: Task, cache: Cache[Answer] | None, *, changed: bool
    ) -> None:
        self._run, self._whole, self._task, self._cache = run, whole, task, cache
        self._changed = changed
        self._waiting: list[tuple[slice, Answer]] = []
        self._numbers = 0  # in those that wait
        self._outcomes: list[Outcome] = []

    def ask(self, data: Data, which: slice) -> None:
        """Have these samples answered, the ones that follow those before them."""
        inputs = data.inputs_of(which)
        with torch.inference_mode(), at_work(f"measuring samples {which.start}..{which.stop - 1}"):
            answers = self._run(inputs, which)
            rows = which.stop - which.start
            may_wait = all(tensor.shape[:1] == (rows,) for tensor in answers.values())
            if may_wait and self._task.single and not self._task.needs_dense:
                self._waiting.append((which, answers))
                self._numbers += _numbers(answers)
                if self._numbers > _SMALL:
                    self._settle(data)
                return
            self._settle(data)
            dense = None
            if self._task.needs_dense:
                dense = self._dense(inputs, which) if self._changed else answers
                if not self._changed:
                    self._keep(which, answers)
            self._judge(data, which, answers, dense)

    def outcome(self, data: Data) -> Outcome:
        """How good all the answers were."""
        with torch.inference_mode():
            self._settle(data)
        return concatenate(self._outcomes) if self._outcomes else empty_outcome()

    def _settle(self, data: Data) -> None:
        if self._waiting:
            which = slice(self._waiting[0][0].start, self._waiting[-1][0].stop)
            names = self._waiting[0][1]
            together = {name: torch.cat([one[name] for _, one in self._waiting]) for name in names}
            self._waiting.clear()
            self._numbers = 0
            self._judge(data, which, together, None)

    def _judge(self, data: Data, which: slice, answers: Answer, dense: Answer | None) -> None:
        targets = None if data.targets is None else data.targets[which]
        if self._task.against_dense or targets is not None:
            self._outcomes.append(judge_answer(self._task, answers, targets, dense))

    def _dense(self, inputs: Inputs, which: slice) -> Answer:
        answers = None if self._cache is None else self._cache.get((which.start, which.stop))
        if answers is not None:
            return answers
        fresh = self._whole.dense(inputs)
        self._keep(which, fresh)
        return fresh

    def _keep(self, which: slice, dense: Answer) -> None:
        if self._cache is not None and _numbers(dense) <= _SMALL:
            self._cache.put((which.start, which.stop), dense)


def _numbers(answers: Answer) -> int:
    return sum(tensor.numel() for tensor in answers.values())
