"""What is in a numpy file?"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from pruneviz import limits
from pruneviz.sources.data.samples import DataRequest, RawData
from pruneviz.sources.data.tensors import pair
from pruneviz.sources.spec import InputSpec

_INPUTS = ("x", "inputs", "images", "data", "features", "input_ids")
_TARGETS = ("y", "targets", "labels", "label", "target")
_TRAINING = ("train", "calibration", "calib")
_HEAD = 2**16  # bytes; numpy itself writes 128
_ARCHIVE = b"PK"  # how every zip begins
_FLOAT = 4
_SHOWN = 160  # characters of another's words
_VALIDATION = ("validation", "valid", "val", "test")


def read_npz(path: Path, request: DataRequest) -> RawData:
    """x and y of an `.npz`, or x alone; x_train and x_test (y_...) where sides are given apart.

    Nothing in the file is run: arrays of objects, which are pickles, are refused. ValueError
    naming the file: no arrays in it, objects in it, no x among the names.
    """
    arrays = _load(path)
    names_of = {name.lower(): name for name in arrays}
    train, held_out = (
        next(
            (
                (x, y)
                for side in sides
                if (x := _find(names_of, _INPUTS, side))
                for y in [_find(names_of, _TARGETS, side)]
            ),
            None,
        )
        for sides in (_TRAINING, _VALIDATION)
    )
    if train and held_out:
        first, second = (_pair(arrays, x, y, request.spec) for x, y in (train, held_out))
        note = f"{train[0]} of {path.name} calibrates, {held_out[0]} validates"
        return RawData(second.data, first.data, second.classes, (note, *first.notes))
    x, y = _find(names_of, _INPUTS), _find(names_of, _TARGETS)
    if x is None and (train or held_out):
        x, y = train or held_out or (None, None)
    if x is None and len(arrays) == 1 and y is None:
        x = next(iter(arrays))
    if x is None:
        names = ", ".join(map(repr, arrays)) or "nothing"
        raise ValueError(f"{path.name} holds {names}; name the inputs 'x' and the targets 'y'")
    if x.lower() == "input_ids":
        return pair(arrays, None, request.spec)
    left_out = [name for name in arrays if name not in (x, y)]
    notes = (f"left out of {path.name}: {', '.join(left_out)}",) if left_out else ()
    pairs = _pair(arrays, x, y, request.spec)
    return RawData(pairs.data, None, pairs.classes, notes)


class PythonObjectsError(ValueError):
    """An array of Python objects: only a pickle, which may run code, can hold it."""


def read_npy(path: Path, request: DataRequest) -> RawData:
    """The array of an `.npy` as inputs without targets."""
    try:
        with path.open("rb") as raw:
            _check_header(raw, path.stat().st_size, path.name)
            raw.seek(0)
            _refuse_objects(raw)
            array = np.load(raw, allow_pickle=False)
    except Exception as error:  # a damaged header makes numpy raise anything
        raise _refusal(path, error) from None
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{path.name} is no .npy file; give it the ending of what it is")
    return pair(array, None, request.spec)


def _load(path: Path) -> dict[str, np.ndarray]:
    try:
        _check_sizes(path)
        with path.open("rb") as raw:  # numpy itself leaves a broken file open
            _refuse_objects(raw)
            file = np.load(raw, allow_pickle=False)
            if not isinstance(file, Mapping):
                raise ValueError("it is one array; name it .npy")
            arrays = {name: file[name] for name in file}
    except Exception as error:  # a damaged file makes zipfile, zlib and numpy raise anything
        raise _refusal(path, error) from None
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise ValueError(f"{path.name} is refused: {name!r} in it is no array")
    return arrays


def _refuse_objects(raw: IO[bytes]) -> None:
    """What begins neither as an array nor as an archive of arrays, numpy takes for a pickle."""
    start = raw.read(len(npy.MAGIC_PREFIX))
    if start != npy.MAGIC_PREFIX and not start.startswith(_ARCHIVE):
        raise PythonObjectsError
    raw.seek(0)


def _check_sizes(path: Path) -> None:
    """ValueError for an archive that would unfold to more than is taken; nothing is unfolded.

    An entry never unfolds to more than the archive's directory says: zipfile stops there.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        limits.check("arrays", len(entries), f"{path.name} holds")
        total = sum(entry.file_size for entry in entries)
        limits.check("data_bytes", total, f"{path.name} unfolds to")
        for entry in entries:
            with archive.open(entry) as file:
                words = f"{entry.filename[:_SHOWN]!r} in {path.name}"
                _check_header(file, entry.file_size, words)


def _check_header(file: IO[bytes], size: int, what: str) -> None:
    """ValueError where a header states more numbers than there are bytes for, or more than fit."""
    head = io.BytesIO(file.read(_HEAD))  # a header may state a length of gigabytes
    if head.read(len(npy.MAGIC_PREFIX)) != npy.MAGIC_PREFIX:
        return  # whatever it is, numpy refuses it before it looks at sizes
    major = head.read(2)[:1]
    read = npy.read_array_header_1_0 if major == b"\x01" else npy.read_array_header_2_0
    shape, _, dtype = read(head)
    if dtype.hasobject:
        raise PythonObjectsError
    size_in_header = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or size_in_header > size:
        raise ValueError(
            f"the header of {what} states the shape {str(shape)[:80]} and holds fewer numbers"
        )
    in_memory = math.prod(shape) * max(dtype.itemsize, _FLOAT)  # bytes of pixels become floats
    limits.check("data_bytes", in_memory, f"{what} takes")


def _refusal(path: Path, error: Exception) -> ValueError:
    if isinstance(error, limits.OverLimit):
        return error
    if isinstance(error, PythonObjectsError):
        return ValueError(
            f"{path.name} is refused: it holds Python objects (a pickle), which could run code "
            "when opened; save plain arrays of numbers with numpy.savez"
        )
    reason = error.strerror if isinstance(error, OSError) else str(error)
    short = (reason or type(error).__name__).strip().splitlines()[0][:_SHOWN].rstrip(".")
    return ValueError(f"{path.name} cannot be read as a numpy file: {short}")


def _find(names_of: Mapping[str, str], names: tuple[str, ...], side: str = "") -> str | None:
    for name in names:
        for key in (f"{name}_{side}", f"{side}_{name}") if side else (name,):
            if key in names_of:
                return names_of[key]
    return None


def _pair(arrays: Mapping[str, np.ndarray], x: str, y: str | None, spec: InputSpec) -> RawData:
    return pair(arrays[x], None if y is None else arrays[y], spec)
