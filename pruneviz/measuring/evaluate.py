"""How well does a plan's network answer?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor

from pruneviz.data import Outcome
from pruneviz.measuring.by_class import ByClass, by_class
from pruneviz.measuring.intervals import mean_interval
from pruneviz.measuring.score import Change, change, level
from pruneviz.tasks import Task
from pruneviz.tasks.measures import mean_loss, mean_score
from pruneviz.tasks.several import measure_outputs, outcome_of
from pruneviz.tasks.task import Column

_NO_CHANGE = Change(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class OutputChange:
    """How far one of several outputs is from the dense network's.

    fidelity: its mean score by its own task, 1 = as dense. delta: minus that of the dense network,
    with its 95 % paired interval.
    """

    fidelity: float
    delta: float
    low: float
    high: float
    task: Task

    @property
    def measurable(self) -> bool:
        """Whether the paired interval leaves zero out."""
        return self.high < 0 or self.low > 0

    @property
    def words(self) -> str:
        """The change in words."""
        tell = self.task.change_text
        of = f"points of {self.task.word}" if self.task.share else self.task.word
        span = f"{tell(self.low, unit=False)} … {tell(self.high, unit=False)}"
        return f"{tell(self.delta, unit=False)} {of} ({span})"


@dataclass(frozen=True)
class Evaluation:
    """The score of a plan on the first n validation samples, as `task` counts it.

    accuracy: the mean score, 1 = all right. low, high: its 95 % interval, Wilson's where scores are
    right or wrong, else `mean_interval`. loss: the mean loss, as the task names it; inf where an
    answer is broken. per_class: class -> accuracy (NaN where the prefix has no sample of it); of a
    language model: skill -> accuracy of the words that need it; empty where answers are no named
    classes. by_class: both sides with their intervals. delta: accuracy minus that of the dense
    network (as it was first opened) on the same samples, with its 95 % paired interval. start: of a
    trained version, the change from what its training left; else None. predicted: int64 [n], -1
    where an answer is no class. broken: how many answers hold NaN or infinite numbers, and so count
    as none. measures: every number one expects of the task, by name. dense_...: the same of the
    dense network. scores: float32 [n], of each sample, what the accuracy is the mean of; weight:
    how much each of them counts, None: the same. outputs: of a network that answers with several
    tensors, how each that is compared with the dense network's has changed. columns: what measures
    are means of, see `intervals`.

    >>> pv.open("lenet300").evaluate(pv.Plan(), 100).n
    100
    """

    n: int
    accuracy: float
    low: float
    high: float
    loss: float
    per_class: Mapping[str, float]
    dense_per_class: Mapping[str, float]
    delta: float
    delta_low: float
    delta_high: float
    predicted: Tensor
    dense_predicted: Tensor
    task: Task
    measures: Mapping[str, float]
    dense_measures: Mapping[str, float]
    scores: Tensor
    weight: Tensor | None
    broken: int = 0
    outputs: Mapping[str, OutputChange] = field(default_factory=dict)
    dense_accuracy: float = math.nan
    by_class: ByClass = field(default_factory=ByClass, repr=False)
    columns: Mapping[str, Column] = field(default_factory=dict, repr=False)
    start: Change | None = None

    @property
    def from_start(self) -> Change:
        """The change from the network that is cut: a trained version, else the dense network."""
        return self.start or Change(self.delta, self.delta_low, self.delta_high)

    @cached_property
    def intervals(self) -> Mapping[str, tuple[float, float]]:
        """Measure -> its 95 % interval, of those beside the score that have one."""
        return {
            name: (column.of(low), column.of(high))
            for name, column in self.columns.items()
            for _, low, high in [mean_interval(column.values, column.weight, column.bounds)]
        }

    @property
    def measurable(self) -> bool:
        """Whether the paired interval leaves zero out."""
        return self.delta_high < 0 or self.delta_low > 0

    @property
    def words(self) -> str:
        """The change from dense in words, in the unit of the score; what is broken; and which of
        several outputs have changed.
        """
        tell = self.task.change_text
        span = f"{tell(self.delta_low, unit=False)} … {tell(self.delta_high, unit=False)}"
        text = f"{tell(self.delta)} ({span})"
        if not math.isfinite(self.delta):
            text = "the change can't be measured: a score is no finite number"
        elif not self.measurable:
            text = f"no measurable change ({span} {self.task.unit})"
        parts = [text]
        if self.broken:
            parts += [f"{self.broken} of {self.n} answers hold NaN or infinite numbers"]
        changed = {name: one for name, one in self.outputs.items() if one.measurable}
        return "; ".join(parts + [f"output {n!r}: {one.words}" for n, one in changed.items()])


def summarise(
    outcome: Outcome,
    dense: Outcome,
    targets: Tensor | None,
    names: tuple[str, ...],
    n: int,
    task: Task,
    start: Outcome | None = None,
) -> Evaluation:
    """The evaluation of the first n answers of `outcome`, paired with those of `dense`.

    names: of classes or skills. start: the answers of the trained version that was cut, if it was
    one.
    """
    unchanged, uncut = outcome is dense, outcome is start
    targets = None if targets is None else targets[:n].cpu()
    outcome, dense = (_prefix(one, n, targets, task) for one in (outcome, dense))
    classes = by_class(outcome, dense, targets, names, task)
    scores = _scores(outcome)
    accuracy, low, high = level(scores, outcome.weight, task)
    if unchanged and task.against_dense and accuracy == 1:
        low = high = 1.0  # agrees with itself, on whatever input
    from_dense = _NO_CHANGE
    if not unchanged:
        from_dense = Change(*change(scores, _scores(dense), outcome.weight, task))
    from_start = None if start is None else _NO_CHANGE
    if start is not None and not uncut:
        began = _scores(_prefix(start, n, targets, task))
        from_start = Change(*change(scores, began, outcome.weight, task))
    broken = outcome.more.get("broken")
    return Evaluation(
        n=n,
        accuracy=accuracy,
        low=low,
        high=high,
        loss=mean_loss(outcome),
        per_class=classes.now,
        dense_per_class=classes.before,
        by_class=classes,
        delta=from_dense.delta,
        delta_low=from_dense.low,
        delta_high=from_dense.high,
        predicted=outcome.predicted,
        dense_predicted=dense.predicted,
        task=task,
        measures=measure_outputs(task, outcome),
        dense_measures=measure_outputs(task, dense),
        scores=scores,
        weight=outcome.weight,
        broken=0 if broken is None else int(broken.sum()),
        outputs=_changes(outcome, dense, task),
        dense_accuracy=accuracy if unchanged else level(_scores(dense), dense.weight, task)[0],
        start=from_start,
        columns=task.columns(outcome),
    )


def _prefix(outcome: Outcome, n: int, targets: Tensor | None, task: Task) -> Outcome:
    """The first n answers, as the task counts them of so many."""
    outcome = _first(outcome, n, targets)
    if task.prefix is None or targets is None or not n:
        return outcome
    return task.prefix(outcome, task.targets(targets))


def _changes(outcome: Outcome, dense: Outcome, task: Task) -> dict[str, OutputChange]:
    changes = {}
    for name, one in task.others.items():
        now, was = outcome_of(outcome, name), outcome_of(dense, name)
        if now is not None and was is not None:
            difference = change(_scores(now), _scores(was), None, one)
            changes[name] = OutputChange(mean_score(now), *difference, one)
    return changes


def _first(outcome: Outcome, n: int, targets: Tensor | None) -> Outcome:
    """The first n answers, each with a score: 1 where it is the target if there was none."""
    predicted, score, weight = outcome.predicted[:n], outcome.score, outcome.weight
    if score is not None:
        score = score[:n]
    elif targets is not None:
        score = (predicted == targets).float()
    return Outcome(
        predicted,
        outcome.loss[:n],
        score,
        None if weight is None else weight[:n],
        {name: column[:n] for name, column in outcome.more.items()},
    )


def _scores(outcome: Outcome) -> Tensor:
    if outcome.score is None:
        raise ValueError("an outcome without scores or targets can't be summed up; measure it here")
    return outcome.score
