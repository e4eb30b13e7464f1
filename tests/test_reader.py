"""Does whatever data a user has become samples, with every oddity said and every flaw named?"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from pruneviz.data import Data
from pruneviz.sources.data.reader import read_data
from pruneviz.sources.data.samples import Samples
from pruneviz.sources.spec import InputSpec

X, Y = torch.arange(80.0).reshape(40, 2), torch.arange(40) % 2


def rows(samples: Samples) -> Tensor:
    """All inputs of both sides in the order of their first number."""
    both = torch.cat(
        [
            next(iter(s.tensors().values())).reshape(len(s), -1)
            for s in (samples.calibration, samples.validation)
        ]
    )
    return both[both[:, 0].argsort()]


def said(samples: Samples, words: str) -> bool:
    return any(words in note for note in samples.notes)


class Streaming(torch.utils.data.IterableDataset[tuple[Tensor, Tensor]]):
    def __iter__(self):  # type: ignore[no-untyped-def]
        return zip(X, Y, strict=True)


@pytest.mark.parametrize(
    "given",
    [
        (X, Y),
        [X, Y],
        (X.numpy(), Y.numpy()),
        (X.tolist(), Y.tolist()),
        Data(X, Y),
        {"x": X, "y": Y},
        {"inputs": X.numpy(), "labels": Y},
        TensorDataset(X, Y),
        Streaming(),
        [(x, int(y)) for x, y in zip(X, Y, strict=True)],
        [{"x": x.tolist(), "label": int(y)} for x, y in zip(X, Y, strict=True)],
        torch.utils.data.DataLoader(TensorDataset(X, Y), batch_size=7, shuffle=True),
        torch.utils.data.DataLoader(Streaming(), batch_size=7),
    ],
    ids=["pair", "list pair", "numpy", "lists", "Data", "names", "other names", "Dataset", "stream",
         "rows", "named rows", "DataLoader", "streaming loader"],
)  # fmt: skip
def test_the_same_data_in_any_dress(given: object) -> None:
    samples = read_data(given)
    assert (len(samples.calibration), len(samples.validation)) == (12, 28)
    assert torch.equal(rows(samples), X)
    for side in (samples.calibration, samples.validation):
        assert isinstance(side.inputs, Tensor)
        assert side.targets is not None
        assert torch.equal(side.targets, (side.inputs[:, 0] / 2).long() % 2)
    assert samples.classes == ("0", "1")
    assert samples.notes[0] == (
        "a seeded 30 % of 40 samples calibrates (12), the other 28 validate (seed 0)"
    )


@pytest.mark.parametrize("given", [X, X.numpy(), (X, None), Data(X), {"x": X}])
def test_data_may_be_inputs_alone(given: object) -> None:
    samples = read_data(given)
    assert torch.equal(rows(samples), X)
    assert samples.validation.targets is None
    assert samples.classes == ()


def test_sides_may_be_given_apart() -> None:
    samples = read_data({"calibration": (X[:5], Y[:5]), "validation": TensorDataset(X[5:], Y[5:])})
    assert torch.equal(samples.calibration.inputs, X[:5])  # type: ignore[arg-type]
    assert torch.equal(samples.validation.inputs, X[5:])  # type: ignore[arg-type]
    assert samples.notes[0] == "5 samples calibrate and 35 validate, as given"
    doubled = read_data({"train": (X[:5], Y[:5]), "test": (X[3:9], Y[3:9])})
    assert said(doubled, "2 validation samples are identical to calibration samples")


def test_names_of_classes_may_stand_for_numbers() -> None:
    samples = read_data((X, ["dog" if y else "cat" for y in Y.tolist()]))
    assert samples.classes == ("cat", "dog")
    assert samples.validation.targets is not None
    assert samples.validation.targets.sum() == 14


def test_the_users_own_code_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import torch\ndef pair():\n    return torch.eye(6), torch.arange(6) % 2\n"
    (tmp_path / "users_own_data.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert len(read_data("users_own_data:pair").validation) == 4
    sys.modules.pop("users_own_data")


def test_tensors_by_name_stay_by_name_where_the_network_wants_them_so() -> None:
    ids = torch.randint(0, 9, (10, 4))
    given = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "token_type_ids": ids * 0,
        "labels": torch.arange(10) % 2,
    }
    spec = InputSpec("tokens", vocab=9, keys=("input_ids", "attention_mask"))
    samples = read_data(given, spec=spec)
    assert set(samples.validation.tensors()) == {"input_ids", "attention_mask"}
    assert samples.validation.targets is not None
    assert said(samples, "left out, the network does not take it: token_type_ids")
    assert set(read_data(given).validation.tensors()) == set(given) - {"labels"}


def test_a_language_model_answers_with_the_next_token() -> None:
    samples = read_data(torch.arange(20).reshape(4, 5), language=True)
    ids, targets = samples.validation.inputs, samples.validation.targets
    assert isinstance(ids, Tensor)
    assert targets is not None
    assert torch.equal(targets[:, :-1], ids[:, 1:])
    assert bool((targets[:, -1] == -100).all())
    assert samples.classes == ()


# -- what is said --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([3] * 40, "all samples are of one class ('3')"),
        ([0] * 38 + [1] * 2, "classes are uneven: 2 of '1', 38 of '0'"),
        ([0, 99] * 20, "98 of 100 classes have no sample"),
        ([0, 99] * 20, "there are fewer samples (40) than classes (100)"),
        ([0] * 39 + [1], "1 classes have no sample that calibrates"),
    ],
)
def test_odd_classes_are_said_not_crashed(labels: list[int], words: str) -> None:
    samples = read_data((X, torch.tensor(labels)))
    assert said(samples, words), samples.notes


def test_the_names_a_network_states_are_used() -> None:
    spec = InputSpec("unknown", classes=("cat", "dog", "emu"))
    assert read_data((X, Y), spec=spec).classes == ("cat", "dog", "emu")
    assert read_data((X, Y + 5), spec=spec).classes == tuple(map(str, range(7)))


def test_what_is_given_is_never_written_to() -> None:
    x, y = np.random.default_rng(0).random((40, 3, 4, 4)), np.arange(40) % 2
    before = x.copy(), y.copy()
    x.setflags(write=False)
    spec = InputSpec("image", 3, mean=(0.5,) * 3, std=(0.5,) * 3)
    read_data((x, y), spec=spec, mean=(0.1, 0.1, 0.1), size=8)
    assert (x == before[0]).all()
    assert (y == before[1]).all()


def test_one_more_sentence_goes_first() -> None:
    samples = read_data((X, Y))
    assert samples.with_note("made up").notes == ("made up", *samples.notes)


# -- what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (3, r"data must be \(inputs, targets\).*got int"),
        ((X,), r"data must be \(inputs, targets\).*got tuple"),
        ((X, Y, Y), r"data must be \(inputs, targets\).*got tuple"),
        ((X, Y[:-1]), "40 inputs but 39 targets"),
        ((X[:0], Y[:0]), "there is no sample; give at least two"),
        ((X[:1], Y[:1]), "there is one sample; give at least two"),
        ([], r"data must be \(inputs, targets\).*got list"),
        ({}, "data holds no inputs, only nothing"),
        ({"labels": Y}, "data holds no inputs, only labels"),
        (("a text", Y), "inputs must be numbers"),
        (([[1, 2], [3]], [0, 1]), "inputs differ in shape from sample to sample"),
        ((np.array([object()] * 2), [0, 1]), "inputs must be numbers, got object"),
        ((X.to(torch.complex64), Y), "inputs must be plain real numbers, got torch.complex64"),
        ((torch.eye(3).to_sparse(), Y[:3]), "inputs must be plain real numbers"),
        ({"a": X, "b": X[:3]}, "differ in length"),
        ({"train": (X, Y), "test": (X[:0], Y[:0])}, "validation data is empty"),
        ({"train": (X, ["a"] * 40), "test": (X, ["b"] * 40)}, "give the same to both"),
        ("no/such/file.npz", "there is no file or folder no/such/file.npz"),
        (TensorDataset(X[:0], Y[:0]), "TensorDataset is empty"),
    ],
)
def test_what_is_no_data_is_named(given: object, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refusal:
        read_data(given)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"share": 1.5}, "between 0 and 1, got 1.5"),
        ({"limit": 1}, "limit must be at least 2 samples, got 1"),
        ({"size": (8, 0)}, r"size must be height and width in pixels, got \(8, 0\)"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_data((X, Y), **options)  # type: ignore[arg-type]


def test_files_of_other_kinds_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_text("1,2", encoding="utf-8")
    with pytest.raises(ValueError, match=r"x.xlsx is not read as data; data must be"):
        read_data(tmp_path / "x.xlsx")
    with pytest.raises(ValueError, match=r"holds .xlsx: no pictures by class"):
        read_data(str(tmp_path))
