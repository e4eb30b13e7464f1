"""How do the plans of a session look as charts?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd
import plotly.graph_objects as go

from pruneviz.figures.style import BLUE, GREEN, GREY, ORANGE, finish, foreign
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
    figure = go.Figure()
    is_accuracy = measure == "accuracy"
    factor = scale.factor if is_accuracy else 1.0
    bars = partial(_bars, factor=factor)
    y = visits[measure] * factor
    figure.add_scatter(
        x=visits["params"], y=y, mode="lines", line={"color": GREY, "width": 1}, opacity=0.6,
        name="path", hoverinfo="skip",
    )  # fmt: skip
    if len(controls):
        figure.add_scatter(
            x=controls["params"], y=controls[measure] * factor, mode="markers", name="random",
            marker={"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": GREY}},
            error_y=bars(controls) if is_accuracy else None,
            hovertemplate="random control<br>%{y:.4g}<extra></extra>",
        )  # fmt: skip
    front = pareto(list(visits["params"]), list(visits[measure]), higher=is_accuracy)
    figure.add_scatter(
        x=visits["params"].iloc[front], y=y.iloc[front], mode="lines", name="Pareto front",
        line={"color": GREEN, "width": 3, "shape": "hv"}, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=visits["params"], y=y, mode="markers", name="visited",
        customdata=list(range(len(visits))), text=visits["label"].map(foreign),
        marker=_markers(visits, best, here),
        error_y=bars(visits) if is_accuracy else None,
        hovertemplate="%{text}<br>%{x:,} parameters<br>%{y:.4g}<br>click to return<extra></extra>",
    )  # fmt: skip
    if floor is not None and is_accuracy:
        figure.add_hline(y=factor * floor, line={"color": ORANGE, "dash": "dot", "width": 1.5})
    figure.update_xaxes(title="parameters kept", rangemode="tozero", tickformat="~s")
    figure.update_yaxes(
        title=foreign(scale.axis(labels[0]) if is_accuracy else f"loss: {labels[1]}")
    )
    return finish(figure, legend=True)


def per_class(dense: Mapping[str, float], pruned: Mapping[str, float]) -> go.Figure:
    """Change of each class's accuracy in points, pruned minus dense."""
    names = list(dense)
    change = [100 * (pruned[name] - dense[name]) for name in names]
    figure = go.Figure(
        go.Bar(
            x=[foreign(name) for name in names],
            y=change,
            marker_color=[ORANGE if c < 0 else BLUE for c in change],
            customdata=[[100 * dense[n], 100 * pruned[n]] for n in names],
            hovertemplate="class %{x}: %{y:+.1f} points<br>dense %{customdata[0]:.1f} %, "
            "pruned %{customdata[1]:.1f} %<extra></extra>",
        )
    )
    figure.update_xaxes(title="class", type="category")
    least = min([c for c in change if c == c], default=0.0)
    most = max([c for c in change if c == c], default=0.0)
    figure.update_yaxes(
        title="change, points", range=[min(-1.0, 1.1 * least), max(1.0, 1.1 * most)]
    )
    return finish(figure)


def nonzeros(report: pd.DataFrame) -> go.Figure:
    """Weights kept and cut, by layer; report as `Pruned.report`."""
    figure = go.Figure()
    cut, layers = report["total"] - report["kept"], report["layer"].map(foreign)
    figure.add_bar(x=layers, y=report["kept"], name="kept", marker_color=BLUE)
    figure.add_bar(x=layers, y=cut, name="cut", marker_color=GREY, marker_pattern_shape="/")
    figure.update_layout(barmode="stack")
    figure.update_xaxes(type="category")
    figure.update_yaxes(title="weights", tickformat="~s")
    return finish(figure, legend=True)


def _bars(rows: pd.DataFrame, factor: float) -> dict[str, object]:
    return {
        "type": "data",
        "array": factor * (rows["high"] - rows["accuracy"]),
        "arrayminus": factor * (rows["accuracy"] - rows["low"]),
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
