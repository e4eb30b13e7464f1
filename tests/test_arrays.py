"""Are x and y found in a numpy file, and is everything that could run code refused?"""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from pruneviz.sources.data.reader import read_data
from pruneviz.sources.spec import InputSpec

X, Y = np.arange(40, dtype=np.float32).reshape(20, 2), np.arange(20) % 2


def saved(folder: Path, **arrays: np.ndarray) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("names", [("x", "y"), ("X", "Y"), ("images", "labels"),
                                   ("data", "target"), ("inputs", "targets")])  # fmt: skip
def test_x_and_y_under_their_usual_names(tmp_path: Path, names: tuple[str, str]) -> None:
    samples = read_data(saved(tmp_path, **dict(zip(names, (X, Y), strict=True))))
    assert (len(samples.calibration), len(samples.validation)) == (6, 14)
    assert isinstance(samples.validation.inputs, torch.Tensor)
    assert samples.validation.targets is not None
    first = samples.validation.inputs[:, 0] / 2
    assert torch.equal(samples.validation.targets, first.long() % 2)


@pytest.mark.parametrize("names", [("x_train", "x_test"), ("train_images", "test_images"),
                                   ("x_calibration", "x_validation"),
                                   ("X_train", "X_val")])  # fmt: skip
def test_sides_given_apart_stay_apart(tmp_path: Path, names: tuple[str, str]) -> None:
    train, test = names
    labels = [name.replace("images", "labels").lower().replace("x", "y", 1) for name in names]
    arrays = {train: X[:5], labels[0]: Y[:5], test: X[5:], labels[1]: Y[5:]}
    samples = read_data(saved(tmp_path, **arrays))
    assert torch.equal(torch.as_tensor(samples.calibration.inputs), torch.tensor(X[:5]))
    assert torch.equal(torch.as_tensor(samples.validation.inputs), torch.tensor(X[5:]))
    assert samples.validation.targets is not None
    assert samples.validation.targets.tolist() == Y[5:].tolist()
    assert f"{train} of data.npz calibrates, {test} validates" in samples.notes


def test_x_alone_is_data_without_targets(tmp_path: Path) -> None:
    for name in ("x", "anything"):
        assert read_data(saved(tmp_path, **{name: X})).validation.targets is None
    np.save(tmp_path / "x.npy", X)
    assert len(read_data(tmp_path / "x.npy").validation) == 14


def test_tokens_by_name(tmp_path: Path) -> None:
    ids = np.ones((10, 4), dtype=np.int32)
    path = saved(tmp_path, input_ids=ids, attention_mask=ids, labels=np.arange(10) % 2)
    samples = read_data(path, spec=InputSpec("tokens", vocab=5))
    assert set(samples.validation.tensors()) == {"input_ids", "attention_mask"}
    assert samples.validation.targets is not None


def test_names_of_classes_and_odd_numbers_are_read(tmp_path: Path) -> None:
    path = saved(tmp_path, x=X.astype(">f8"), y=np.array(["cat", "dog"] * 10), more=X)
    samples = read_data(path)
    assert samples.classes == ("cat", "dog")
    assert "inputs were float64, now float32" in samples.notes
    assert "left out of data.npz: more" in samples.notes
    assert read_data(saved(tmp_path, x=X, y=Y.astype(np.uint16))).classes == ("0", "1")


def test_other_names_are_listed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"data.npz holds 'a', 'b'; name the inputs 'x'"):
        read_data(saved(tmp_path, a=X, b=Y))
    with pytest.raises(ValueError, match=r"data.npz holds nothing; name the inputs 'x'"):
        read_data(saved(tmp_path))
    with pytest.raises(ValueError, match=r"20 inputs but 19 targets"):
        read_data(saved(tmp_path, x=X, y=Y[:-1]))


def test_a_file_cut_short_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path, x=X, y=Y)
    whole = path.read_bytes()
    for length in (0, 10, 200, len(whole) - 30):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"^data.npz ") as refusal:
            read_data(path)
        assert "\n" not in str(refusal.value)


def test_a_file_whose_bytes_were_changed_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez_compressed(path, x=np.random.default_rng(0).random((100, 10)), y=np.zeros(100, int))
    whole = bytearray(path.read_bytes())
    whole[900:950] = bytes(50)
    path.write_bytes(whole)
    with pytest.raises(ValueError, match=r"data.npz cannot be read as a numpy file"):
        read_data(path)


def test_a_header_that_promises_too_much_is_named(tmp_path: Path) -> None:
    header = io.BytesIO()
    shape = {"descr": "<f4", "fortran_order": False, "shape": (2**44,)}
    np.lib.format.write_array_header_1_0(header, shape)
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as file:
        file.writestr("x.npy", header.getvalue())
    (tmp_path / "x.npy").write_bytes(header.getvalue())
    for name in ("data.npz", "x.npy"):
        with pytest.raises(ValueError, match=rf"{name} cannot be read as a numpy file"):
            read_data(tmp_path / name)


def test_a_pickle_is_no_array(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as file:
        file.writestr("x.npy", pickle.dumps([1, 2, 3]))
    with pytest.raises(ValueError, match=r"data.npz"):
        read_data(tmp_path / "data.npz")
