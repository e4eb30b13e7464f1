"""What is a source's network measured by, and does it answer sample by sample?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from pruneviz.data import Data
from pruneviz.network.forward_pass import call_all
from pruneviz.network.replica import replica
from pruneviz.network.survey import Survey, refusal
from pruneviz.outputs import named_output
from pruneviz.sources import Source
from pruneviz.sources.checks import check_rows
from pruneviz.tasks import TASKS, Signs, Task, signs_of
from pruneviz.tasks.several import output_notes, task_of

_SAMPLES, _BYTES = 48, 2**24  # shown to find out; of the largest layer
_TRIED = 256  # samples whose targets tell which tasks fit


def purpose_of(source: Source, survey: Survey) -> tuple[Source, Task]:
    """The source with its targets in the form that its task takes and notes of it; and the task.

    survey: of its network with one sample. ValueError where answers are not one row a sample, or
    neither outputs and targets fit nor what the user says of them.
    """
    outputs = _first_answers(source, survey)
    signs = _signs(source, survey, outputs)
    _check_training(source)
    more = [source.calibration, *([] if source.training is None else [source.training])]
    task = task_of(
        outputs, source.validation, source.metric, source.output,
        task=source.task, more=more, signs=signs,
    )  # fmt: skip
    classes = source.classes
    if task.single and not classes and source.validation.targets is not None:
        count = 2 if task.name == "binary" else outputs[named_output(outputs, task.output)].shape[1]
        classes = tuple(str(number) for number in range(count))
    notes = dict.fromkeys((*source.notes, task.note, *output_notes(task, outputs)))
    return replace(
        source,
        calibration=_in_form(source.calibration, task),
        validation=_in_form(source.validation, task),
        training=None if source.training is None else _in_form(source.training, task),
        classes=classes,
        notes=tuple(note for note in notes if note),
        dense=source.dense if len(outputs) == 1 else None,  # of one output, nobody knows which
    ), task


def tasks_of(source: Source, survey: Survey) -> tuple[str, ...]:
    """The tasks that outputs and the first targets fit; none where a metric says what is right."""
    if source.metric is not None:
        return ()
    outputs = _first_answers(source, survey)
    signs = _signs(source, survey, outputs)
    data = source.validation.first(min(len(source.validation), _TRIED))

    def fits(name: str) -> bool:
        try:
            task_of(outputs, data, output=source.output, task=name, signs=signs)
        except ValueError:
            return False
        return True

    return tuple(name for name in TASKS if fits(name))


def scored_alike(source: Source, like: Source) -> Source:
    """`source` measured as `like` is; what it brought along was judged by its own measure."""
    names = ("metric", "output", "task")
    measure = {name: getattr(like, name) for name in names}
    if measure == {name: getattr(source, name) for name in names}:
        return source
    return replace(source, dense=None, **measure)


def _signs(source: Source, survey: Survey, outputs: Mapping[str, Tensor]) -> dict[str, Signs]:
    return {
        name: signs_of(
            tensor,
            ending=survey.ending.get(name, ""),
            heads=[layer for layer, names in survey.outputs_by_layer.items() if name in names],
            classes=len(source.classes),
            vocabularies=survey.vocabularies,
        )
        for name, tensor in outputs.items()
    }


def _first_answers(source: Source, survey: Survey) -> dict[str, Tensor]:
    """The answers to the first few samples, checked: one row each of the output that is judged."""
    sides = (source.calibration, source.validation)
    data = sides[0] if len(sides[0]) > 1 else sides[1]
    n = min(len(data), _SAMPLES, max(2, _BYTES // max(1, survey.activation)))
    while n > 2 and any(n in tensor.shape for tensor in survey.outputs.values()):
        n -= 1  # else that number could be anything
    data = data.first(n)
    try:
        with torch.inference_mode():
            outputs = call_all(replica(source.model), data.inputs)
    except Exception as error:  # whatever a network raises is what its user must read
        raise ValueError(refusal(source.model, data, error)) from error
    check_rows(tuple(outputs[named_output(outputs, source.output)].shape), len(data))
    return outputs


def _check_training(source: Source) -> None:
    """ValueError where the network does not take what it is to learn from."""
    data = None if source.training is None else source.training.first(2)
    if data is None or _sizes(data) == _sizes(source.validation):
        return
    try:
        with torch.inference_mode():
            call_all(replica(source.model), data.inputs)
    except Exception as error:  # as above
        raise ValueError(f"training data: {refusal(source.model, data, error)}") from error


def _sizes(data: Data) -> dict[str, torch.Size]:
    return {name: tensor.shape[1:] for name, tensor in data.tensors().items()}


def _in_form(data: Data, task: Task) -> Data:
    if data.targets is None or task.against_dense:
        return data if data.targets is None else Data(data.inputs)
    return Data(data.inputs, task.targets(data.targets))
