"""What is written down of a model and of what was measured?"""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pruneviz.measuring.counts import Counts
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.measuring.latency import Timing
from pruneviz.measuring.ledger import Cost, Footprint, RuntimeCost
from pruneviz.measuring.sizes import FileSize
from pruneviz.pruning.pruned import Pruned
from pruneviz.storage.spreadsheets import csv_text

_BOUND = 1_000_000  # answers of one plan


@dataclass(frozen=True)
class ModelVersion:
    """A model by name, with the fingerprints of its weights and of the data that measures it."""

    name: str
    weights: str
    data: str = ""


@dataclass(frozen=True)
class Measurement:
    """What was measured of a plan on the first n validation samples, and what it keeps.

    Numbers as in `Evaluation` and `Counts`. layers: layer -> (weights kept, of how many).
    answers: int32 [n], the class answered to each sample, -1 where an answer is no class.
    """

    n: int
    accuracy: float
    low: float
    high: float
    loss: float
    delta: float
    delta_low: float
    delta_high: float
    params: int
    params_kept: int
    params_shrunk: int
    macs: int | None
    macs_kept: int | None
    layers: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    per_class: Mapping[str, float] = field(default_factory=dict)
    answers: NDArray[np.int32] | None = None


NUMBERS = (
    *("n", "accuracy", "low", "high", "loss", "delta", "delta_low", "delta_high"),
    *("params", "params_kept", "params_shrunk", "macs", "macs_kept"),
)
FIELDS = (*NUMBERS, "layers", "per_class", "answers")


def measurement_of(result: Evaluation, counts: Counts, pruned: Pruned) -> Measurement:
    """The record of a plan: how well it answered, what is left of it."""
    report = pruned.report
    answers = result.predicted.cpu().numpy().astype(np.int32)
    return Measurement(
        n=result.n,
        accuracy=result.accuracy,
        low=result.low,
        high=result.high,
        loss=result.loss,
        delta=result.delta,
        delta_low=result.delta_low,
        delta_high=result.delta_high,
        params=counts.params,
        params_kept=counts.params_kept,
        params_shrunk=counts.params_shrunk,
        macs=counts.macs,
        macs_kept=counts.macs_kept,
        layers={
            str(name): (int(kept), int(total))
            for name, kept, total in zip(
                report["layer"], report["kept"], report["total"], strict=True
            )
        },
        per_class=dict(result.per_class),
        answers=answers if answers.ndim == 1 and len(answers) <= _BOUND else None,
    )


def row_of(record: Measurement) -> list[object]:
    """A record as FIELDS hold it."""
    texts = json.dumps(dict(record.layers)), json.dumps(dict(record.per_class))
    return [*(getattr(record, name) for name in NUMBERS), *texts, pack(record.answers)]


def record_from(row: Sequence[Any]) -> Measurement:
    """The record that `row_of` was given; what is damaged is left out."""
    numbers = zip(NUMBERS, row, strict=False)
    layers, per_class, answers = row[len(NUMBERS) :]
    try:
        layer_counts = {name: (int(k), int(of)) for name, (k, of) in json.loads(layers).items()}
        shares = {name: float(share) for name, share in json.loads(per_class).items()}
    except (ValueError, TypeError, AttributeError):
        layer_counts, shares = {}, {}
    return Measurement(
        **{name: _number(name, value) for name, value in numbers},
        layers=layer_counts,
        per_class=shares,
        answers=unpack(answers),
    )


def _number(name: str, value: Any) -> Any:
    unknown = None if name.startswith("macs") else float("nan")
    return unknown if value is None else value


def cost_text(cost: Cost) -> str:
    """A ledger as a text."""
    return json.dumps(cost.as_dict())


def cost_from(text: str) -> Cost | None:
    """The ledger that `cost_text` was given; None for what is damaged."""
    try:
        values = json.loads(text)
        networks = {name: _footprint(values[name]) for name in ("dense", "masked", "shrunk")}
        onnx = values["onnx"]
        if onnx is not None:
            there = onnx.get("dense")
            dense = None if there is None else Timing(**there)
            onnx = RuntimeCost(**onnx | {"latency": Timing(**onnx["latency"]), "dense": dense})
        files = {name: FileSize(**values[name]) for name in ("bitmask", "csr")}
        return Cost(**values | networks | files | {"onnx": onnx})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _footprint(values: Mapping[str, Any] | None) -> Footprint | None:
    return (
        None if values is None else Footprint(**{**values, "latency": Timing(**values["latency"])})
    )


def csv_of(visits: pd.DataFrame, path: Path | None = None) -> str:
    """A table of visits as CSV, also written to `path`; times in ISO 8601, UTC."""
    frame = visits.copy()
    for name in ("first", "last"):
        frame[name] = pd.to_datetime(frame[name], unit="s", utc=True).dt.strftime("%FT%TZ")
    whole = ["parent", *(n for n in NUMBERS if n == "n" or n.startswith(("params", "macs")))]
    frame[whole] = frame[whole].astype("Int64")
    return csv_text(frame, path)


def pack(answers: NDArray[np.int32] | None) -> bytes | None:
    """Answers as few bytes."""
    return None if answers is None else zlib.compress(answers.astype("<i4").tobytes(), 6)


def unpack(data: bytes | None) -> NDArray[np.int32] | None:
    """What `pack` was given; None for what is damaged."""
    if data is None:
        return None
    try:
        return np.frombuffer(zlib.decompress(data), "<i4").astype(np.int32)
    except (zlib.error, ValueError, TypeError):
        return None


def new_session() -> str:
    """A name for a session that no other has."""
    return uuid.uuid4().hex[:16]
