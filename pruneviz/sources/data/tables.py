"""What is in a Hugging Face dataset folder, or in a parquet or arrow file?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from pruneviz import limits
from pruneviz.sources.data.columns import read_columns, target_among
from pruneviz.sources.data.datasets import read_dataset
from pruneviz.sources.data.folders import TRAINING, VALIDATION, read_pictures
from pruneviz.sources.data.pictures import Picture
from pruneviz.sources.data.samples import DataRequest, RawData
from pruneviz.sources.data.selection import choose
from pruneviz.sources.data.tensors import TARGETS, encode
from pruneviz.sources.data.texts import join, one_each

_BATCH = 4_096  # rows read at once
SUFFIXES = (".arrow", ".parquet")
_IMAGES = ("image", "img", "pixel_values")
_TEXTS = ("text", "sentence", "content", "document", "review")


def is_table(path: Path) -> bool:
    """Whether a path is such a file or such a folder."""
    if path.is_file():
        return path.suffix.lower() in SUFFIXES
    marks = ("dataset_dict.json", "dataset_info.json", "state.json")
    if any((path / mark).is_file() for mark in marks):
        return True
    return any(_files(each) for each in (path, path / "data"))


def read_table(path: Path, request: DataRequest) -> RawData:
    """Pictures, tokens, texts or numbers with the labels beside them, side by side if given so.

    Only arrow and parquet files are opened, which hold no code; any other file in the folder is
    left alone. ValueError naming the file or the columns that cannot be used.
    """
    splits = _splits(path)
    train = next((splits[name] for name in TRAINING if name in splits), None)
    held_out = next((name for name in VALIDATION if name in splits), None)
    if train is not None and held_out is not None:
        first, second = _read(train, request), _read(splits[held_out], request)
        note = f"{path.name}: train calibrates, {held_out} validates"
        return RawData(
            second.data, first.data, second.classes or first.classes, (note, *first.notes)
        )
    files = train or splits.get(held_out or "") or next(iter(splits.values()))
    return _read(files, request)


def _splits(path: Path) -> dict[str, list[Path]]:
    """The files of each split by its name; one without a name where there are no splits."""
    if path.is_file():
        return {"": [path]}
    index = path / "dataset_dict.json"
    names = _json(index).get("splits") if index.is_file() else None
    if isinstance(names, list):
        return {str(name): _split_files(path / _inside(str(name))) for name in names}
    if (path / "state.json").is_file():
        return {"": _split_files(path)}
    splits: dict[str, list[Path]] = {}
    for file in _files(path) or _files(path / "data"):
        start = file.name.lower().split("-")[0].split(".")[0]
        is_usual = start in (*TRAINING, *VALIDATION)
        splits.setdefault(start if is_usual else "", []).append(file)
    if not splits:
        raise ValueError(f"{path} holds no arrow or parquet file; save the dataset there again")
    return splits


def _split_files(folder: Path) -> list[Path]:
    """The files of one saved split in their order."""
    state = folder / "state.json"
    entries = _json(state).get("_data_files") if state.is_file() else None
    if not isinstance(entries, list):
        return _files(folder)
    files = [folder / _inside(str(each["filename"])) for each in entries if "filename" in each]
    for file in files:
        if not file.is_file():
            raise ValueError(f"{file.name} is missing from {folder}: copy the whole folder")
    return files


def _inside(name: str) -> str:
    if Path(name).name != name or name in ("", ".", ".."):
        raise ValueError(f"the dataset names {name!r}, which lies outside its folder: refused")
    return name


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(each for each in folder.iterdir() if each.suffix.lower() in SUFFIXES)


def _json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError):
        raise ValueError(
            f"{path.name} in {path.parent} is no JSON: copy the folder again"
        ) from None
    return values if isinstance(values, dict) else {}


def _read(files: list[Path], request: DataRequest) -> RawData:
    table = _table(files)
    if table.num_rows == 0:
        raise ValueError(f"{files[0].parent} is empty: give at least two samples")
    names = list(table.column_names)
    label = target_among(names, request.target, files[0].name)
    features = _features(files[0], table)
    image = next((n for n in _IMAGES if n in names and _is(table, n, "struct", "binary")), None)
    class_names = _class_names(features.get(label or "", {}))
    if image is not None:
        which, cut = choose(table.num_rows, 1, request)
        table = table.take(which.numpy())
        targets, classes = _targets(table, label)
        pictures = [_picture(row, files[0].parent) for row in table[image].to_pylist()]
        data, notes = read_pictures(pictures, targets, request)
        return RawData(data, None, class_names or classes, (*cut, *notes))
    text = _text_among(table, label)
    if text is not None:
        which, cut = choose(table.num_rows, 0, request)
        table = table.take(which.numpy())
        targets, classes = _targets(table, label)
        texts = [each or "" for each in table[text].to_pylist()]
        raw = join(texts, request) if targets is None else one_each(texts, targets, request)
        return replace(raw, classes=class_names or classes, notes=(*cut, *raw.notes))
    return _numbers(table, label, class_names, request, files[0].name)


def _text_among(table: Any, label: str | None) -> str | None:
    """The column of texts, unless there are tokens or numbers to be read instead."""
    others = [name for name in table.column_names if name != label]
    texts = [name for name in others if _is(table, name, "string")]
    if "input_ids" in others:
        return None
    usual = next((name for name in _TEXTS if name in texts), None)
    return usual or (texts[0] if texts and len(texts) == len(others) else None)


def _numbers(
    table: Any, label: str | None, class_names: tuple[str, ...], request: DataRequest, name: str
) -> RawData:
    columns = [n for n in table.column_names if n != label and not _is(table, n, "string")]
    if not columns:
        raise ValueError(f"the dataset holds no inputs, only {', '.join(table.column_names)}")
    if not any(_is(table, name, "list", "struct", "fixed_size", "binary") for name in columns):
        raw = read_columns(table.to_pandas(), request, name)
        return replace(raw, classes=class_names or raw.classes)
    which, cut = choose(table.num_rows, 0, request)  # before rows become Python objects
    rows = table.select([*columns, *([label] if label else [])]).take(which.numpy()).to_pylist()
    if label is not None:  # by a name under which samples have their targets
        rows = [{(TARGETS[0] if n == label else n): v for n, v in row.items()} for row in rows]
    raw = read_dataset(rows, request)
    return RawData(raw.data, None, class_names or raw.classes, (*cut, *raw.notes))


def _targets(table: Any, label: str | None) -> tuple[Tensor | None, tuple[str, ...]]:
    if label is None:
        return None, ()
    if table[label].null_count:
        at = table[label].to_pylist().index(None)
        raise ValueError(f"column {label!r} has a gap in row {at + 1}; leave the row out")
    return encode(table[label].to_pylist())


def _table(files: list[Path]) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ValueError(
            "arrow and parquet files need pyarrow, which is not installed: pip install pyarrow"
        ) from None
    parts = []
    for file in files:
        try:
            parts.append(_parquet(file) if file.suffix.lower() == ".parquet" else _arrow(file))
            rows = sum(part.num_rows for part in parts)
            limits.check("rows", rows, f"{file.parent.name or file.name} holds at least")
        except limits.OverLimit:
            raise
        except (pyarrow.ArrowException, OSError, ValueError):
            raise ValueError(
                f"{file.name} is no arrow or parquet file, or is cut short: copy it again"
            ) from None
    return pyarrow.concat_tables(parts)


def _parquet(file: Path) -> Any:
    """A parquet file whole, unless it says, or turns out, to be larger than is taken."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(file, memory_map=True) as parquet:
        about = parquet.metadata
        limits.check("rows", about.num_rows, f"{file.name} holds")
        size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
        limits.check("data_bytes", size, f"{file.name} unfolds to")
        # A value that repeats is stored once: only what is read shows how much it is.
        return _together(parquet.iter_batches(_BATCH), parquet.schema_arrow, 0, file)


def _arrow(file: Path) -> Any:
    """An arrow file; uncompressed ones stay on the disk, however large they are."""
    import pyarrow

    source, size = pyarrow.memory_map(str(file)), file.stat().st_size
    try:
        stream = pyarrow.ipc.open_stream(source)
        return _together(iter(stream), stream.schema, size, file)
    except pyarrow.ArrowInvalid:
        source.seek(0)
        reader = pyarrow.ipc.open_file(source)
        batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
        return _together(batches, reader.schema, size, file)


def _together(batches: Iterator[Any], schema: Any, mapped: int, file: Path) -> Any:
    """A table of batches; mapped: bytes that may lie on the disk and take no memory."""
    import pyarrow

    parts, total, rows = [], 0, 0
    for batch in batches:
        total, rows = total + batch.nbytes, rows + batch.num_rows
        limits.check("rows", rows, f"{file.name} holds at least")
        limits.check("data_bytes", max(0, total - mapped), f"{file.name} unfolds to at least")
        parts.append(batch)
    return pyarrow.Table.from_batches(parts, schema)


def _features(file: Path, table: Any) -> Mapping[str, Any]:
    """What the dataset says of each column: in the table itself, else beside it."""
    metadata = (table.schema.metadata or {}).get(b"huggingface")
    beside = file.parent / "dataset_info.json"
    try:
        info = json.loads(metadata)["info"] if metadata else {}
    except (ValueError, KeyError, TypeError, RecursionError):
        info = {}
    if not info and beside.is_file():
        info = _json(beside)
    features = info.get("features") if isinstance(info, Mapping) else None
    return features if isinstance(features, Mapping) else {}


def _class_names(feature: Any) -> tuple[str, ...]:
    names = feature.get("names") if isinstance(feature, Mapping) else None
    return tuple(map(str, names)) if isinstance(names, list) else ()


def _is(table: Any, name: str, *kinds: str) -> bool:
    return any(kind in str(table.schema.field(name).type).split("<")[0] for kind in kinds)


def _picture(row: Any, folder: Path) -> Picture:
    if isinstance(row, bytes):
        return row
    if isinstance(row, Mapping) and isinstance(row.get("bytes"), bytes):
        return bytes(row["bytes"])
    path = row.get("path") if isinstance(row, Mapping) else None
    if not isinstance(path, str):
        raise ValueError("the dataset has a row without a picture; leave it out")
    return folder / _inside(path)
