"""Which samples may a network learn from, where they are given apart?"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from pruneviz.data import Data
from pruneviz.sources.data.reader import find, fit_request
from pruneviz.sources.data.samples import DataRequest, RawData, Samples
from pruneviz.sources.data.split import twins


def with_training(samples: Samples, given: object, request: DataRequest) -> Samples:
    """`samples` with what is given to learn from, of any of KINDS; of two sides the training one.

    ValueError, one sentence: what is empty, broken or of another shape. Without targets only the
    dense network's answers can be learnt from, which a note says.
    """
    notes: list[str] = []
    try:
        raw = find(given, request)
        data = fit_request(raw.data if raw.calibration is None else raw.calibration, request, notes)
    except ValueError as error:
        raise ValueError(f"training data: {error}") from None
    if len(data) == 0:
        raise ValueError("training data is empty: give at least one sample")
    data = _by_class(data, raw, samples.classes)
    _check_shape(data, samples.validation)
    sentences = [f"{len(data):,} samples train, given apart"]
    if data.targets is None:
        sentences.append(
            "samples that train have no targets: they teach by the dense network's answers alone"
        )
    same = twins(data, samples.validation)
    if same:
        sentences.append(
            f"{same:,} validation samples are identical to training samples: what is measured on "
            "them after a training is memorised, not learnt"
        )
    fresh = [note for note in notes if note not in samples.notes]
    return replace(samples, training=data, notes=(*samples.notes, *sentences, *fresh))


def _by_class(data: Data, raw: RawData, classes: tuple[str, ...]) -> Data:
    """The data with its labels as `classes` number them, where both sides name their classes."""
    labels = data.targets
    named = raw.classes and classes and not all(name.isdigit() for name in classes)
    if not named or raw.classes == classes or labels is None or labels.ndim != 1:
        return data
    other = [name for name in raw.classes if name not in classes]
    if other:
        raise ValueError(
            f"training data has the class {other[0]!r}, which the validation data has not: there "
            f"are {', '.join(classes[:10])}"
        )
    number = torch.tensor([classes.index(name) for name in raw.classes])
    return Data(data.inputs, number[labels])


def _check_shape(data: Data, validation: Data) -> None:
    training, like = data.tensors(), validation.tensors()
    if [*training] != [*like]:
        raise ValueError(
            f"training inputs are {_names(training)}, validation inputs {_names(like)}; give the "
            "same by name"
        )
    for name, tensor in training.items():
        if tensor.ndim != like[name].ndim:
            shapes = [" × ".join(map(str, one.shape[1:])) for one in (tensor, like[name])]
            raise ValueError(
                f"training inputs{f' {name!r}' if name else ''} have the shape {shapes[0]} a "
                f"sample, validation inputs {shapes[1]}; give samples of one kind"
            )


def _names(tensors: dict[str, Tensor]) -> str:
    return ", ".join(repr(name) for name in tensors if name) or "one tensor"
