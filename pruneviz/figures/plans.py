"""How do the plans of a session look as charts?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from pruneviz.figures.style import AXIS, BLUE, GREEN, GREY, ORANGE, foreign, layout
from pruneviz.scale import SHARE, Scale

_TICKS = 7  # at most, so that a low chart has more than two
_ROOM = 1.04  # of an axis, so that a point at its end is whole
_STANDS = "%{text}<br>%{x:,} parameters<br>%{y:.4g}<extra></extra>"
_HOVER = _STANDS.replace("<extra>", "<br>click to return<extra>")
_PROMISE = _STANDS.replace("<extra>", "<br>click to try and measure it<extra>")
# What a visit may be besides one of the session's own plans, and how it looks.
MARKS: Mapping[str, dict[str, object]] = {
    "new weights, not trained": {"size": 10, "color": GREY, "symbol": "square"},
    "cut, not trained": {"size": 11, "color": ORANGE, "symbol": "triangle-down"},
    "repaired, not trained": {"size": 11, "color": ORANGE, "symbol": "triangle-up"},
    "trained": {"size": 12, "color": GREEN, "symbol": "diamond"},
    "pruned elsewhere": {"size": 12, "color": BLUE, "symbol": "cross"},
}


def pareto(params: Sequence[float], value: Sequence[float], *, higher: bool = True) -> list[int]:
    """Positions of the points that no other beats in both: fewer parameters and a better value.

    higher: whether a greater value is better. Sorted by parameters; of equal points the first.
    """
    sign = 1.0 if higher else -1.0
    order = sorted(range(len(params)), key=lambda i: (params[i], -sign * value[i], i))
    front: list[int] = []
    for i in order:
        if not front or sign * value[i] > sign * value[front[-1]]:
            front.append(i)
    return front


def tradeoff(
    visits: pd.DataFrame,
    controls: pd.DataFrame,
    *,
    measure: str = "accuracy",
    labels: tuple[str, str] = ("accuracy", "loss, nats"),
    floor: float | None = None,
    best: int | None = None,
    here: int | None = None,
    scale: Scale = SHARE,
    total: int | None = None,
    chance: float | None = None,
    guesses: Sequence[tuple[float, float]] = (),
    predicted: pd.DataFrame | None = None,
) -> go.Figure:
    """Accuracy, or another score, or the loss against parameters kept, for each plan visited; what
    is cut grows to the right.

    visits: rows in the order of visiting, with label, params, accuracy, low, high, loss, n, kind
    ("visited", "dense" for the network as it was first opened, or of MARKS) and returns: whether a
    click leads there. controls: params, accuracy, low, high, loss of random pruning. labels: of the
    score and of the loss. floor: accuracy under which too much is lost; best: position of the
    smallest plan above it; here: the current plan. scale: the unit of the score. total: parameters
    of the dense network, where the axis begins; None: as the points need it. chance: the score of a
    guess, for an axis from it to all right. guesses: what somebody expected: (params, accuracy).
    predicted: params, accuracy, low, high of the best plans that nobody measured.
    Each point carries its position as customdata; those predicted come after all visits.
    """
    is_accuracy = measure == "accuracy"
    factor = scale.factor if is_accuracy else 1.0
    bars = partial(_bars, factor=factor) if is_accuracy else lambda _: None
    x, y = visits["params"].to_numpy(), visits[measure].to_numpy() * factor
    way = [i for i, kind in enumerate(visits["kind"]) if kind not in MARKS]
    front = pareto(list(visits["params"]), list(visits[measure]), higher=is_accuracy)
    random = _random(controls, controls[measure].to_numpy() * factor, bars(controls))
    before = [*_line(_path(x[way], y[way])), *([random] if len(controls) else [])]
    points = [
        _plans(name, x[places], y[places], visits.iloc[places], places)
        | {"marker": marker, "error_y": bars(visits.iloc[places])}
        for name, (places, marker) in _kinds(visits, best, here).items()
    ]
    title = scale.axis(labels[0]) if is_accuracy else f"loss: {labels[1]}"
    line = floor is not None and is_accuracy
    guess = [_guesses(guesses, factor)] if guesses and is_accuracy else []
    there = predicted if is_accuracy and predicted is not None else visits[:0]
    promise = [_promise(there, len(visits), scale)] if len(there) else []
    return go.Figure(
        [*before, *_line(_front(x[front], y[front])), *promise, *points, *guess],
        layout(
            legend=True,
            shapes=[_level(factor * floor)] if line and floor is not None else [],
            xaxis={"title": "parameters kept", "tickformat": "~s", **_across(total)},
            yaxis={"title": foreign(title), **_up(chance if is_accuracy else None, scale)},
        ),
    )


def _line(trace: dict[str, Any]) -> list[dict[str, Any]]:
    """A line where there is one to draw: of a single point the legend would name nothing."""
    return [trace] if len(trace["x"]) > 1 else []


def _path(x: object, y: object) -> dict[str, object]:
    line = {"color": GREY, "width": 1}
    return _scatter("order of visits", x, y, mode="lines", hoverinfo="skip", line=line)


def _front(x: object, y: object) -> dict[str, object]:
    line = {"color": GREEN, "width": 3, "shape": "hv"}
    return _scatter("Pareto front", x, y, mode="lines", hoverinfo="skip", line=line)


def _random(controls: pd.DataFrame, y: object, bars: object) -> dict[str, object]:
    return _scatter(
        "random control", controls["params"].to_numpy(), y, mode="markers", error_y=bars,
        marker={"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": GREY}},
        hovertemplate="random control<br>%{x:,} parameters<br>%{y:.4g}<extra></extra>",
    )  # fmt: skip


def _promise(predicted: pd.DataFrame, first: int, scale: Scale) -> dict[str, object]:
    y = scale.factor * predicted["accuracy"].to_numpy()
    ranges = [
        f"{scale.score_text(low)} … {scale.score_text(high)}"
        for low, high in zip(predicted["low"], predicted["high"], strict=True)
    ]
    return _scatter(
        "best predicted", predicted["params"].to_numpy(), y, mode="lines",
        line={"color": GREEN, "width": 2, "dash": "dash"},
        customdata=[*range(first, first + len(predicted))],
        text=[f"predicted, nine of ten within {words}" for words in ranges],
        hovertemplate=_PROMISE,
    )  # fmt: skip


def _guesses(guesses: Sequence[tuple[float, float]], factor: float) -> dict[str, object]:
    x, y = [params for params, _ in guesses], [factor * share for _, share in guesses]
    return _scatter(
        "your guess", x, y, mode="markers", hovertemplate="your guess: %{y:.4g}<extra></extra>",
        marker={"symbol": "star-diamond", "size": 13, "color": GREEN},
    )  # fmt: skip


def _plans(
    name: str, x: object, y: object, visits: pd.DataFrame, places: list[int]
) -> dict[str, object]:
    return _scatter(
        name, x, y, mode="markers", customdata=places, text=[*map(foreign, visits["label"])],
        hovertemplate=_HOVER if visits["returns"].all() else _STANDS,
    )  # fmt: skip


def _kinds(
    visits: pd.DataFrame, best: int | None, here: int | None
) -> dict[str, tuple[list[int], dict[str, object]]]:
    """Name -> positions of the points that look alike, and how; the last lie above the others."""
    places: dict[str, list[int]] = {kind: [] for kind in ("visited", *MARKS, "dense")}
    for i, kind in enumerate(visits["kind"]):
        if kind != "visited" or i != best:
            places[kind].append(i)
    smallest = [] if best is None or best in places["dense"] else [best]
    kinds: dict[str, tuple[list[int], dict[str, object]]] = {
        "visited": (places["visited"], {"size": 9, "color": BLUE}),
        **{kind: (places[kind], marker) for kind, marker in MARKS.items()},
        "dense": (places["dense"], {"size": 14, "color": BLUE, "symbol": "star"}),
        "fewest parameters": (smallest, {"size": 13, "color": ORANGE}),
        "this plan": (
            [] if here is None else [here],
            {"size": 18, "color": GREEN, "symbol": "circle-open", "line": {"width": 3}},
        ),
    }
    return {name: kind for name, kind in kinds.items() if kind[0]}


def _across(total: int | None) -> dict[str, object]:
    """The axis of parameters, from all of them on the left to none."""
    if total is None:
        return {"autorange": "reversed", "rangemode": "tozero"}
    return {"range": [_ROOM * total, (1 - _ROOM) * total]}


def _up(chance: float | None, scale: Scale) -> dict[str, object]:
    """The axis of a score, from chance to all right where there is such a thing."""
    if chance is None or not scale.share:
        return {}
    room = (_ROOM - 1) * (1 - chance)
    # Plans that know nothing lie around chance: with twice the room their marks are whole.
    ends = [scale.factor * (chance - 2 * room), scale.factor * (1 + room)]
    return {"range": ends, "nticks": _TICKS}


def per_class(
    dense: Mapping[str, float],
    pruned: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]] | None = None,
    word: str = "class",
) -> go.Figure:
    """Change of each class's accuracy in points, pruned minus dense.

    intervals: class -> low and high of its change, where they are known. word: what a class is.
    """
    names, intervals = list(dense), intervals or {}
    change = [100 * (pruned[name] - dense[name]) for name in names]
    least = min([c for c in change if c == c], default=0.0)
    most = max([c for c in change if c == c], default=0.0)
    bars = {
        "type": "bar",
        "x": [foreign(name) for name in names],
        "y": change,
        "marker": {"color": [ORANGE if c < 0 else BLUE for c in change]},
        "customdata": [[100 * dense[n], 100 * pruned[n]] for n in names],
        "hovertemplate": word + " %{x}: %{y:+.1f} points<br>dense %{customdata[0]:.1f} %, "
        "pruned %{customdata[1]:.1f} %<extra></extra>",
    }
    if intervals:
        ends = [intervals.get(name, (math.nan, math.nan)) for name in names]
        up = [100 * high - at for (_, high), at in zip(ends, change, strict=True)]
        down = [at - 100 * low for (low, _), at in zip(ends, change, strict=True)]
        bars["error_y"] = {
            "type": "data", "symmetric": False, "array": up, "arrayminus": down,
            "color": GREY, "thickness": 1.5, "width": 4,
        }  # fmt: skip
        least = min([100 * low for low, _ in ends if low == low], default=least)
        most = max([100 * high for _, high in ends if high == high], default=most)
    span = [min(-1.0, 1.1 * least), max(1.0, 1.1 * most)]
    return go.Figure(
        [bars],
        layout(
            xaxis={"title": word, "type": "category", **AXIS},
            yaxis={"title": "change, points", "range": span, **AXIS},
        ),
    )


def nonzeros(report: pd.DataFrame) -> go.Figure:
    """Weights kept and cut, by layer; report as `Pruned.report`."""
    layers, kept = [foreign(name) for name in report["layer"]], report["kept"].to_numpy()
    bars = {
        "kept": (kept, {"color": BLUE}),
        "cut": (report["total"].to_numpy() - kept, {"color": GREY, "pattern": {"shape": "/"}}),
    }
    return go.Figure(
        [
            {"type": "bar", "name": name, "x": layers, "y": weights, "marker": marker}
            for name, (weights, marker) in bars.items()
        ],
        layout(
            legend=True,
            barmode="stack",
            xaxis={"type": "category"},
            yaxis={"title": "weights", "tickformat": "~s"},
        ),
    )


def _scatter(name: str, x: object, y: object, **more: object) -> dict[str, object]:
    return {"type": "scatter", "name": name, "x": x, "y": y, **more}


def _level(value: float) -> dict[str, object]:
    """A dotted line across the chart."""
    return {
        "type": "line",
        "name": "loss allowed",
        "showlegend": True,
        "x0": 0,
        "x1": 1,
        "xref": "x domain",
        "y0": value,
        "y1": value,
        "yref": "y",
        "line": {"color": ORANGE, "dash": "dot", "width": 1.5},
    }


def _bars(rows: pd.DataFrame, factor: float) -> dict[str, object]:
    return {
        "type": "data",
        "array": (factor * (rows["high"] - rows["accuracy"])).to_numpy(),
        "arrayminus": (factor * (rows["accuracy"] - rows["low"])).to_numpy(),
        "thickness": 1,
        "width": 2,
        "color": GREY,
    }
