"""How does a browser see and move the plan?"""

import base64
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import streamlit as st

from pruneviz.allocation.methods import ALLOCATIONS
from pruneviz.sensitivity.curves import LOSE
from pruneviz.ui.board.modules import one_module

__all__ = [
    "ALL",
    "FOLDER",
    "KINDS",
    "MEASURES",
    "Pin",
    "Request",
    "board",
    "chart_program",
    "pack",
    "parse",
]

KINDS = (
    *("drag", "settle", "focus", "lock", "pin", "undo", "redo", "need", "cancel", "measure"),
    *("return", "sharpen", "match", "play", "look"),
)
MEASURES = ("accuracy", "loss", "layers")  # what the chart shows
STATE = "request"
ALL = "all"  # in a pin: every place of the layer

_BATCH = 32  # thumbnails that are asked for at once
_MOST = 1e9  # of a score that may be lost
_STROKE = 4096  # places that one stroke of a hand may touch
_PLACE = re.compile(r"[0-9]{1,9}|[0-9]{1,9}:[0-9]{1,9},[0-9]{1,9}:[0-9]{1,9}")

FOLDER = Path(__file__).parent
_STYLES = ("board", "curves", "thumbnails", "chart", "lesson")


@dataclass(frozen=True)
class Pin:
    """What one stroke of a hand did: places of a layer that are to be kept (True), cut (False)
    or given back to the criterion (None).
    """

    layer: str
    places: Mapping[str, bool | None]


@dataclass(frozen=True)
class Request:
    """What the browser asks for: a plan as it is on the screen, and what it already has.

    `sparsity` is in [0, 1] by layer name; `scene` and `picture` are the ids the browser
    holds ("" for none), so that neither is sent twice. `scale`: what the colours of the weights
    are to be compared over. pin: of the kind "pin" alone. allocation: by what the bulk slider
    shares out; `sensitivity`, `tables` and `chart` are the ids of the curves, levels and chart it
    holds. measure: of MEASURES. lose: how much of the score may be lost. point: of the kind
    "return" alone: the key of a point of the chart. thumbnails: layers in sight of which it has
    no picture yet.
    """

    seq: int
    kind: str
    sparsity: Mapping[str, float]
    locked: tuple[str, ...]
    focus: str
    scene: str
    picture: str
    scale: str = "layer"
    pin: Pin | None = None
    allocation: str = "uniform"
    sensitivity: str = ""
    tables: str = ""
    chart: str = ""
    measure: str = "accuracy"
    lose: float = LOSE
    point: str = ""
    thumbnails: tuple[str, ...] = ()


def pack(array: np.typing.ArrayLike) -> str:
    """Base64 of the numbers, little-endian: float32 for floats, int32 for integers and bools."""
    values = np.asarray(array)
    if values.dtype.kind == "f":
        return _base64(values.astype("<f4"))
    if values.dtype.kind not in "iub":
        raise TypeError(f"the board draws numbers, got an array of {values.dtype}")
    if values.size and (values.min() < -(2**31) or values.max() >= 2**31):
        raise ValueError("the board counts in 32 bits, got an integer beyond them")
    return _base64(values.astype("<i4"))


def _base64(values: np.typing.NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")


def parse(value: object) -> Request | None:
    """The request a browser sent, or None: it can send anything."""
    if not isinstance(value, Mapping):
        return None
    seq, kind, focus = value.get("seq"), value.get("kind"), value.get("focus")
    have = value.get("have")
    sparsity, locked = _shares(value.get("sparsity")), _names(value.get("locked"))
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 <= seq < 2**53:
        return None
    if not isinstance(kind, str) or kind not in KINDS or not isinstance(focus, str):
        return None
    if sparsity is None or locked is None or not isinstance(have, Mapping):
        return None
    scene, picture = have.get("scene"), have.get("picture")
    if not isinstance(scene, str) or not isinstance(picture, str):
        return None
    pin = _pin(value.get("pin")) if kind == "pin" else None
    choices = _choices(value, have)
    if choices is None or (kind == "pin" and pin is None):
        return None
    scale = "model" if value.get("scale") == "model" else "layer"
    return Request(seq, kind, sparsity, locked, focus, scene, picture, scale, pin, **choices)


class _Choices(TypedDict):
    allocation: str
    sensitivity: str
    tables: str
    chart: str
    measure: str
    lose: float
    point: str
    thumbnails: tuple[str, ...]


def _choices(value: Mapping[str, object], have: Mapping[str, object]) -> _Choices | None:
    """What a request may leave out."""
    allocation, measure = value.get("allocation", "uniform"), value.get("measure", "accuracy")
    curves, tables, chart = (have.get(name, "") for name in ("sensitivity", "allocation", "chart"))
    lose, point = _amount(value.get("lose", LOSE)), value.get("point", "")
    if not isinstance(allocation, str) or allocation not in ALLOCATIONS:
        return None
    if not isinstance(measure, str) or measure not in MEASURES or lose is None:
        return None
    if not isinstance(curves, str) or not isinstance(tables, str) or not isinstance(chart, str):
        return None
    small = _names(value.get("thumbnails", ()))
    if small is None or len(small) > _BATCH:
        return None
    if not isinstance(point, str) or (value.get("kind") == "return" and not point):
        return None
    return _Choices(
        allocation=allocation, sensitivity=curves, tables=tables, chart=chart, measure=measure,
        lose=lose, point=point, thumbnails=small,
    )  # fmt: skip


def _amount(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return float(min(max(value, 0), _MOST))


def _shares(value: object) -> dict[str, float] | None:
    if not isinstance(value, Mapping):
        return None
    shares: dict[str, float] = {}
    for name, share in value.items():
        if not isinstance(name, str) or isinstance(share, bool):
            return None
        if not isinstance(share, int | float):
            return None
        if isinstance(share, float) and not math.isfinite(share):
            return None
        shares[name] = float(min(max(share, 0), 1))
    return shares


def _pin(value: object) -> Pin | None:
    if not isinstance(value, Mapping):
        return None
    layer, places = value.get("layer"), value.get("places")
    if not isinstance(layer, str) or not isinstance(places, Mapping):
        return None
    if not 0 < len(places) <= _STROKE:
        return None
    for place, kept in places.items():
        if not isinstance(place, str) or not (kept is None or isinstance(kept, bool)):
            return None
        if not _PLACE.fullmatch(place) and (place != ALL or kept is not None):
            return None
    return Pin(layer, dict(places))


def _names(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list | tuple) or not all(isinstance(x, str) for x in value):
        return None
    return tuple(value)


_component = st.components.v2.component(
    "pruneviz.board",
    js=one_module(FOLDER, "board"),
    css="\n".join((FOLDER / f"{name}.css").read_text("utf-8") for name in _STYLES),
    isolate_styles=True,
)


def board(
    data: Mapping[str, object], *, key: str, on_request: Callable[[], None]
) -> Request | None:
    """Draw the board and return the last request of the browser, if it makes sense.

    `on_request` runs before the script when a new request has arrived; in it the request is
    `parse(st.session_state[key]["request"])`.
    """
    result = _component(data=dict(data), key=key, on_request_change=on_request)
    return parse(result.get(STATE))


_chart_program = st.components.v2.component(
    "pruneviz.chart_program", js=one_module(FOLDER, "deliver")
)


def chart_program(packed: bytes) -> None:
    """Give the board the program that draws its chart, packed by gzip.

    It has a component of its own: Streamlit sends the same again only where a browser has lost it.
    """
    _chart_program(data=packed, key="chart_program", height=1)
