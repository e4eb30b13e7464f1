"""Is everything that a file asks for looked at before memory or time is spent on it?"""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from pruneviz import limits
from pruneviz.sources.data.reader import read_data
from pruneviz.sources.networks.weights import read_weights

MEGA = 2**20


def header(shape: tuple[int, ...], kind: str = "<f4") -> bytes:
    held = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        held, {"descr": kind, "fortran_order": False, "shape": shape}
    )
    return held.getvalue()


def archive(path: Path, **arrays: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in arrays.items():
            file.writestr(f"{name}.npy", data)
    return path


def saved(path: Path, **arrays: np.ndarray) -> Path:
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    return path


def test_each_bound_has_a_reason_and_a_variable_that_changes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, known in limits.LIMITS.items():
        assert known.reason
        assert limits.limit(name) == known.usual
        monkeypatch.setenv(known.variable, "7_000")
        assert limits.limit(name) == 7_000
    assert all(row["changed"] for row in limits.table())


@pytest.mark.parametrize("text", ["0", "-1", "1e9", "much", "9" * 30, "٣"])
def test_a_variable_that_is_no_number_is_named(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNEVIZ_CLASSES", text)
    with pytest.raises(ValueError, match="PRUNEVIZ_CLASSES must be a whole number above 0"):
        limits.limit("classes")


def test_within_a_narrower_place_no_bound_is_higher_than_there() -> None:
    usual = limits.limit("parameters")
    with limits.tighter(parameters=100):
        with limits.tighter(parameters=1_000):
            assert limits.limit("parameters") == 100
        assert limits.limit("parameters") == 100
    assert limits.limit("parameters") == usual


@pytest.mark.parametrize("label", [2**40, 20_240_001, 100_000, 2**62])
def test_labels_are_looked_at_before_classes_are_named(label: int, tmp_path: Path) -> None:
    y = np.array([0, 1, 2, label])
    path = saved(tmp_path / "data.npz", x=np.ones((4, 3), np.float32), y=y)
    tracemalloc.start()
    with pytest.raises(ValueError, match=rf"the largest, {label}, stands for .* classes"):
        read_data(path)
    assert tracemalloc.get_traced_memory()[1] < 20 * MEGA
    tracemalloc.stop()


def test_labels_up_to_the_bound_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    y = np.array([0, 1, 2, 99])
    path = saved(tmp_path / "data.npz", x=np.ones((4, 3), np.float32), y=y)
    monkeypatch.setenv("PRUNEVIZ_CLASSES", "100")
    assert len(read_data(path).classes) == 100
    monkeypatch.setenv("PRUNEVIZ_CLASSES", "99")
    with pytest.raises(ValueError, match=r"100 classes.*PRUNEVIZ_CLASSES"):
        read_data(path)


def test_targets_at_each_position_have_a_bound_of_their_own(tmp_path: Path) -> None:
    x = np.ones((4, 3), np.float32)
    fits = saved(tmp_path / "a.npz", x=x, y=np.full((4, 3), 200_000))
    assert len(read_data(fits).validation)
    with pytest.raises(ValueError, match="tokens"):
        read_data(saved(tmp_path / "b.npz", x=x, y=np.full((4, 3), 2**40)))


def test_what_unfolds_to_more_than_is_taken_is_not_unfolded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "data.npz", x=np.zeros((60, MEGA), np.uint8))
    assert path.stat().st_size < MEGA
    monkeypatch.setenv("PRUNEVIZ_DATA_BYTES", str(50 * MEGA))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"data.npz unfolds to .* PRUNEVIZ_DATA_BYTES"):
        read_data(path)
    assert tracemalloc.get_traced_memory()[1] < 10 * MEGA
    tracemalloc.stop()


def test_pixels_are_counted_as_the_floats_that_they_become(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "data.npz", x=np.zeros((10, 30, 30), np.uint8))
    monkeypatch.setenv("PRUNEVIZ_DATA_BYTES", str(4 * 9_000))
    assert len(read_data(tmp_path / "data.npz").validation) > 0
    monkeypatch.setenv("PRUNEVIZ_DATA_BYTES", str(4 * 9_000 - 1))
    with pytest.raises(ValueError, match=r"36,000 bytes, more than the 35,999"):
        read_data(tmp_path / "data.npz")


@pytest.mark.parametrize(
    "start",
    [
        header((2**40,)),
        header((2**21, 2**21, 2**21)),
        header((-5, 3)),
        header((10,), "|V99999999"),
        header((3,)).replace(b"(3,)", b"(((("),
        b"\x93NUMPY\x01\x00\x76\x00" + b"(" * 118,
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b" " * 100,
        b"\x93NUMPY\x09\x00" + b"\x00" * 100,
        header((3,)).replace(b"'<f4'", b"'?!!'"),
        b"\x93NUMPY\x01\x00\x14\x00" + b"{'descr': \xff\xfe\x00\n    ",
        b"\x93NUM",
        b"",
    ],
)
@pytest.mark.parametrize("kind", ["npz", "npy"])
def test_a_header_that_lies_becomes_a_sentence(start: bytes, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"data.{kind}"
    if kind == "npz":
        archive(path, x=start + b"\0" * 12, y=header((4,)))
    else:
        path.write_bytes(start)
    tracemalloc.start()
    with pytest.raises(ValueError, match=rf"data.{kind}") as refusal:
        read_data(path)
    assert str(tmp_path) not in str(refusal.value)
    assert tracemalloc.get_traced_memory()[1] < 10 * MEGA
    tracemalloc.stop()


def test_many_arrays_are_counted_first(tmp_path: Path) -> None:
    path = archive(tmp_path / "data.npz", **{f"a{i}": header((0,)) for i in range(1_001)})
    with pytest.raises(ValueError, match=r"data.npz holds 1,001 arrays"):
        read_data(path)


def listing(keys: int) -> bytes:
    entry = json.dumps({"dtype": "F32", "shape": [0], "data_offsets": [0, 0]})
    start = ("{" + ", ".join(f'"k{i}": {entry}' for i in range(keys)) + "}").encode()
    return struct.pack("<Q", len(start)) + start


@pytest.mark.parametrize(("keys", "as_path"), [(50_001, False), (50_001, True), (300_000, True)])
def test_tensors_are_counted_in_the_header(keys: int, as_path: bool, tmp_path: Path) -> None:
    data = listing(keys)
    given: Path | bytes = data
    if as_path:
        given = tmp_path / "net.safetensors"
        given.write_bytes(data)
    with pytest.raises(ValueError, match=r"net.safetensors lists .*more than the"):
        read_weights(given, "net.safetensors")


def test_tensors_of_a_pickle_are_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    held = io.BytesIO()
    torch.save({f"k{i}": torch.zeros(1) for i in range(30)}, held)
    one = torch.zeros(1)
    shared = io.BytesIO()
    torch.save({f"k{i}": one for i in range(30)}, shared)
    assert len(read_weights(held.getvalue(), "net.pt").tensors) == 30
    monkeypatch.setenv("PRUNEVIZ_TENSORS", "29")
    for data in (held.getvalue(), shared.getvalue(), save({f"k{i}": one + i for i in range(30)})):
        with pytest.raises(ValueError, match=r"PRUNEVIZ_TENSORS"):
            read_weights(data, "net.pt")


# -- tables, pictures, downloads, recipes --------------------------------------------------------


def test_rows_of_a_table_are_counted_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    table = pa.table({"a": np.zeros(5_000), "label": np.zeros(5_000, np.int64)})
    pq.write_table(table, tmp_path / "t.parquet")
    with pa.ipc.new_file(tmp_path / "t.arrow", table.schema) as writer:
        writer.write_table(table)
    table.to_pandas().to_csv(tmp_path / "t.csv", index=False)
    for kind in ("parquet", "arrow", "csv"):
        monkeypatch.delenv("PRUNEVIZ_ROWS", raising=False)
        assert len(read_data(tmp_path / f"t.{kind}").validation)
        monkeypatch.setenv("PRUNEVIZ_ROWS", "4999")
        with pytest.raises(ValueError, match=rf"t.{kind} holds .* rows.*PRUNEVIZ_ROWS"):
            read_data(tmp_path / f"t.{kind}")


def test_a_value_that_repeats_is_counted_as_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    one = pa.DictionaryArray.from_arrays(np.zeros(50_000, np.int32), ["x" * 10_000])
    pq.write_table(pa.table({"text": one}), tmp_path / "t.parquet", store_schema=False)
    assert (tmp_path / "t.parquet").stat().st_size < MEGA
    monkeypatch.setenv("PRUNEVIZ_DATA_BYTES", str(100 * MEGA))
    before = pa.total_allocated_bytes()
    with pytest.raises(ValueError, match=r"t.parquet unfolds to"):
        read_data(tmp_path / "t.parquet")
    assert pa.total_allocated_bytes() - before < 100 * MEGA


def test_pixels_are_counted_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.new("L", (300, 200)).save(tmp_path / name / "0.png")
        Image.new("L", (300, 200)).save(tmp_path / name / "1.png")
    assert len(read_data(tmp_path).validation)
    monkeypatch.setenv("PRUNEVIZ_PIXELS", "59999")
    with pytest.raises(ValueError, match=r"0.png has 60,000 pixels.*PRUNEVIZ_PIXELS"):
        read_data(tmp_path)
