"""What is a right answer?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from pruneviz.data import Data, Metric, Outcome, check_targets
from pruneviz.tasks import judging, losses, measures, metrics


@dataclass(frozen=True)
class Task:
    """What the answers of a network are measured by.

    label and word name the score, as a heading and within a sentence; loss_label names the loss.
    binary: each score is 0 or 1. against_dense: the `targets` of judge are the dense network's
    outputs for the same inputs. bounds: the least and the most that a score can be.

    judge(outputs, targets): the Outcome of a block, on the CPU, computed in float32 at least. An
    answer (of positions, each) that holds NaN or infinite numbers, as half precision does beyond
    65,504, counts as none: score 0, loss inf, True in the column "broken"; -inf among classes
    only rules one out.
    loss(outputs, targets): [b], differentiable. Where there are no targets (None) the network's
    own answers stand in for classes, and zero for values.
    measures(outcome): every number one asks for, by name.
    output: the name of the output that is judged; None: the main one. others: how further outputs
    are compared with the dense network's; overall: the score is the mean of all in `others`.
    """

    name: Literal["classes", "positions", "values", "agreement", "closeness"]
    label: str
    word: str
    loss_label: str
    binary: bool
    against_dense: bool
    judge: Callable[[Tensor, Tensor], Outcome] = field(repr=False)
    loss: Callable[[Tensor, Tensor | None], Tensor] = field(repr=False)
    measures: Callable[[Outcome], dict[str, float]] = field(repr=False)
    bounds: tuple[float, float] = (0.0, 1.0)
    output: str | None = None
    others: Mapping[str, Task] = field(default_factory=dict, hash=False)
    overall: bool = False

    @property
    def needs_dense(self) -> bool:
        """Whether the dense network's answers take part."""
        return self.against_dense or bool(self.others)


def task_for(outputs: Tensor, data: Data, metric: Metric | None = None) -> Task:
    """The task that the outputs for a small batch of `data`, and its targets, are made for.

    metric: the user's own score of outputs and targets (of the dense network's outputs where
    there are no targets): a number for each sample, or one for a block of them.
    Raises ValueError naming both shapes where they fit nothing, or the first target that is
    beyond the outputs.
    """
    targets = data.targets
    if targets is None:
        return _with_metric(_without_targets(outputs), metric)
    base = _with_targets(outputs, targets)
    if base is None and metric is None:
        raise ValueError(
            f"outputs of shape {tuple(outputs.shape)} cannot be measured by {targets.dtype} "
            f"targets of shape {tuple(targets.shape)}; give whole numbers where outputs are "
            "classes, floats of the outputs' shape where they are values, or a metric"
        )
    return _with_metric(base or _UNKNOWN, metric)


def _with_targets(outputs: Tensor, targets: Tensor) -> Task | None:
    shape, wanted = list(outputs.shape[1:]), list(targets.shape[1:])
    if targets.is_floating_point():
        fits = shape == wanted or sorted([shape, wanted]) == [[], [1]]
        return _values(targets) if fits else None
    # A text has its classes last, a picture first; where both would fit, that decides.
    ends = (shape[:-1], shape[1:]) if len(shape) < 3 else (shape[1:], shape[:-1])
    if not shape or wanted not in ends:
        return None
    last = wanted == shape[:-1] and (len(shape) < 3 or wanted != shape[1:])
    classes = shape[-1 if last else 0]
    if classes < 2:
        return None
    check_targets(targets, classes, "the network's outputs")
    if len(shape) == 1:
        return CLASSES
    return _positions(-1 if last else 1, language=last and len(shape) == 2)


def _without_targets(outputs: Tensor) -> Task:
    if outputs.ndim not in (2, 3) or outputs.shape[-1] < 2:
        return _CLOSENESS
    return _AGREEMENT if outputs.ndim == 2 else _AGREEMENT_BY_POSITION


def _with_metric(base: Task, metric: Metric | None) -> Task:
    if metric is None:
        return base
    name = metrics.name_of(metric)

    def numbers(outcome: Outcome) -> dict[str, float]:
        return {name: measures.mean_score(outcome)} | base.measures(measures.own(outcome))

    return replace(
        base,
        label=name,
        word=name,
        binary=False,
        judge=partial(metrics.judge_metric, base.judge, metric),
        measures=numbers,
        bounds=(-math.inf, math.inf),
    )


# -- the table -----------------------------------------------------------------------------

CLASSES = Task(
    name="classes",
    label="Accuracy",
    word="accuracy",
    loss_label="cross-entropy, nats",
    binary=True,
    against_dense=False,
    judge=judging.judge_classes,
    loss=losses.loss_classes,
    measures=measures.measure_classes,
)


def _positions(axis: int, *, language: bool) -> Task:
    return Task(
        name="positions",
        label="Accuracy per position",
        word="accuracy per position",
        loss_label="cross-entropy, nats",
        binary=False,
        against_dense=False,
        judge=judging.in_parts(partial(judging.judge_positions, axis)),
        loss=partial(losses.loss_positions, axis),
        measures=measures.measure_language if language else measures.measure_positions,
    )


def _values(targets: Tensor) -> Task:
    return Task(
        name="values",
        label="R²",
        word="R²",
        loss_label="squared error",
        binary=False,
        against_dense=False,
        judge=partial(judging.judge_values, _spread(targets)),
        loss=losses.loss_values,
        measures=measures.measure_values,
        bounds=(-math.inf, 1.0),
    )


def _spread(targets: Tensor) -> Tensor:
    """The variance [k] of each target; of pictures and the like the mean one, for all alike.

    A pixel that hardly ever varies would otherwise count as much as all others together.
    """
    columns = torch.split(targets.detach().reshape(len(targets), -1), 4096, dim=1)
    spread = torch.cat([part.double().var(0, correction=0) for part in columns])
    return spread if targets.ndim < 3 else spread.mean().expand_as(spread)


_AGREEMENT = Task(
    name="agreement",
    label="Agreement with dense",
    word="agreement with dense",
    loss_label="KL divergence from dense, nats",
    binary=True,
    against_dense=True,
    judge=judging.judge_agreement,
    loss=losses.loss_classes,
    measures=measures.measure_agreement,
)
_AGREEMENT_BY_POSITION = replace(
    _AGREEMENT,
    binary=False,
    judge=judging.in_parts(judging.judge_agreement),
    loss=partial(losses.loss_positions, -1),
)
_CLOSENESS = Task(
    name="closeness",
    label="Closeness to dense",
    word="closeness to dense",
    loss_label="relative error",
    binary=False,
    against_dense=True,
    judge=judging.judge_closeness,
    loss=losses.loss_values,
    measures=measures.measure_closeness,
    bounds=(-math.inf, 1.0),
)
# Only a metric knows what these targets are.
_UNKNOWN = Task(
    name="values",
    label="",
    word="",
    loss_label="no known loss",
    binary=False,
    against_dense=False,
    judge=judging.judge_nothing,
    loss=losses.loss_unknown,
    measures=measures.measure_nothing,
)
