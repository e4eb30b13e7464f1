"""Which columns of a table are inputs, and which is the target?"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pruneviz import limits
from pruneviz.sources.data.samples import DataRequest, RawData
from pruneviz.sources.data.tensors import TARGETS, encode, pair

SUFFIXES = (".csv", ".tsv")
_INDEX = re.compile(r"|Unnamed: \d+|__index_level_\d+__")  # as pandas names an index it wrote
_AS_NUMBERS = 4  # bytes of memory for one of the text: "1," becomes a float64
_SHOWN = 12  # names of columns in a sentence


def read_csv(path: Path, request: DataRequest) -> RawData:
    """The columns of a file of text, numbers as inputs; ValueError names what is wrong with it."""
    size = path.stat().st_size
    limits.check("data_bytes", _AS_NUMBERS * size, f"{path.name} takes up to")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
        separator = max(",;\t|", key=first.count)
        limits.check("columns", 1 + first.count(separator), f"{path.name} has")
        most = limits.limit("rows")
        frame = pd.read_csv(
            path, sep=separator, encoding="utf-8-sig", low_memory=False, nrows=most + 1
        )
    except UnicodeDecodeError:
        raise ValueError(
            f"{path.name} is no text in UTF-8: save it anew in that encoding"
        ) from None
    except (pd.errors.EmptyDataError, pd.errors.ParserError, csv.Error) as error:
        raise ValueError(f"{path.name} cannot be read as a table: {str(error).strip()}") from None
    limits.check("rows", len(frame), f"{path.name} holds at least")
    if len(frame.columns) and all(_is_number(str(name)) for name in frame.columns):
        raise ValueError(
            f"the first line of {path.name} holds numbers, no names of columns; "
            "add a line with the names"
        )
    return read_columns(frame, request, path.name)


def read_columns(frame: pd.DataFrame, request: DataRequest, where: str = "the table") -> RawData:
    """Numbers as inputs [rows, columns] and the column that is named as the target, or known to be.

    Left out and listed: texts, dates and an index that pandas wrote. ValueError naming the column
    and the row (counted from 1, without the line of names): a gap, a text among numbers.
    """
    limits.check("columns", len(frame.columns), f"{where} has")
    frame = frame.rename(columns=str)
    names = list(frame.columns)
    target = target_among(names, request.target, where)
    index = [name for name in names if name != target and _INDEX.fullmatch(name)]
    columns = {name: _numbers(frame[name], name) for name in names if name not in (target, *index)}
    inputs = {name: column for name, column in columns.items() if column is not None}
    if not inputs:
        raise ValueError(f"{where} holds no numbers as inputs, only {shorten(names)}")
    for name in inputs:
        _whole(inputs[name], name)
    targets, classes = (None, ()) if target is None else _targets(frame[target], target)
    rows = torch.stack([torch.from_numpy(_plain(each)) for each in inputs.values()], 1)
    pairs = pair(rows, targets, request.spec)
    notes = [f"inputs are the columns {shorten(list(inputs))}"]
    notes += [] if target is None else [f"the target is the column {target}"]
    if target is None:
        notes.append(
            f"no column of {where} is named {' or '.join(TARGETS)}, so there is no target: "
            "name the column that is, with target= (--target)"
        )
    texts = [name for name, column in columns.items() if column is None]
    notes += [f"left out, no numbers: {shorten(texts)}"] if texts else []
    notes += [f"left out, an index of rows: {shorten(index)}"] if index else []
    return RawData(pairs.data, None, classes, (*notes, *pairs.notes))


def target_among(names: Sequence[str], target: str | None, where: str) -> str | None:
    """The column of targets: the one that was named, or one of a usual name.

    ValueError listing the columns where there is none of that name.
    """
    if target is None:
        return next((name for name in TARGETS if name in names), None)
    if target not in names:
        raise ValueError(
            f"{where} has no column {target!r} to be the target; it has {shorten(names)}"
        )
    return target


def shorten(names: Sequence[str]) -> str:
    """Names with commas between, of many the first."""
    shown = ", ".join(name or "''" for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown}, … ({len(names)} in all)"


def _numbers(column: pd.Series, name: str) -> pd.Series | None:
    """The column as numbers; None where it holds something else."""
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
        return column
    if not pd.api.types.is_object_dtype(column) and not pd.api.types.is_string_dtype(column):
        return None
    there = column.dropna()
    numbers = pd.to_numeric(there, errors="coerce")
    wrong = numbers.isna().to_numpy()
    if not len(there) or wrong.mean() >= 0.5:
        return None
    if wrong.any():
        at = int(np.flatnonzero(column.isin(there[wrong]).to_numpy())[0])
        raise ValueError(
            f"column {name!r} holds {column.iloc[at]!r} in row {at + 1}, where the others are "
            "numbers; put a number there, or leave the row out"
        )
    return pd.to_numeric(column)


def _whole(column: pd.Series, name: str) -> None:
    """ValueError with the first row of a column that has a gap."""
    gaps = column.isna().to_numpy()
    if not gaps.any():
        return
    at, more = int(np.flatnonzero(gaps)[0]), int(gaps.sum()) - 1
    others = f" and {more:,} more" if more else ""
    raise ValueError(
        f"column {name!r} has a gap in row {at + 1}{others} (rows are counted from 1, below the "
        "names); fill it, or leave out the row or the column"
    )


def _targets(column: pd.Series, name: str) -> tuple[Tensor, tuple[str, ...]]:
    """Numbers as they are; texts and truth values as classes with their names."""
    _whole(column, name)
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        numbers, classes = encode([str(each) for each in column])
        assert numbers is not None
        return numbers, classes
    return torch.from_numpy(_plain(column)), ()


def _plain(column: pd.Series) -> np.ndarray:
    """Numbers of a width that torch stacks: int64 of integers, else float64."""
    whole = pd.api.types.is_integer_dtype(column) or pd.api.types.is_bool_dtype(column)
    return column.to_numpy(dtype=np.int64 if whole else np.float64, copy=True)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
