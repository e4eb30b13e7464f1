"""Which tasks are there?"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from pruneviz.data import Metric, Outcome
from pruneviz.tasks import binary, losses, measures, metrics, skill_scores, targets, task_scores
from pruneviz.tasks.forms import PLAIN, as_logits
from pruneviz.tasks.task import Task, no_columns, same

# Targets of a sample that may each have a spread of their own; more are like a picture's pixels,
# and an outcome would hold as many numbers of each sample.
_OWN_SPREADS = 64

CLASSES = Task(
    name="classes",
    label="Accuracy",
    word="accuracy",
    loss_label="cross-entropy, nats",
    binary=True,
    against_dense=False,
    judge=task_scores.judge_classes,
    loss=losses.loss_classes,
    measures=measures.measure_classes,
    targets=targets.as_classes,
    single=True,
)
BINARY = replace(
    CLASSES,
    name="binary",
    loss_label="binary cross-entropy, nats",
    judge=binary.judge_binary,
    loss=binary.loss_binary,
    measures=binary.measure_binary,
    targets=targets.as_binary,
)


def labels(outputs: Tensor) -> Task:
    """Zeros and ones in the shape of `outputs`: columns of labels, or a picture's pixels."""
    pixels = outputs.ndim > 2
    word = "accuracy per position" if pixels else "accuracy per label"
    return Task(
        name="labels",
        label=word.capitalize(),
        word=word,
        loss_label="binary cross-entropy, nats",
        binary=False,
        against_dense=False,
        judge=binary.judge_labels,
        loss=binary.loss_labels,
        measures=binary.measure_marks if pixels else binary.measure_labels,
        targets=partial(targets.as_labels, tuple(outputs.shape[1:])),
        column_bytes=24 + 12 * (outputs.shape[1] if outputs.ndim > 1 else 1),
    )


def positions(outputs: Tensor, axis: int) -> Task:
    """A class for each position, the outputs' classes on `axis`: the last of a text."""
    language = outputs.ndim == 3 and axis == -1
    classes = outputs.shape[axis]
    overlaps = not language and classes <= task_scores.OVERLAPS
    judge = partial(task_scores.judge_positions, axis, overlaps=overlaps)
    return Task(
        name="positions",
        label="Accuracy per position",
        word="accuracy per position",
        loss_label="cross-entropy, nats",
        binary=False,
        against_dense=False,
        judge=task_scores.in_parts(judge),
        loss=partial(losses.loss_positions, axis),
        measures=measures.measure_language if language else measures.measure_pixels,
        columns=measures.language_columns if language else no_columns,
        targets=partial(targets.as_positions, axis, outputs.ndim),
        axis=axis,
        column_bytes=24 + 8 * classes * overlaps,
    )


def skills(count: int) -> Task:
    """The word that follows each, scored where it needs one of `count` skills."""
    word = "accuracy of tagged words"
    return Task(
        name="skills",
        label=word.capitalize(),
        word=word,
        loss_label="cross-entropy of tagged words, nats",
        binary=False,
        against_dense=False,
        judge=task_scores.in_parts(partial(skill_scores.judge_skills, count)),
        loss=losses.loss_skills,
        measures=skill_scores.measure_skills,
        columns=skill_scores.skill_columns,
        targets=targets.as_skills,
        column_bytes=36 + 4 * count,
    )


def values(goals: Tensor) -> Task:
    """Values to come close to, as far spread as those of `goals` [n, ...]."""
    alike = goals.ndim > 2 or goals[:1].numel() > _OWN_SPREADS
    return Task(
        name="values",
        label="R²",
        word="R²",
        loss_label="squared error",
        binary=False,
        against_dense=False,
        judge=partial(task_scores.judge_values, _spread(goals, alike)),
        loss=losses.loss_values,
        measures=measures.measure_values,
        targets=targets.as_values,
        prefix=partial(task_scores.prefix_values, alike),
        column_bytes=24 if alike else 24 + 4 * goals[:1].numel(),
        bounds=(-math.inf, 1.0),
        share=False,
    )


def agreement(outputs: Tensor, axis: int) -> Task:
    """The class that the dense network answers, classes on `axis`."""
    single = outputs.ndim == 2
    judge = partial(task_scores.judge_agreement, axis)
    loss = losses.loss_classes if single else partial(losses.loss_positions, axis)
    return Task(
        name="agreement",
        label="Agreement with dense",
        word="agreement with dense",
        loss_label="KL divergence from dense, nats",
        binary=single,
        against_dense=True,
        judge=judge if single else task_scores.in_parts(judge),
        loss=partial(losses.loss_own, loss),
        measures=measures.measure_agreement,
        axis=axis,
    )


CLOSENESS = Task(
    name="closeness",
    label="Closeness to dense",
    word="closeness to dense",
    loss_label="relative error",
    binary=False,
    against_dense=True,
    judge=task_scores.judge_closeness,
    loss=partial(losses.loss_own, losses.loss_values),
    measures=measures.measure_closeness,
    bounds=(-math.inf, 1.0),
    share=False,
)
COSINE = replace(
    CLOSENESS,
    name="cosine",
    label="Cosine with dense",
    word="cosine with dense",
    loss_label="1 − cosine",
    judge=task_scores.judge_cosine,
    measures=measures.measure_cosine,
    bounds=(-1.0, 1.0),
)
# Only a metric knows what these targets are.
UNKNOWN = Task(
    name="values",
    label="",
    word="",
    loss_label="no known loss",
    binary=False,
    against_dense=False,
    judge=task_scores.judge_nothing,
    loss=losses.loss_unknown,
    measures=measures.measure_nothing,
)


def of_form(task: Task, form: str, ndim: int) -> Task:
    """The task for outputs of this form, given targets of any form that it knows.

    ndim: of the outputs; a network whose code squeezes them loses the row of a single sample.
    """
    logits = as_logits(PLAIN if task.name in ("values", "closeness", "cosine") else form)

    def rows_of(outputs: Tensor) -> Tensor:
        return logits(outputs if outputs.ndim >= ndim else outputs[None])

    def judge(outputs: Tensor, goals: Tensor) -> Outcome:
        goals = rows_of(goals) if task.against_dense else task.targets(goals)
        return task.judge(rows_of(outputs), goals)

    def loss(outputs: Tensor, goals: Tensor | None) -> Tensor:
        return task.loss(rows_of(outputs), None if goals is None else task.targets(goals))

    return replace(task, judge=judge, loss=loss, form=form)


def with_metric(base: Task, metric: Metric | None, goals: Tensor | None) -> Task:
    """The task with the user's metric for a score; its own measures stand behind it.

    The metric sees targets as they were given: other forms of them (see `Task.targets`) only the
    task's own measures do.
    """
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
        share=False,
        targets=same,
        single=base.single and goals is not None and base.targets(goals) is goals,
    )


def _spread(goals: Tensor, alike: bool) -> Tensor:
    """The variance [k] of each target; `alike` (of pictures and the like) their mean [1].

    A pixel that hardly ever varies would otherwise count as much as all others together.
    """
    columns = torch.split(goals.detach().reshape(len(goals), -1), 4096, dim=1)
    spread = torch.cat([part.double().var(0, correction=0) for part in columns])
    return spread.mean(0, keepdim=True) if alike else spread
