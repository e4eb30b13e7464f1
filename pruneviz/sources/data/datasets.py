"""Which samples does a Dataset or a DataLoader hold?"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, IterableDataset

from pruneviz.sources.data.objects import refuse_objects
from pruneviz.sources.data.pictures import prepare
from pruneviz.sources.data.samples import DataRequest, RawData
from pruneviz.sources.data.selection import choose, most
from pruneviz.sources.data.several import by_name
from pruneviz.sources.data.tensors import TARGETS, encode, pair, stack
from pruneviz.sources.data.texts import pad
from pruneviz.sources.spec import InputSpec

Sample = tuple[Any, Any]  # inputs (one value, or values by name) and the target, or None


def read_loader(loader: DataLoader[Any], request: DataRequest) -> RawData:
    """The samples that a DataLoader draws, as its own collate_fn makes them.

    From a map-style data set, a seeded choice where there are more than asked for; from an
    iterable one, the first. The loader is not changed: what it draws by is put back.
    """
    with _own_chance(request.seed, loader):
        if isinstance(loader.dataset, IterableDataset):
            return _iterate(_apart(loader, loader.batch_size is not None, request.spec), request)
        drawn = _draw(loader)
        unique = list(dict.fromkeys(drawn))
        notes = ["the loader draws samples more than once: each was taken once"]
        notes = notes if len(unique) < len(drawn) else []
        if not unique:
            raise ValueError("the DataLoader is empty: it draws no sample")
        together = loader.batch_size or (64 if loader.batch_sampler is not None else None)

        def fetch(which: list[int]) -> Iterator[Sample]:
            at = [unique[i] for i in which]
            if together is None:
                yield from _apart(
                    (loader.collate_fn(loader.dataset[i]) for i in at), False, request.spec
                )
                return
            batches = (at[i : i + together] for i in range(0, len(at), together))
            batch_stream = (
                loader.collate_fn([loader.dataset[i] for i in batch]) for batch in batches
            )
            yield from _apart(batch_stream, True, request.spec)

        first = next(iter(fetch([0])))
        which, cut = choose(len(unique), _bytes(first, request), request)
        return _gather(list(fetch(which.tolist())), request, notes + cut)


def read_dataset(dataset: Any, request: DataRequest) -> RawData:
    """The samples of a map-style or iterable data set: torch's, Transformers', or a list of pairs.

    From one with a length, a seeded choice where there are more than asked for; else the first.
    """
    names = tuple(map(str, getattr(dataset, "classes", None) or ()))
    with _own_chance(request.seed):
        if not hasattr(dataset, "__getitem__") or not hasattr(dataset, "__len__"):
            return _iterate(_apart(dataset, False, request.spec), request)
        if len(dataset) == 0:
            raise ValueError(f"{type(dataset).__name__} is empty: give at least two samples")
        first = next(_apart([dataset[0]], False, request.spec))
        which, cut = choose(len(dataset), _bytes(first, request), request)
        samples = list(_apart((dataset[i] for i in which.tolist()), False, request.spec))
    raw = _gather(samples, request, cut)
    return RawData(raw.data, None, raw.classes or names, raw.notes)


def _iterate(samples: Iterator[Sample], request: DataRequest) -> RawData:
    first = next(samples, None)
    if first is None:
        raise ValueError("the data set is empty: it yields no sample")
    room = most(_bytes(first, request), request)
    head = [first, *islice(samples, room - 1)]
    more = len(head) == room and next(samples, None) is not None
    return _gather(head, request, [f"the first {room:,} samples were taken"] * more)


def _gather(samples: list[Sample], request: DataRequest, notes: list[str]) -> RawData:
    inputs, targets = (list(column) for column in zip(*samples, strict=True))
    whole: object
    if isinstance(inputs[0], Mapping):
        whole = _by_name(inputs)
    elif isinstance(inputs[0], Image.Image):
        whole, sentences = prepare(inputs, request)
        notes = notes + sentences
    else:
        whole = stack(inputs, "samples of the data set")
    numbers, classes = (None, ()) if targets[0] is None else _answers(targets)
    raw = pair(whole, numbers, request.spec)
    return RawData(raw.data, None, classes, (*notes, *raw.notes))


def _by_name(rows: list[Mapping[str, Any]]) -> dict[str, object]:
    """Samples by name as one tensor a name; token ids of unequal length are padded with 0."""
    if any(row.keys() != rows[0].keys() for row in rows):
        raise ValueError("samples of the data set do not all have the same names; make them alike")
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    if "input_ids" in columns:
        return dict(pad(columns))
    return {
        name: stack(values, repr(name))
        for name, values in columns.items()
        if not isinstance(values[0], (str, Image.Image))
    }


def _answers(targets: list[Any]) -> tuple[Tensor, tuple[str, ...]]:
    refuse_objects(targets)
    if isinstance(targets[0], str):
        numbers, classes = encode(targets)
        assert numbers is not None
        return numbers, classes
    ids = isinstance(targets[0], (list, tuple, Tensor, np.ndarray)) and np.ndim(targets[0]) == 1
    if ids and len({len(each) for each in targets}) > 1:
        return pad({"labels": targets})["labels"], ()
    return stack(targets, "targets of the data set"), ()


def _apart(items: Iterable[Any], batched: bool, spec: InputSpec) -> Iterator[Sample]:
    """(inputs, target) of each item, or of each sample in each batch."""
    for item in items:
        inputs, target = _part(item)
        if len(spec.needed) > 1 and isinstance(inputs, (tuple, list)):
            inputs = by_name(inputs, spec)
        if not batched:
            yield inputs, target
            continue
        columns = inputs if isinstance(inputs, Mapping) else {"": inputs}
        for i in range(len(next(iter(columns.values())))):
            row = {name: column[i] for name, column in columns.items()}
            yield (
                row if isinstance(inputs, Mapping) else row[""],
                None if target is None else target[i],
            )


def _part(item: Any) -> Sample:
    """(inputs, target or None) of a sample or a batch: a pair, a mapping, or inputs alone."""
    if isinstance(item, Mapping):
        label = next((name for name in TARGETS if name in item), None)
        inputs = {str(name): item[name] for name in item if name != label}
        for name in ("image", "img", "pixel_values"):
            if isinstance(inputs.get(name), Image.Image):
                return inputs[name], None if label is None else item[label]
        if not inputs:
            raise ValueError(f"a sample of the data set holds no inputs, only {label!r}")
        return inputs, None if label is None else item[label]
    if isinstance(item, (tuple, list)):
        if not item:
            raise ValueError("a sample of the data set is empty; yield (inputs, target)")
        # Names and paths of samples may go; numbers might be what the network is to answer.
        if any(isinstance(part, (Tensor, np.ndarray, int, float)) for part in item[2:]):
            raise ValueError(
                f"a sample of the data set has {len(item)} parts; yield (inputs, target), and "
                "several inputs as ((a, b), target) or by name"
            )
        return (item[0], item[1]) if len(item) > 1 else (item[0], None)
    return item, None


def _draw(loader: DataLoader[Any]) -> list[Any]:
    """The indices that one pass of the loader would draw, no more than the data set is long."""
    size = len(loader.dataset)  # type: ignore[arg-type]
    batches: Any = loader.batch_sampler
    if batches is None:
        return list(islice(loader.sampler, size))
    if type(batches) is BatchSampler:  # else the sampler may know of no indices, or of others
        return list(islice(batches.sampler, size))
    return list(islice((i for batch in batches for i in batch), size))


def _bytes(sample: Sample, request: DataRequest) -> int:
    """How much memory a sample takes as float32."""
    inputs = sample[0]
    if isinstance(inputs, Image.Image):
        height, width = request.size or request.spec.size or (inputs.height, inputs.width)
        return 12 * height * width
    values = inputs.values() if isinstance(inputs, Mapping) else [inputs]
    return sum(4 * (v.numel() if isinstance(v, Tensor) else np.size(v)) for v in values)


@contextmanager
def _own_chance(seed: int, loader: DataLoader[Any] | None = None) -> Iterator[None]:
    """Seeded chance inside; outside, and in the loader's own generators, as if nothing happened."""
    parts = [loader, *(getattr(loader, name, None) for name in ("sampler", "batch_sampler"))]
    parts.append(getattr(parts[-1], "sampler", None))
    generators = {id(g): g for p in parts if (g := getattr(p, "generator", None)) is not None}
    states = [(generator, generator.get_state()) for generator in generators.values()]
    ours, numpys = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            random.seed(seed)
            np.random.seed(seed % 2**32)
            yield
    finally:
        random.setstate(ours)
        np.random.set_state(numpys)
        for generator, state in states:
            generator.set_state(state)
