"""How is a network judged that answers with several tensors?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from pruneviz.data import Data, Metric, Outcome
from pruneviz.outputs import named_output
from pruneviz.tasks import losses, measures
from pruneviz.tasks.forms import Signs
from pruneviz.tasks.task import Task
from pruneviz.tasks.task_choice import task_for

Answer = Mapping[str, Tensor]
_NAMED = 6  # outputs that a note names
_NOTHING: Mapping[str, Signs] = {}


def task_of(
    outputs: Answer,
    data: Data,
    metric: Metric | None = None,
    output: str | None = None,
    *,
    task: str | None = None,
    more: Sequence[Data] = (),
    signs: Mapping[str, Signs] = _NOTHING,
) -> Task:
    """The task of a network that answers the first samples of `data` with `outputs`.

    output: where its score comes from; None: the main one, or, where there are no targets, all of
    them together. Each other output is compared with the dense network's beside it. What has no
    row for each sample takes no part. task: what the user says it is. more: data whose targets are
    of the same kind. signs: what each output tells beside its shape. Otherwise as `task_for`;
    ValueError lists the outputs where there is none of this name.
    """
    name = named_output(outputs, output)
    try:
        own = task_for(outputs[name], data, metric, name=task, others=more, signs=signs.get(name))
    except ValueError as error:
        if len(outputs) == 1:
            raise
        raise ValueError(f"{error}; {_choice(outputs, name)}") from None
    blind = Data(data.inputs)
    others = {
        other: task_for(tensor, blind, signs=signs.get(other))
        if tensor.is_floating_point()
        else _NUMBERS
        for other, tensor in outputs.items()
        if other != name and tensor.shape[:1] == outputs[name].shape[:1] and tensor.numel()
    }
    is_scored = data.targets is not None or any(x is not None for x in (output, metric, task))
    if not others or is_scored:
        return replace(own, output=name, others=others)
    return replace(
        own,
        name="closeness",
        label="Fidelity to dense",
        word="fidelity to dense",
        loss_label="mean loss of the outputs",
        binary=False,
        share=all(one.share for one in (own, *others.values())),
        note="",
        bounds=(min(one.bounds[0] for one in (own, *others.values())), 1.0),
        measures=_mean_fidelity,
        output=name,
        others={name: own, **others},
        overall=True,
    )


def judge_answer(
    task: Task, answer: Answer, targets: Tensor | None, dense: Answer | None
) -> Outcome:
    """The outcome of a block: of the output that is judged, and of each other in columns.

    answer, dense: output -> [b, ...], of the network and of the dense one. targets: [b, ...].
    """
    if task.overall:
        assert dense is not None
        return _overall(_each(task, answer, dense))
    outputs = answer[named_output(answer, task.output)]
    if task.against_dense:
        assert dense is not None
        targets = dense[named_output(dense, task.output)]
    assert targets is not None
    own = task.judge(outputs, targets)
    if not task.others or dense is None:
        return own
    return replace(own, more={**own.more, **_columns(_each(task, answer, dense))})


def output_notes(task: Task, outputs: Answer) -> tuple[str, ...]:
    """A sentence on which of several outputs the score is taken from, and which are left out."""
    if len(outputs) == 1:
        return ()
    names, more = list(outputs), len(outputs) - _NAMED
    there = ", ".join(map(repr, names[:_NAMED])) + (f" and {more} more" if more > 0 else "")
    where = "is the mean over them" if task.overall else f"is taken from {task.output!r}"
    notes = [
        f"the network has {len(names)} outputs: {there}; {task.word} {where}; "
        "choose one with output= (--output)"
    ]
    rest = [name for name in names if name != task.output and name not in task.others]
    if rest:
        which = ", ".join(map(repr, rest[:_NAMED]))
        notes.append(f"without a row for each sample, so compared by no measure: output {which}")
    return tuple(notes)


def _choice(outputs: Answer, name: str) -> str:
    shapes = ", ".join(f"{n!r} {tuple(t.shape)}" for n, t in list(outputs.items())[:_NAMED])
    return f"this was output {name!r} of {shapes}; choose another with output= (--output)"


def loss_of(task: Task, answer: Answer, targets: Tensor | None) -> Tensor:
    """The loss [b] that gradients follow: of the output that is judged, or the mean of all."""
    if not task.overall:
        outputs = answer[named_output(answer, task.output)]
        return task.loss(outputs, None if targets is None else targets.to(outputs.device))
    per_output = [
        one.loss(answer[name], None)
        for name, one in task.others.items()
        if answer[name].is_floating_point()
    ]
    return torch.stack(per_output).mean(0)


def outcome_of(outcome: Outcome, output: str) -> Outcome | None:
    """What the columns of `judge_answer` hold of one output; None where they hold nothing."""
    score, loss = (outcome.more.get(f"{kind} of {output}") for kind in ("score", "loss"))
    if score is None or loss is None:
        return None
    return Outcome(torch.full((len(score),), -1), loss, score)


def measure_outputs(task: Task, outcome: Outcome) -> dict[str, float]:
    """Every number of the task's, then those of each output, with its name before them."""
    numbers = task.measures(outcome)
    for name, one in task.others.items():
        part = outcome_of(outcome, name)
        if part is not None:
            numbers |= {f"{name}: {what}": x for what, x in one.measures(part).items()}
    return numbers


def _each(task: Task, answer: Answer, dense: Answer) -> dict[str, Outcome]:
    outcomes = {}
    for name, one in task.others.items():
        now, was = (part[named_output(part, name)] for part in (answer, dense))
        if now.shape == was.shape:
            outcomes[name] = one.judge(now, was)
    return outcomes


def _columns(each: Mapping[str, Outcome]) -> dict[str, Tensor]:
    columns: dict[str, Tensor] = {}
    for name, outcome in each.items():
        assert outcome.score is not None
        columns |= {f"score of {name}": outcome.score, f"loss of {name}": outcome.loss}
    return columns


def _overall(each: Mapping[str, Outcome]) -> Outcome:
    """The mean score and loss of the outputs; an answer is broken where one of them is."""
    outcomes = list(each.values())
    first = outcomes[0]
    broken = torch.zeros(len(first), dtype=torch.bool)
    for outcome in outcomes:
        broken = broken | outcome.more.get("broken", torch.zeros_like(broken))
    scores = [outcome.score for outcome in outcomes if outcome.score is not None]
    return Outcome(
        predicted=torch.full((len(first),), -1),
        loss=torch.stack([outcome.loss for outcome in outcomes]).mean(0),
        score=torch.stack(scores).mean(0),
        more={**_columns(each), "broken": broken},
    )


def _mean_fidelity(outcome: Outcome) -> dict[str, float]:
    score = measures.mean_score(outcome)
    return {"mean fidelity": score if math.isfinite(score) else math.nan}


def _judge_numbers(outputs: Tensor, dense: Tensor) -> Outcome:
    """Whole numbers [b, ...]: the share of each answer that is equal to the dense network's."""
    same = (outputs == dense.to(outputs.device)).reshape(len(outputs), -1)
    score = same.double().mean(1).float().cpu()
    return Outcome(torch.full((len(score),), -1), 1 - score, score)


def _measure_numbers(outcome: Outcome) -> dict[str, float]:
    return {"equal to dense": measures.mean_score(outcome)}


_NUMBERS = Task(
    name="agreement",
    label="Agreement with dense",
    word="agreement with dense",
    loss_label="share that differs from dense",
    binary=False,
    against_dense=True,
    judge=_judge_numbers,
    loss=losses.loss_unknown,
    measures=_measure_numbers,
)
