"""Which task are outputs and targets made for?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from torch import Tensor

from pruneviz.data import Data, Metric, check_targets
from pruneviz.tasks import table
from pruneviz.tasks.forms import PLAIN, Signs, signs_of
from pruneviz.tasks.targets import one_hot, whole, zeros_and_ones
from pruneviz.tasks.task import COMPARISONS, TASKS, Task

_NEEDS = {
    "classes": "two outputs or more for each sample, and for a target one whole number (or a "
    "one-hot row)",
    "binary": "one output for each sample, and a target of 0 or 1",
    "labels": "targets of 0 and 1, as many as there are outputs",
    "positions": "outputs with a dimension of two classes or more, and a whole number (or a "
    "one-hot row) for each position",
    "skills": "outputs with classes for each word, and for each word two whole numbers: the word "
    "that follows, and the number of the skill it needs (0: none)",
    "values": "as many targets as there are outputs",
    "agreement": "two outputs or more for each sample",
}
Fit = Callable[[Tensor, Sequence[Tensor], bool], "tuple[Task, str] | None"]


def task_for(
    outputs: Tensor,
    data: Data,
    metric: Metric | None = None,
    *,
    name: str | None = None,
    others: Sequence[Data] = (),
    signs: Signs | None = None,
) -> Task:
    """The task that the outputs for a small batch of `data`, and its targets, are made for.

    metric: the user's own score of outputs and targets (of the dense network's outputs where
    there are no targets): a number for each sample, or one for a block of them. name: of TASKS,
    what the user says it is. others: more data whose targets are of the same kind. signs: what
    the outputs tell beside their shape.
    Raises ValueError naming both shapes where they fit nothing, or not what the user says; or the
    first target that is beyond the outputs.
    """
    if name is not None and name not in TASKS:
        raise ValueError(f"task must be one of {', '.join(TASKS)}, got {name!r}")
    signs = signs_of(outputs) if signs is None else signs
    targets = data.targets
    if targets is None or name in COMPARISONS:
        if name is not None and name not in COMPARISONS:
            raise ValueError(
                f"task {name!r} needs targets, and this data has none; give them, or compare with "
                f"the dense network: {', '.join(COMPARISONS)}"
            )
        base, why = _without_targets(outputs, signs, name)
    else:
        all_targets = [targets, *(d.targets for d in others if d.targets is not None and len(d))]
        fit = _with_targets(outputs, all_targets, name)
        if fit is None and metric is None:
            raise ValueError(_nothing_fits(outputs, targets, name))
        base, why = fit or (table.UNKNOWN, "only the metric knows what these targets are")
    if name is not None:
        why = "as was asked for"
    base = table.of_form(base, signs.form, outputs.ndim)
    base = replace(base, note=_note(base, why))
    return table.with_metric(base, metric, targets)


# -- with targets --------------------------------------------------------------------------


def _with_targets(
    outputs: Tensor, targets: Sequence[Tensor], name: str | None
) -> tuple[Task, str] | None:
    fits = _FITS.values() if name is None else (_FITS[name],)
    candidates = (fit(outputs, targets, name is not None) for fit in fits)
    return next((each for each in candidates if each is not None), None)


def _binary(outputs: Tensor, targets: Sequence[Tensor], sure: bool) -> tuple[Task, str] | None:
    if list(outputs.shape[1:]) not in ([], [1]) or list(targets[0].shape[1:]) not in ([], [1]):
        return None
    only, both = zeros_and_ones(targets)
    if not only or not (both or sure or not targets[0].is_floating_point()):
        return None
    return table.BINARY, "one output a sample, and targets are 0 or 1"


def _classes(outputs: Tensor, targets: Sequence[Tensor], sure: bool) -> tuple[Task, str] | None:
    if outputs.ndim != 2 or outputs.shape[1] < 2:
        return None
    shape, why = list(targets[0].shape[1:]), "a target is one whole number a sample"
    if shape == list(outputs.shape[1:]):
        if not one_hot(targets, 1):
            return None
        why = "targets are one-hot rows"
    elif shape not in ([], [1]) or not _numbers_of_classes(targets, sure):
        return None
    _check(table.CLASSES, targets, outputs.shape[1])
    return table.CLASSES, why


def _positions(outputs: Tensor, targets: Sequence[Tensor], sure: bool) -> tuple[Task, str] | None:
    if outputs.ndim < 3:
        return None
    shape, target_shape = list(outputs.shape[1:]), list(targets[0].shape[1:])
    # A text has its classes last, a picture first; where both would fit, that decides.
    for axis in (-1, 1) if outputs.ndim < 4 else (1, -1):
        at = axis % outputs.ndim - 1
        classes, without = shape[at], shape[:at] + shape[at + 1 :]
        hot = target_shape == shape and one_hot(targets, axis)
        single = target_shape == [*shape[:at], 1, *shape[at + 1 :]]
        plain = (target_shape == without or single) and _numbers_of_classes(targets, sure)
        if classes < 2 or not (hot or plain):
            continue
        task = table.positions(outputs, axis)
        _check(task, targets, classes)
        return task, "targets are one-hot" if hot else "a target is a whole number a position"
    return None


def _skills(outputs: Tensor, targets: Sequence[Tensor], sure: bool) -> tuple[Task, str] | None:
    if not sure or outputs.ndim != 3 or list(targets[0].shape[1:]) != [outputs.shape[1], 2]:
        return None  # what else has two numbers a position is guessed to be something else
    if not _numbers_of_classes(targets, sure):
        return None
    task = table.skills(max(1, *(int(each[..., 1].max()) for each in targets)))
    for each in targets:
        check_targets(each[..., 0].long(), outputs.shape[2], "the network's outputs")
    return task, "a target is the word that follows and the skill it needs"


def _labels(outputs: Tensor, targets: Sequence[Tensor], sure: bool) -> tuple[Task, str] | None:
    shape, target_shape = list(outputs.shape[1:]), list(targets[0].shape[1:])
    alike = shape == target_shape or (
        len(shape) > 1 and target_shape == shape[1:] and shape[0] == 1
    )
    if not alike and not (
        len(target_shape) > 1 and shape == target_shape[1:] and target_shape[0] == 1
    ):
        return None
    only, both = zeros_and_ones(targets)
    if not only or not (both or sure or not targets[0].is_floating_point()):
        return None
    where = "in several columns" if len(shape) == 1 else "at every position"
    return table.labels(outputs), f"targets are 0 and 1 {where}"


def _values(outputs: Tensor, targets: Sequence[Tensor], sure: bool) -> tuple[Task, str] | None:
    shape, target_shape = list(outputs.shape[1:]), list(targets[0].shape[1:])
    if shape != target_shape and sorted([shape, target_shape]) != [[], [1]]:
        return None
    if not (sure or targets[0].is_floating_point()):
        return None
    why = "targets are numbers of the outputs' shape"
    if not sure and whole(targets):
        why += ", whole ones; give integers if they are classes"
    return table.values(targets[0]), why


_FITS: dict[str, Fit] = {
    "binary": _binary,
    "classes": _classes,
    "positions": _positions,
    "skills": _skills,
    "labels": _labels,
    "values": _values,
}


def _numbers_of_classes(targets: Sequence[Tensor], sure: bool) -> bool:
    """Whether they are whole numbers; floats are classes only where the user says so."""
    return (sure or not targets[0].is_floating_point()) and whole(targets)


def _check(task: Task, targets: Sequence[Tensor], classes: int) -> None:
    for each in targets:
        check_targets(task.targets(each), classes, "the network's outputs")


# -- without targets -----------------------------------------------------------------------


def _without_targets(outputs: Tensor, signs: Signs, name: str | None) -> tuple[Task, str]:
    many = outputs.ndim > 1 and outputs.shape[signs.axis] > 1
    if name == "agreement" and not many:
        raise ValueError(
            f"task 'agreement' does not fit outputs of shape {tuple(outputs.shape)}: it needs "
            f"{_NEEDS['agreement']}; 'closeness' fits any"
        )
    if name == "agreement" or (name is None and signs.scores):
        return table.agreement(outputs, signs.axis), f"no targets, and {signs.scores}"
    if name == "cosine" or (name is None and signs.embedding):
        return table.COSINE, f"no targets, and {signs.embedding}"
    why = "no targets, and nothing says that outputs are scores of classes"
    return table.CLOSENESS, why if many else "no targets, and a sample has one output"


# -- words -----------------------------------------------------------------------------------


def _note(task: Task, why: str) -> str:
    form = "" if task.form == PLAIN else f", outputs are {task.form}"
    if task.form in why:
        form = ""
    words = f"task {task.name!r}: {why}{form}"
    return f"measured by {task.word or 'the metric'} ({words}); task= or --task says otherwise"


def _nothing_fits(outputs: Tensor, targets: Tensor, name: str | None) -> str:
    shapes = (
        f"outputs of shape {tuple(outputs.shape)} cannot be measured by {targets.dtype} "
        f"targets of shape {tuple(targets.shape)}"
    )
    if name is not None:
        return f"{shapes} as task {name!r}: it needs {_NEEDS[name]}"
    return (
        f"{shapes}; give whole numbers where outputs are classes, floats of the outputs' shape "
        "where they are values (or say which it is with task= or --task), or a metric"
    )
