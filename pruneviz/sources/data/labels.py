"""Which label does a file of labels give each picture?"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from pruneviz import limits

LABELS = ("labels.csv", "labels.tsv")
_BYTES = 64 * 2**20  # of such a file: a million lines


def labels_file(folder: Path) -> Path | None:
    """The file of labels in a folder of pictures, or None."""
    return next((p for p in sorted(folder.iterdir()) if p.name.lower() in LABELS), None)


def read_labels(path: Path, files: Sequence[Path]) -> list[str]:
    """The label of each of `files`, from lines of a picture's path (or name) and its label.

    A first line that names no picture is a heading. ValueError: a picture without a label, a line
    for a picture that is not there, two labels for one picture, a line without two columns.
    """
    by_name = _lines(path)
    names = [_names(file, path.parent) for file in files]
    missing = next((n[0] for n in names if not any(each in by_name for each in n)), None)
    if missing is not None:
        raise ValueError(f"{path.name} has no label for {missing}: give each picture a line")
    there = {each for both in names for each in both}
    gone = next((name for name in by_name if name not in there), None)
    if gone is not None:
        raise ValueError(f"{path.name} labels {gone[:100]!r}, and there is no such picture")
    return [next(by_name[each] for each in both if each in by_name) for both in names]


def _names(file: Path, folder: Path) -> tuple[str, str]:
    return file.relative_to(folder).as_posix(), file.name


def _lines(path: Path) -> dict[str, str]:
    if path.stat().st_size > _BYTES:
        raise ValueError(f"{path.name} is larger than a file of labels: {path.stat().st_size:,}")
    try:
        text = path.read_text("utf-8-sig")
        first = text.partition("\n")[0]
        mark = next((each for each in "\t;," if each in first), ",")
        rows = [row for row in csv.reader(text.splitlines(), delimiter=mark) if any(row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path.name} cannot be read as a table in UTF-8: {error}") from None
    limits.check("rows", len(rows), f"{path.name} has")
    found: dict[str, str] = {}
    for at, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if len(cells) != 2 or not all(cells):
            raise ValueError(f"line {at} of {path.name} has {len(cells)} cells: picture, label")
        name = PurePosixPath(cells[0].replace("\\", "/")).as_posix()
        if at == 1 and not PurePosixPath(name).suffix:
            continue
        if found.setdefault(name, cells[1]) != cells[1]:
            raise ValueError(f"{path.name} gives {name[:100]!r} two labels")
    return found
