"""Does no file of data run code when it is opened?"""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from pruneviz.sources.data.reader import read_data

pyarrow = pytest.importorskip("pyarrow")


class Evil:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return _write, (str(self.mark),)


def _write(mark: str) -> int:
    Path(mark).write_text("it ran", encoding="utf-8")
    return 0


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[Path]:
    """A file that must not be there at the end."""
    path = tmp_path / "mark"
    yield path
    assert not path.exists(), "code in a file of data ran"


def refused(path: Path, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refusal:
        read_data(path)
    assert "\n" not in str(refusal.value)


def test_the_trap_works(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Evil(tmp_path / "sprung")))
    assert (tmp_path / "sprung").exists()


@pytest.mark.parametrize("which", ["x", "y"])
def test_object_arrays_in_npz(tmp_path: Path, mark: Path, which: str) -> None:
    arrays = {"x": np.zeros((4, 2)), "y": np.zeros(4, dtype=np.int64)}
    arrays[which] = np.array([Evil(mark)] * 4, dtype=object)
    np.savez(tmp_path / "data.npz", **arrays)
    refused(tmp_path / "data.npz", "data.npz is refused: it holds Python objects")


def test_object_arrays_in_npz_beside_good_ones(tmp_path: Path, mark: Path) -> None:
    extra = np.array([Evil(mark)], dtype=object)
    np.savez(tmp_path / "data.npz", x=np.zeros((4, 2)), y=np.zeros(4, int), extra=extra)
    refused(tmp_path / "data.npz", "it holds Python objects")


def test_object_array_in_npy(tmp_path: Path, mark: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([Evil(mark)], dtype=object), allow_pickle=True)
    refused(tmp_path / "x.npy", "x.npy is refused: it holds Python objects")


@pytest.mark.parametrize("name", ["data.npz", "x.npy", "text.arrow", "text.parquet"])
def test_a_bare_pickle_disguised(tmp_path: Path, mark: Path, name: str) -> None:
    (tmp_path / name).write_bytes(pickle.dumps(Evil(mark)))
    refused(tmp_path / name, name)


def test_a_torch_file_disguised(tmp_path: Path, mark: Path) -> None:
    torch.save({"x": Evil(mark)}, tmp_path / "data.npz")
    refused(tmp_path / "data.npz", "data.npz")


def test_a_pickle_inside_npz_named_as_an_array(tmp_path: Path, mark: Path) -> None:
    for inner in ("x.npy", "x", "x.pkl"):
        with zipfile.ZipFile(tmp_path / "data.npz", "w") as file:
            file.writestr(inner, pickle.dumps(Evil(mark)))
        refused(tmp_path / "data.npz", "data.npz is refused")


def test_pictures_that_are_pickles(tmp_path: Path, mark: Path) -> None:
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "1.png").write_bytes(pickle.dumps(Evil(mark)))
    (tmp_path / "cats" / "2.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    refused(tmp_path, r"1.png cannot be read as a picture \(2 of 2")


def table(folder: Path) -> None:
    columns = pyarrow.table({"x": [[1.0, 2.0]] * 6, "label": [0, 1] * 3})
    with pyarrow.OSFile(str(folder / "data.arrow"), "wb") as sink, \
            pyarrow.ipc.new_stream(sink, columns.schema) as writer:  # fmt: skip
        writer.write_table(columns)


def test_pickles_in_a_dataset_folder_are_left_alone(tmp_path: Path, mark: Path) -> None:
    table(tmp_path)
    for name in ("dataset.pkl", "cache.pickle", "indices.bin", "dataset_infos.pt"):
        (tmp_path / name).write_bytes(pickle.dumps(Evil(mark)))
    script = f"open({str(mark)!r}, 'w').close()"
    (tmp_path / f"{tmp_path.name}.py").write_text(script, encoding="utf-8")
    state = {"_data_files": [{"filename": "data.arrow"}], "_fingerprint": "1"}
    (tmp_path / "state.json").write_text(json.dumps(state), encoding="utf-8")
    assert len(read_data(tmp_path).validation) == 4


@pytest.mark.parametrize("name", ["../data.arrow", "/etc/passwd", "..", "a/b.arrow"])
def test_a_dataset_folder_names_no_file_outside_it(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    table(tmp_path)
    state = json.dumps({"_data_files": [{"filename": name}]})
    (inner / "state.json").write_text(state, encoding="utf-8")
    refused(inner, "lies outside its folder: refused")
    (inner / "dataset_dict.json").write_text(json.dumps({"splits": [name]}), encoding="utf-8")
    refused(inner, "lies outside its folder: refused")


# Older pyarrow knows the type and says that it does not unpickle it.
@pytest.mark.filterwarnings("ignore:pickle-based deserialization:RuntimeWarning")
def test_an_extension_type_that_is_a_pickle(tmp_path: Path, mark: Path) -> None:
    """CVE-2023-47248: arrow once unpickled the parameters of such a type."""
    field = pyarrow.field("x", pyarrow.list_(pyarrow.float32()), metadata={
        "ARROW:extension:name": "arrow.py_extension_type",
        "ARROW:extension:metadata": pickle.dumps(Evil(mark)),
    })  # fmt: skip
    schema = pyarrow.schema([field])
    columns = pyarrow.table([pyarrow.array([[1.0, 2.0]] * 6, field.type)], schema=schema)
    with pyarrow.OSFile(str(tmp_path / "data.arrow"), "wb") as sink, \
            pyarrow.ipc.new_stream(sink, schema) as writer:  # fmt: skip
        writer.write_table(columns)
    if isinstance(
        pyarrow.ipc.open_stream(tmp_path / "data.arrow").schema[0].type, pyarrow.ListType
    ):
        assert len(read_data(tmp_path).validation) == 4
    else:  # of a type that is not unpickled
        refused(tmp_path, "holds no numbers as inputs")
