"""What is in a folder of pictures by class, or with labels beside them?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from pruneviz import limits
from pruneviz.data import Data
from pruneviz.sources.data.labels import labels_file, read_labels
from pruneviz.sources.data.pictures import SUFFIXES, Picture, bytes_each, prepare
from pruneviz.sources.data.samples import DataRequest, RawData
from pruneviz.sources.data.selection import choose

TRAINING = ("calibration", "calib", "train", "training")
VALIDATION = ("validation", "valid", "val", "test", "eval")


def is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def read_folder(folder: Path, request: DataRequest) -> RawData:
    """Pictures whose sub-folder is their class, or whose class stands in a file of `LABELS` beside
    them; or pictures alone, without targets.

    Where sub-folders are named train and val (or test), the one calibrates, the other validates.
    Classes are the sub-folders sorted as text, as torchvision's ImageFolder does, or the places
    of the same names among the classes that the network's own config states.
    """
    train, held_out = sides(folder)
    if train is not None and held_out is not None:
        calibration, validation = _read(train, request), _read(held_out, request)
        if calibration.classes != validation.classes:
            raise ValueError(
                f"{train.name} and {held_out.name} in {folder} hold different classes: "
                f"{_differences(calibration.classes, validation.classes)}; make their folders alike"
            )
        sentence = f"{folder.name}/{train.name} calibrates, {folder.name}/{held_out.name} validates"
        notes = [f"{train.name}: {note}" for note in calibration.notes]
        notes += [f"{held_out.name}: {note}" for note in validation.notes]
        return RawData(validation.data, calibration.data, validation.classes, (sentence, *notes))
    return _read(train or held_out or folder, request)


def sides(folder: Path) -> tuple[Path | None, Path | None]:
    """The sub-folders that calibrate and validate, when all that have pictures below are such."""
    below = {path.name.lower(): path for path in folder.iterdir() if path.is_dir()}
    if not below or not set(below) <= {*TRAINING, *VALIDATION}:
        return None, None
    if not any(path.is_dir() for each in below.values() for path in each.iterdir()):
        return None, None  # classes that happen to be called so
    train = next((below[name] for name in TRAINING if name in below), None)
    return train, next((below[name] for name in VALIDATION if name in below), None)


def read_pictures(
    pictures: Sequence[Picture], labels: Tensor | None, request: DataRequest
) -> tuple[Data, list[str]]:
    """As many of the pictures as asked for and as memory allows, with their labels."""
    which, cut = choose(len(pictures), bytes_each(pictures, request), request)
    tensor, notes = prepare([pictures[i] for i in which.tolist()], request)
    return Data(tensor, None if labels is None else labels[which]), [*cut, *notes]


def _read(folder: Path, request: DataRequest) -> RawData:
    labels = labels_file(folder)
    if labels is not None:
        files = _files(folder)
        each = read_labels(labels, files)
        by_class: dict[str, list[Path]] = {name: [] for name in _in_order({*each})}
        for file, name in zip(files, each, strict=True):
            by_class[name].append(file)
        return _by_class(by_class, request)
    below = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    found = {path.name: _files(path) for path in below}
    if any(found.values()):
        return _by_class(found, request)
    files = _files(folder)
    if not files:
        raise ValueError(f"{folder.name} holds no pictures ({', '.join(SUFFIXES)})")
    data, notes = read_pictures(files, None, request)
    return RawData(data, notes=("pictures lie in no folder of a class: no targets", *notes))


def _in_order(names: set[str]) -> list[str]:
    """Classes that a file of labels names: by number where all are numbers, else as text."""
    if all(name.isascii() and name.isdecimal() and len(name) < 10 for name in names):
        most = max(map(int, names))
        limits.check("classes", most + 1, "labels count up to")
        return [str(i) for i in range(most + 1)]
    return sorted(names)


def _by_class(by_class: dict[str, list[Path]], request: DataRequest) -> RawData:
    """Pictures with the number of their class; classes without pictures are said."""
    names, classes = tuple(by_class), request.spec.classes
    known = set(names) <= set(classes)
    numbers = {name: classes.index(name) if known else i for i, name in enumerate(names)}
    files = [file for name in names for file in by_class[name]]
    labels = torch.tensor([numbers[name] for name in names for _ in by_class[name]])
    data, notes = read_pictures(files, labels, request)
    empty = [name for name, paths in by_class.items() if not paths]
    if empty:
        notes.append(f"no pictures in {len(empty):,} classes, such as {empty[0]!r}")
    if classes and not known:
        other = next(name for name in names if name not in classes)
        notes.append(
            f"{other!r} is none of the {len(classes):,} classes that the network names: what is "
            "here is numbered from 0 in the order of text"
        )
    if sorted(names, key=lambda name: (len(name), name)) != list(names) and all(
        name.isdecimal() for name in names
    ):
        notes.append(f"classes are numbered in the order of text: {', '.join(names[:4])}, ...")
    return RawData(data, None, classes if known else names, tuple(notes))


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if is_picture(path) and path.is_file() and not path.name.startswith(".")
    )


def _differences(first: Sequence[str], second: Sequence[str]) -> str:
    return ", ".join(sorted({*first} ^ {*second})[:10])
