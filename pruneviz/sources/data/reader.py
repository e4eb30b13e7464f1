"""How does whatever data a user has become samples that calibrate and samples that validate?"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from pruneviz.data import Data, Inputs
from pruneviz.network.forward_pass import words_of
from pruneviz.sources.data.archives import read_archive
from pruneviz.sources.data.arrays import read_npy, read_npz
from pruneviz.sources.data.columns import SUFFIXES, read_columns, read_csv
from pruneviz.sources.data.conversion import fit
from pruneviz.sources.data.datasets import read_dataset, read_loader
from pruneviz.sources.data.folders import TRAINING, VALIDATION, is_picture, read_folder
from pruneviz.sources.data.samples import DataRequest, RawData, Samples
from pruneviz.sources.data.several import check_enough
from pruneviz.sources.data.split import split, twins
from pruneviz.sources.data.tables import is_table, read_table
from pruneviz.sources.data.tensors import pair
from pruneviz.sources.data.texts import next_tokens, read_texts
from pruneviz.sources.open_request import lies_there
from pruneviz.sources.spec import InputSpec

_SHOWN = 200  # characters of a path
_UNEVEN = 10  # times as many samples in the largest class as in the smallest
KINDS = (
    "(inputs, targets), a tensor, tensors by name, a Dataset or DataLoader, an .npz, .csv or "
    ".parquet file, a folder or .zip of pictures by class, a Hugging Face dataset folder, or "
    "'package.module:function'"
)


def read_data(
    given: object,
    *,
    spec: InputSpec | None = None,
    share: float = 0.3,
    seed: int = 0,
    size: int | tuple[int, int] | None = None,
    mean: float | tuple[float, ...] | None = None,
    std: float | tuple[float, ...] | None = None,
    limit: int = 10_000,
    language: bool = False,
    tokenizer: Path | None = None,
    ignore: int | None = None,
    target: str | None = None,
    accepts: Callable[[Inputs], bool] | None = None,
) -> Samples:
    """Samples of any of KINDS, fit for a network, split by a seed, with sentences on all of it.

    spec: what the network's source states of its inputs; size (pixels; height and width), mean
    and std (a number for each channel, of pixels in 0..1) go before it. share: how much
    calibrates, unless the two sides are given apart ({"calibration": ..., "validation": ...}).
    limit: the most samples taken from what is not in memory yet, on each side. language: targets
    are the next tokens. tokenizer: the folder of one, for texts. ignore: the target of positions
    that do not count. target: the column of a table that holds the targets. accepts: whether the
    network takes inputs of these types, which are then left as they are given. Never writes to
    what is given.
    ValueError, one sentence: what is empty, broken, unknown or does not fit.
    """
    if limit < 2:
        raise ValueError(f"limit must be at least 2 samples, got {limit}")
    request = DataRequest(
        spec or InputSpec("unknown"),
        size_of(size),
        numbers_of(mean),
        numbers_of(std),
        seed,
        limit,
        language=language,
        tokenizer=tokenizer,
        ignore=ignore,
        target=target,
        accepts=accepts,
    )
    return samples_of(given, request, share)


def samples_of(given: object, request: DataRequest, share: float) -> Samples:
    """`read_data` with all that may be said in one value."""
    raw = find(given, request)
    check_enough(request.spec, raw.data)
    notes = list(raw.notes)
    data = fit_request(raw.data, request, notes)
    if raw.calibration is None:
        calibration, validation, note = split(data, share, request.seed)
        notes.insert(0, note)
    else:
        sentences: list[str] = []
        calibration, validation = fit_request(raw.calibration, request, sentences), data
        notes = [_split_note(calibration, validation), *dict.fromkeys([*notes, *sentences])]
    same = twins(calibration, validation)
    if same:
        notes.append(f"{same:,} validation samples are identical to calibration samples")
    classes = _classes(raw.classes, request.spec.classes, calibration, validation)
    notes += _uneven(classes, calibration, validation)
    return Samples(calibration, validation, classes, tuple(notes))


def _split_note(calibration: Data, validation: Data) -> str:
    """The sentence on two sides that were given apart; ValueError where one is empty."""
    for side, name in ((calibration, "calibration"), (validation, "validation")):
        if len(side) == 0:
            raise ValueError(f"{name} data is empty: give at least one sample")
    return f"{len(calibration):,} samples calibrate and {len(validation):,} validate, as given"


def find(given: object, request: DataRequest) -> RawData:
    """What lies in whatever was given, as it lies there; ValueError: none of KINDS."""
    if isinstance(given, Samples):
        return RawData(given.validation, given.calibration, given.classes, given.notes)
    if isinstance(given, Data):
        return pair(given.inputs, given.targets, request.spec)
    if isinstance(given, (Tensor, np.ndarray)):
        return pair(given, None, request.spec)
    if isinstance(given, pd.DataFrame):
        return read_columns(given, request)
    if isinstance(given, (str, Path)):
        return _at(str(given), request)
    if isinstance(given, Mapping):
        return _read_mapping(given, request)
    if isinstance(given, DataLoader):
        return _draw(given, read_loader, request)
    rows = isinstance(given, list) and bool(given) and all(map(_is_row, given[:2]))
    if isinstance(given, (tuple, list)) and len(given) == 2 and not rows:
        return pair(given[0], given[1], request.spec)
    if rows or (not isinstance(given, (tuple, list)) and _has_samples(given)):
        return _draw(given, read_dataset, request)
    raise ValueError(f"data must be {KINDS}; got {type(given).__name__}")


def _draw(given: Any, read: Callable[[Any, DataRequest], RawData], request: DataRequest) -> RawData:
    """What `read` draws from the user's own code, which may raise whatever it likes."""
    try:
        return read(given, request)
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(
            f"the {type(given).__name__} failed while its samples were read, with "
            f"{type(error).__name__}: {words_of(error)}"
        ) from error


def _at(text: str, request: DataRequest) -> RawData:
    """What lies at a path, or what the user's own code returns."""
    if not lies_there(text):
        if re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", text):
            from pruneviz.sources.networks.factories import build_by_name

            value = build_by_name(text)
            if isinstance(value, str):
                raise ValueError(f"{text} returned a text; return one of {KINDS}")
            return find(value, request)
        raise ValueError(f"there is no file or folder {text[:_SHOWN]}; data must be {KINDS}")
    path = Path(text).expanduser()
    if is_table(path):
        return read_table(path, request)
    if path.suffix.lower() in SUFFIXES:
        return read_csv(path, request)
    if path.is_dir():
        return _in_folder(path, request)
    readers = {".zip": read_archive, ".npz": read_npz, ".npy": read_npy, ".txt": read_texts}
    if path.suffix.lower() not in readers:
        raise ValueError(f"{path.name} is not read as data; data must be {KINDS}")
    return readers[path.suffix.lower()](path, request)


def _in_folder(path: Path, request: DataRequest) -> RawData:
    files = [each for each in path.rglob("*") if each.is_file()]
    if any(is_picture(each) for each in files):
        return read_folder(path, request)
    if any(each.suffix.lower() == ".txt" for each in files):
        return read_texts(path, request)
    what = ", ".join(sorted({each.suffix or each.name for each in files})[:5]) or "nothing"
    raise ValueError(f"{path} holds {what}: no pictures by class, no dataset and no texts")


def _read_mapping(given: Mapping[Any, Any], request: DataRequest) -> RawData:
    """Tensors by name; or the two sides by name, each of any kind."""
    train = next((given[name] for name in TRAINING if name in given), None)
    held_out = next((given[name] for name in VALIDATION if name in given), None)
    if train is None and held_out is None:
        return pair(given, None, request.spec)
    if train is None or held_out is None:
        return find(train if held_out is None else held_out, request)
    first, second = find(train, request), find(held_out, request)
    if first.calibration is not None or second.calibration is not None:
        raise ValueError(
            "calibration and validation are given apart, so neither may be split again"
        )
    if first.classes != second.classes and first.classes and second.classes:
        raise ValueError(
            f"calibration has the classes {', '.join(first.classes[:5])}, validation "
            f"{', '.join(second.classes[:5])}; give the same to both"
        )
    notes = (*second.notes, *(note for note in first.notes if note not in second.notes))
    return RawData(second.data, first.data, second.classes or first.classes, notes)


def fit_request(data: Data, request: DataRequest, notes: list[str]) -> Data:
    """What was found as the network takes it; what was done to it joins the notes."""
    data, sentences = fit(data, request)
    notes += [note for note in sentences if note not in notes]
    if request.language and len(data):
        data = next_tokens(data)
        note = "targets are the next tokens; padding and last places are left out"
        notes += [note] if note not in notes else []
    return data


def _classes(
    from_data: tuple[str, ...], from_source: tuple[str, ...], calibration: Data, validation: Data
) -> tuple[str, ...]:
    """Names for all classes there are; numbers where there are no names for all."""
    labels = [t for t in (calibration.targets, validation.targets) if t is not None and len(t)]
    if not labels or any(t.ndim != 1 or t.is_floating_point() for t in labels):
        return ()
    count = max(int(t.max()) for t in labels) + 1
    for names in (from_data, from_source):
        if len(names) >= count:
            return names
    return tuple(str(i) for i in range(count))


def _uneven(classes: tuple[str, ...], calibration: Data, validation: Data) -> list[str]:
    """Sentences on one class only, uneven classes, and classes that no sample stands for."""
    if not classes or calibration.targets is None or validation.targets is None:
        return []
    labels = torch.cat([calibration.targets, validation.targets])
    counts = torch.bincount(labels, minlength=len(classes))
    present = int((counts > 0).sum())
    if present == 1:
        only = classes[int(counts.argmax())]
        return [f"all samples are of one class ({only!r}): accuracy says little of the others"]
    notes = []
    if len(labels) < len(classes):
        notes.append(f"there are fewer samples ({len(labels):,}) than classes ({len(classes):,})")
    if present < len(classes):
        notes.append(f"{len(classes) - present:,} of {len(classes):,} classes have no sample")
    some = torch.where(counts > 0, counts, counts.max())
    few, many = int(some.argmin()), int(counts.argmax())
    if int(counts[many]) >= _UNEVEN * int(counts[few]):
        notes.append(
            f"classes are uneven: {int(counts[few]):,} of {classes[few]!r}, "
            f"{int(counts[many]):,} of {classes[many]!r}"
        )
    missing = int(
        ((counts > 0) & (torch.bincount(calibration.targets, minlength=len(counts)) == 0)).sum()
    )
    if missing:
        notes.append(f"{missing:,} classes have no sample that calibrates")
    return notes


def _is_row(value: object) -> bool:
    """Whether a value is one sample, (inputs, target) or a mapping, and not a list of numbers."""
    if isinstance(value, Mapping):
        return True
    return isinstance(value, tuple) and len(value) == 2 and not isinstance(value[0], (int, float))


def _has_samples(value: object) -> bool:
    return isinstance(value, Iterable) or (
        hasattr(value, "__getitem__") and hasattr(value, "__len__")
    )


def size_of(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    """Height and width in pixels; ValueError for what is none."""
    if size is None:
        return None
    both = (size, size) if isinstance(size, int) else tuple(size)
    if len(both) != 2 or any(not isinstance(each, int) or each < 1 for each in both):
        raise ValueError(f"size must be height and width in pixels, got {size!r}")
    return both[0], both[1]


def numbers_of(value: float | tuple[float, ...] | None) -> tuple[float, ...] | None:
    """A number for each channel; ValueError for what is no finite number."""
    if value is None:
        return None
    values = (float(value),) if isinstance(value, (int, float)) else tuple(map(float, value))
    if not all(map(math.isfinite, values)):
        raise ValueError(f"mean and std must be finite numbers, got {values}")
    return values
