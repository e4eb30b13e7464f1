"""Are a Dataset's and a DataLoader's samples taken whole, by a seed, without changing either?"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)  # fmt: skip

from pruneviz.sources.data.reader import read_data
from pruneviz.sources.data.samples import Samples
from pruneviz.sources.spec import InputSpec

X, Y = torch.arange(400.0).reshape(100, 4), torch.arange(100) // 25


class Items(Dataset[Any]):
    """Whatever items it is given."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        return self.items[index]


class Stream(IterableDataset[Any]):
    """Whatever items it is given, one after the other."""

    def __init__(self, items: list[Any]) -> None:
        self.items, self.drawn = items, 0

    def __iter__(self) -> Iterator[Any]:
        for item in self.items:
            self.drawn += 1
            yield item


def firsts(samples: Samples) -> list[int]:
    """The number of each sample, by its first value."""
    sides = [side.inputs for side in (samples.calibration, samples.validation)]
    return sorted(int(row[0]) // 4 for side in sides for row in side)  # type: ignore[union-attr]


def said(samples: Samples, words: str) -> bool:
    return any(words in note for note in samples.notes)


# -- how many ------------------------------------------------------------------------------


@pytest.mark.parametrize("loaded", [False, True])
def test_more_than_the_limit_is_a_seeded_choice_not_the_first(loaded: bool) -> None:
    dataset = TensorDataset(X, Y)
    given = DataLoader(dataset, batch_size=8) if loaded else dataset
    samples = read_data(given, limit=40)
    assert len(set(firsts(samples))) == 40
    assert max(firsts(samples)) > 80
    assert said(samples, "40 of 100 samples were taken, a seeded choice")
    assert len(samples.classes) == 4
    assert firsts(read_data(given, limit=40)) == firsts(samples)
    assert firsts(read_data(given, limit=40, seed=1)) != firsts(samples)


@pytest.mark.parametrize("loaded", [False, True])
def test_of_a_stream_the_first_are_taken(loaded: bool) -> None:
    stream = Stream(list(zip(X, Y, strict=True)))
    samples = read_data(DataLoader(stream, batch_size=8) if loaded else stream, limit=40)
    assert firsts(samples) == list(range(40))
    assert said(samples, "the first 40 samples were taken")
    assert stream.drawn <= 49
    whole = read_data(stream, limit=100)
    assert len(firsts(whole)) == 100
    assert not said(whole, "the first")


# -- loaders -------------------------------------------------------------------------------


def loaders() -> dict[str, DataLoader[Any]]:
    dataset, own = TensorDataset(X, Y), torch.Generator().manual_seed(7)
    batches: Any = torch.utils.data.BatchSampler(SubsetRandomSampler(range(50)), 4, False)
    return {
        "shuffled": DataLoader(dataset, 8, shuffle=True),
        "own generator": DataLoader(dataset, 8, shuffle=True, generator=own),
        "subset": DataLoader(dataset, 8, sampler=SubsetRandomSampler(range(50))),
        "weighted": DataLoader(
            dataset, 8, sampler=WeightedRandomSampler([1.0] * 100, 100, generator=own)
        ),
        "batches": DataLoader(dataset, batch_sampler=batches),
        "lists": DataLoader(dataset, batch_sampler=[[0, 1, 2], [3, 4], [0, 5]]),
        "no batches": DataLoader(dataset, batch_size=None),
    }


@pytest.mark.parametrize("name", loaders())
def test_a_loader_gives_what_it_draws_and_is_not_changed(name: str) -> None:
    read = loaders()[name]
    torch.manual_seed(3)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index, union-attr]
    samples = read_data(read)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert np.random.get_state()[1].tolist() == before[2]  # type: ignore[index, union-attr]
    got = firsts(samples)
    assert len(set(got)) == len(got)
    assert firsts(read_data(read)) == got
    expected = {"subset": 50, "batches": 50, "lists": 6}.get(name, 100)
    assert got == list(range(expected)) or name == "weighted"
    assert said(samples, "each was taken once") == (name in ("weighted", "lists"))
    torch.manual_seed(3)
    after = [batch[0] for batch in read]
    torch.manual_seed(3)
    fresh = [batch[0] for batch in loaders()[name]]
    assert all(torch.equal(one, two) for one, two in zip(after, fresh, strict=True))


def test_a_loaders_own_collate_is_used() -> None:
    def collate(rows: list[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
        return {
            "x": torch.stack([-x for x, _ in rows]),
            "labels": torch.stack([y for _, y in rows]),
        }

    samples = read_data(DataLoader(TensorDataset(X, Y), 8, collate_fn=collate))
    assert isinstance(samples.validation.inputs, Tensor)
    assert bool((samples.validation.inputs <= 0).all())
    assert samples.classes == ("0", "1", "2", "3")


# -- samples of many kinds -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "labelled"),
    [
        (lambda x, y: (x, y), True),
        (lambda x, y: [x.numpy(), y], True),
        (lambda x, y: (x, y, "name"), True),
        (lambda x, y: {"x": x, "label": y}, True),
        (lambda x, y: {"pixel_values": x.reshape(1, 2, 2), "labels": y}, True),
        (lambda x, y: x, False),
        (lambda x, y: (x,), False),
        (lambda x, y: {"x": x}, False),
    ],
)
@pytest.mark.parametrize("loaded", [False, True])
def test_samples_in_any_dress(item: Any, labelled: bool, loaded: bool) -> None:
    items = Items([item(x, int(y)) for x, y in zip(X, Y, strict=True)])
    spec = InputSpec("image", 1)
    samples = read_data(DataLoader(items, 8) if loaded else items, spec=spec)
    assert isinstance(samples.validation.inputs, Tensor)
    assert (samples.validation.targets is not None) == labelled
    if samples.validation.targets is not None:
        numbers = samples.validation.inputs.reshape(len(samples.validation), -1)[:, 0] / 4
        assert torch.equal(samples.validation.targets, numbers.long() // 25)


def test_pictures_are_prepared_as_the_network_wants() -> None:
    items = Items([(Image.new("RGB", (20 + i, 20)), i % 2) for i in range(10)])
    samples = read_data(items, spec=InputSpec("image", 3, (8, 8)))
    assert isinstance(samples.validation.inputs, Tensor)
    assert samples.validation.inputs.shape[1:] == (3, 8, 8)
    with pytest.raises(ValueError, match="pictures differ in size"):
        read_data(items)


def test_a_dataset_may_name_its_classes() -> None:
    items = Items([(x, int(y)) for x, y in zip(X, Y, strict=True)])
    items.classes = ["a", "b", "c", "d"]  # type: ignore[attr-defined]
    assert read_data(items).classes == ("a", "b", "c", "d")


@pytest.mark.parametrize("loaded", [False, True])
def test_tokens_of_unequal_length_are_padded(loaded: bool) -> None:
    rows = Items([{"input_ids": torch.arange(1, 3 + i % 3), "label": i % 2} for i in range(12)])
    # a batch of one: torch's own collate pads nothing
    samples = read_data(DataLoader(rows, 1) if loaded else rows)
    tensors = samples.validation.tensors()
    assert set(tensors) == {"input_ids", "attention_mask"}
    assert tensors["input_ids"].shape[1] == 4
    assert torch.equal(tensors["attention_mask"], (tensors["input_ids"] > 0).long())


def test_values_and_positions_may_be_targets() -> None:
    values = read_data(Items([(x, float(x[0]) + 0.5) for x in X]))
    assert values.validation.targets is not None
    assert values.validation.targets.dtype == torch.float32
    places = read_data(Items([(x, torch.zeros(4, dtype=torch.int64)) for x in X]))
    assert places.validation.targets is not None
    assert places.validation.targets.shape[1:] == (4,)


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([], "Items is empty"),
        ([(X[0], 0), (X[0][:2], 1)], r"differ in shape: \(4,\) at sample 0, \(2,\) at sample 1"),
        ([{"a": X[0]}, {"b": X[0]}], "do not all have the same names"),
        ([{"label": 1}] * 3, "holds no inputs, only 'label'"),
        ([()] * 3, r"a sample of the data set is empty; yield \(inputs, target\)"),
        ([("text", 0)] * 3, "samples of the data set must be numbers"),
        ([(X[0], 0)], "there is one sample"),
    ],
)
def test_samples_that_do_not_fit_are_named(items: list[Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_data(Items(items))
    if items:
        with pytest.raises(ValueError, match=words):
            read_data(Stream(items))


def test_an_empty_loader_or_stream_is_named() -> None:
    with pytest.raises(ValueError, match="the DataLoader is empty"):
        read_data(DataLoader(TensorDataset(X[:0]), 4))
    with pytest.raises(ValueError, match="the data set is empty: it yields no sample"):
        read_data(Stream([]))
