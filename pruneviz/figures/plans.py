"""How do the plans of a session look as charts?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd
import plotly.graph_objects as go

from pruneviz.figures.style import BLUE, GREEN, GREY, ORANGE, foreign, layout
from pruneviz.scale import SHARE, Scale


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
) -> go.Figure:
    """Accuracy, or another score, or the loss against parameters kept, for each plan visited.

    visits: rows in the order of visiting, with label, params, accuracy, low, high, loss, n,
    dense. controls: params, accuracy, low, high, loss of random pruning. labels: of the score and
    of the loss. floor: accuracy under which too much is lost; best: position of the smallest
    plan above it; here: the current plan. scale: the unit of the score. Each point carries its
    position as customdata.
    """
    is_accuracy = measure == "accuracy"
    factor = scale.factor if is_accuracy else 1.0
    bars = partial(_bars, factor=factor)
    x, y = visits["params"].to_numpy(), visits[measure].to_numpy() * factor
    front = pareto(list(visits["params"]), list(visits[measure]), higher=is_accuracy)
    path = _scatter(
        "path", x, y, mode="lines", line={"color": GREY, "width": 1}, opacity=0.6, hoverinfo="skip"
    )
    random = _scatter(
        "random", controls["params"].to_numpy(), controls[measure].to_numpy() * factor,
        mode="markers", error_y=bars(controls) if is_accuracy else None,
        marker={"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": GREY}},
        hovertemplate="random control<br>%{y:.4g}<extra></extra>",
    )  # fmt: skip
    unbeaten = _scatter(
        "Pareto front", x[front], y[front], mode="lines", hoverinfo="skip",
        line={"color": GREEN, "width": 3, "shape": "hv"},
    )  # fmt: skip
    points = _scatter(
        "visited", x, y, mode="markers", error_y=bars(visits) if is_accuracy else None,
        customdata=list(range(len(visits))), text=[foreign(label) for label in visits["label"]],
        marker=_markers(visits, best, here),
        hovertemplate="%{text}<br>%{x:,} parameters<br>%{y:.4g}<br>click to return<extra></extra>",
    )  # fmt: skip
    title = scale.axis(labels[0]) if is_accuracy else f"loss: {labels[1]}"
    return go.Figure(
        [path, *([random] if len(controls) else []), unbeaten, points],
        layout(
            legend=True,
            shapes=[_level(factor * floor)] if floor is not None and is_accuracy else [],
            xaxis={"title": "parameters kept", "rangemode": "tozero", "tickformat": "~s"},
            yaxis={"title": foreign(title)},
        ),
    )


def per_class(dense: Mapping[str, float], pruned: Mapping[str, float]) -> go.Figure:
    """Change of each class's accuracy in points, pruned minus dense."""
    names = list(dense)
    change = [100 * (pruned[name] - dense[name]) for name in names]
    least = min([c for c in change if c == c], default=0.0)
    most = max([c for c in change if c == c], default=0.0)
    bars = {
        "type": "bar",
        "x": [foreign(name) for name in names],
        "y": change,
        "marker": {"color": [ORANGE if c < 0 else BLUE for c in change]},
        "customdata": [[100 * dense[n], 100 * pruned[n]] for n in names],
        "hovertemplate": "class %{x}: %{y:+.1f} points<br>dense %{customdata[0]:.1f} %, "
        "pruned %{customdata[1]:.1f} %<extra></extra>",
    }
    ends = [min(-1.0, 1.1 * least), max(1.0, 1.1 * most)]
    return go.Figure(
        [bars],
        layout(
            xaxis={"title": "class", "type": "category"},
            yaxis={"title": "change, points", "range": ends},
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


def _markers(visits: pd.DataFrame, best: int | None, here: int | None) -> dict[str, object]:
    places = range(len(visits))
    return {
        "symbol": ["star" if d else "circle" for d in visits["dense"]],
        "size": [14 if d or i in (best, here) else 9 for i, d in enumerate(visits["dense"])],
        "color": [ORANGE if i == best else BLUE for i in places],
        "line": {"width": [3 if i == here else 0 for i in places], "color": GREEN},
    }
