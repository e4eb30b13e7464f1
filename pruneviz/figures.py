"""How do the numbers of a session look as charts?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

BLUE, ORANGE, GREEN, GREY = "#3b76c4", "#d9772b", "#2c8f6f", "#8a8f98"
# Colour-blind safe, symmetric about a middle that reads on light and dark paper alike.
DIVERGING = [[0.0, "#2166ac"], [0.5, "#d9d9d9"], [1.0, "#b35806"]]
# Okabe & Ito's, without the yellow that white paper swallows.
_MANY = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8a8f98")
_DASHES = ("solid", "dash", "dot", "dashdot")
_MARGIN = {"l": 8, "r": 8, "t": 8, "b": 8}


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
) -> go.Figure:
    """Accuracy, or another score, or the loss against parameters kept, for each plan visited.

    visits: rows in the order of visiting, with label, params, accuracy, low, high, loss, n,
    dense. controls: params, accuracy, low, high, loss of random pruning. labels: of the score and
    of the loss. floor: accuracy under which too much is lost; best: position of the smallest
    plan above it; here: the current plan. Each point carries its position as customdata.
    """
    figure = go.Figure()
    percent = measure == "accuracy"
    scale = 100 if percent else 1
    y = visits[measure] * scale
    figure.add_scatter(
        x=visits["params"], y=y, mode="lines", line={"color": GREY, "width": 1}, opacity=0.6,
        name="path", hoverinfo="skip",
    )  # fmt: skip
    if len(controls):
        figure.add_scatter(
            x=controls["params"], y=controls[measure] * scale, mode="markers", name="random",
            marker={"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": GREY}},
            error_y=_bars(controls) if percent else None,
            hovertemplate="random control<br>%{y:.4g}<extra></extra>",
        )  # fmt: skip
    front = pareto(list(visits["params"]), list(visits[measure]), higher=percent)
    figure.add_scatter(
        x=visits["params"].iloc[front], y=y.iloc[front], mode="lines", name="Pareto front",
        line={"color": GREEN, "width": 3, "shape": "hv"}, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=visits["params"], y=y, mode="markers", name="visited",
        customdata=list(range(len(visits))), text=visits["label"],
        marker=_markers(visits, best, here),
        error_y=_bars(visits) if percent else None,
        hovertemplate="%{text}<br>%{x:,} parameters<br>%{y:.4g}<br>click to return<extra></extra>",
    )  # fmt: skip
    if floor is not None and percent:
        figure.add_hline(y=100 * floor, line={"color": ORANGE, "dash": "dot", "width": 1.5})
    figure.update_xaxes(title="parameters kept", rangemode="tozero", tickformat="~s")
    figure.update_yaxes(title=f"{labels[0]}, %" if percent else f"loss: {labels[1]}")
    return _finish(figure, legend=True)


def per_class(dense: Mapping[str, float], pruned: Mapping[str, float]) -> go.Figure:
    """Change of each class's accuracy in points, pruned minus dense."""
    names = list(dense)
    change = [100 * (pruned[name] - dense[name]) for name in names]
    figure = go.Figure(
        go.Bar(
            x=names,
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
    return _finish(figure)


def nonzeros(report: pd.DataFrame) -> go.Figure:
    """Weights kept and cut, by layer; report as `Pruned.report`."""
    figure = go.Figure()
    cut = report["total"] - report["kept"]
    figure.add_bar(x=report["layer"], y=report["kept"], name="kept", marker_color=BLUE)
    figure.add_bar(
        x=report["layer"], y=cut, name="cut", marker_color=GREY, marker_pattern_shape="/"
    )
    figure.update_layout(barmode="stack")
    figure.update_yaxes(title="weights", tickformat="~s")
    return _finish(figure, legend=True)


def mosaic(images: NDArray[np.float64], kept: NDArray[np.bool_], *, signed: bool) -> go.Figure:
    """Small pictures [n, height, width] side by side, those not kept left blank.

    signed: colours symmetric about zero, for weights; else from zero up, for activations.
    """
    n, height, width = images.shape
    columns = max(1, int(np.ceil(np.sqrt(n * 2.5))))
    rows = -(-n // columns)
    sheet = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    units = np.full(sheet.shape, -1)
    for i in range(n):
        top, left = i // columns * (height + 1), i % columns * (width + 1)
        units[top : top + height, left : left + width] = i
        if kept[i]:
            sheet[top : top + height, left : left + width] = images[i]
    limit = float(np.abs(images).max()) or 1.0
    figure = go.Figure(
        go.Heatmap(
            z=sheet,
            zmin=-limit if signed else min(0.0, float(images.min())),
            zmax=limit,
            colorscale=DIVERGING if signed else "Viridis",
            colorbar={"thickness": 10},
            customdata=units,
            hovertemplate="filter %{customdata}: %{z:.3g}<extra></extra>",
            hoverongaps=False,
        )
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, autorange="reversed", scaleanchor="x")
    for i in np.flatnonzero(~kept).tolist():  # blank, with a mark of its own
        top, left = i // columns * (height + 1), i % columns * (width + 1)
        figure.add_annotation(
            x=left + (width - 1) / 2, y=top + (height - 1) / 2, text="cut", showarrow=False,
            font={"size": 10, "color": GREY},
        )  # fmt: skip
    return _finish(figure)


def curves_apart(table: pd.DataFrame, words: Mapping[str, str], *, lose: float) -> go.Figure:
    """Change in points against sparsity with its 95 % band, a small chart for each layer.

    table: rows of `Curves.table`. words: layer -> what stands under its name, in the order of the
    charts; a layer without points has an empty chart. lose: the dotted line, in points.
    """
    columns = min(6, max(3, len(words)))
    rows = max(1, -(-len(words) // columns))
    figure = make_subplots(
        rows, columns, shared_xaxes=True, shared_yaxes=True,
        vertical_spacing=0.22 / rows, horizontal_spacing=0.012,
        subplot_titles=[f"{name}<br><i>{said}</i>" for name, said in words.items()],
    )  # fmt: skip
    for place, name in enumerate(words):
        at = {"row": place // columns + 1, "col": place % columns + 1}
        points = table[(table["layer"] == name) & table["sparsity"].notna()]
        x = 100 * points["sparsity"]
        for edge, fill in (("delta_low", None), ("delta_high", "tonexty")):
            figure.add_scatter(
                x=x, y=100 * points[edge], mode="lines", line={"width": 0}, fill=fill,
                fillcolor="rgba(59, 118, 196, 0.3)", name=edge, hoverinfo="skip", **at,
            )  # fmt: skip
        figure.add_scatter(
            x=x, y=100 * points["delta"], mode="lines+markers", name=name,
            line={"color": BLUE, "width": 2}, marker={"size": 4},
            customdata=100 * points[["delta_low", "delta_high"]],
            text=[f"{n:,} samples" for n in points["n"]],
            hovertemplate="%{x:.0f} % cut: %{y:+.1f} points<br>%{customdata[0]:+.1f} … "
            "%{customdata[1]:+.1f}, %{text}<extra></extra>", **at,
        )  # fmt: skip
    figure.add_hline(
        y=-lose, line={"color": ORANGE, "dash": "dot", "width": 1}, row="all", col="all"
    )
    figure.update_annotations(font={"size": 11}, yanchor="bottom")
    figure.update_xaxes(
        range=[0, 102], tickvals=[0, 50, 90], ticktext=["0 %", "50 %", "90 %"], tickangle=0
    )
    figure.update_yaxes(range=_reach(table), nticks=5)
    return _finish(figure).update_layout(height=60 + 135 * rows, margin=_MARGIN | {"t": 42})


def curves_together(table: pd.DataFrame, *, lose: float) -> go.Figure:
    """The same curves over each other, with their bands; a click in the legend hides one."""
    figure = go.Figure()
    told = table[table["sparsity"].notna()]
    for place, (name, points) in enumerate(told.groupby("layer", sort=False)):
        figure.add_scatter(
            x=100 * points["sparsity"], y=100 * points["delta"], name=str(name),
            mode="lines+markers", marker={"size": 5, "symbol": place // len(_MANY)},
            line={"color": _MANY[place % len(_MANY)], "width": 2,
                  "dash": _DASHES[place // len(_MANY) % len(_DASHES)]},
            error_y={
                "type": "data", "thickness": 1, "width": 2,
                "array": 100 * (points["delta_high"] - points["delta"]),
                "arrayminus": 100 * (points["delta"] - points["delta_low"]),
            },
            hovertemplate="%{x:.0f} % cut: %{y:+.1f} points<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    figure.add_hline(y=-lose, line={"color": ORANGE, "dash": "dot", "width": 1.5})
    figure.update_xaxes(title="cut of this layer alone", ticksuffix=" %", range=[0, 100])
    figure.update_yaxes(title="change, points", range=_reach(table))
    return _finish(figure, legend=True).update_layout(
        height=430, legend={"orientation": "v", "x": 1.01, "y": 1}
    )


def curves_heat(change: pd.DataFrame, marks: pd.DataFrame) -> go.Figure:
    """Change in points by layer (rows) and sparsity (columns); where there is none, its mark.

    change: NaN where nothing was measured; marks: what stands there instead, "" elsewhere.
    """
    values = change.to_numpy(float)
    finite = np.abs(values[np.isfinite(values)])
    limit = max(1.0, float(finite.max())) if finite.size else 1.0
    x = [f"{100 * level:g} %" for level in change.columns]
    figure = go.Figure(
        go.Heatmap(
            z=values, x=x, y=list(change.index), zmin=-limit, zmax=limit, colorscale=DIVERGING,
            reversescale=True, xgap=1, ygap=1, hoverongaps=False, texttemplate="%{z:+.1f}",
            colorbar={"thickness": 10, "title": "points"},
            hovertemplate="%{y} at %{x}: %{z:+.1f} points<extra></extra>",
        )
    )  # fmt: skip
    rows, columns = (each.tolist() for each in np.nonzero(marks.to_numpy() != ""))
    figure.add_scatter(
        x=[x[i] for i in columns], y=[change.index[i] for i in rows], mode="text", name="marks",
        text=[marks.iat[i, j] for i, j in zip(rows, columns, strict=True)],
        textfont={"color": GREY, "size": 11}, hoverinfo="skip",
    )  # fmt: skip
    figure.update_xaxes(type="category", side="top")
    figure.update_yaxes(type="category", autorange="reversed")
    return _finish(figure).update_layout(height=max(200, 60 + 26 * len(change)))


def alike(square: pd.DataFrame, *, least: float, middle: float) -> go.Figure:
    """How alike each is to each, least..1; `middle`, what chance gives, has the neutral colour."""
    at = min(max((middle - least) / (1 - least), 0.01), 0.99)
    names = list(square.index)
    figure = go.Figure(
        go.Heatmap(
            z=square.to_numpy(float), x=names, y=names, zmin=least, zmax=1, xgap=1, ygap=1,
            colorscale=[[(0, at, 1)[i], colour] for i, (_, colour) in enumerate(DIVERGING)],
            texttemplate="%{z:.2f}", hoverongaps=False, colorbar={"thickness": 10},
            hovertemplate="%{y} and %{x}: %{z:.3f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed")
    return _finish(figure).update_layout(height=110 + 26 * len(names))


def contest(table: pd.DataFrame, labels: Mapping[str, str], *, score: str) -> go.Figure:
    """Score in per cent against sparsity with its 95 % band; `Contest.table` of no single seed."""
    figure = go.Figure()
    for place, (name, label) in enumerate(labels.items()):
        rows = table[table["criterion"] == name]
        x, colour = 100 * rows["sparsity"], GREY if name == "random" else _MANY[place % 6]
        figure.add_scatter(
            x=[*x, *x[::-1]], y=[*(100 * rows["high"]), *(100 * rows["low"][::-1])], opacity=0.2,
            fill="toself", fillcolor=colour, mode="none", legendgroup=name, showlegend=False,
            hoverinfo="skip", name=f"{name}-band",
        )  # fmt: skip
        figure.add_scatter(
            x=x, y=100 * rows["accuracy"], name=label, mode="lines+markers", legendgroup=name,
            line={"color": colour, "width": 2, "dash": _DASHES[place // 6 % 4]},
            hovertemplate="%{x:g} % cut: %{y:.1f} %<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    figure.update_xaxes(title="cut, %", tickvals=100 * table["sparsity"].unique())
    figure.update_yaxes(title=f"{score}, %")
    return _finish(figure, legend=True).update_layout(
        height=330, legend={"orientation": "v", "x": 1.01, "y": 1}
    )


def _reach(table: pd.DataFrame) -> list[float]:
    """Of the changes in points, with room for the line at which a loss begins."""
    low, high = 100 * table["delta_low"].min(), 100 * table["delta_high"].max()
    return [min(-3.0, 1.05 * low) if low == low else -3.0, max(2.0, high) if high == high else 2.0]


def _bars(rows: pd.DataFrame) -> dict[str, object]:
    return {
        "type": "data",
        "array": 100 * (rows["high"] - rows["accuracy"]),
        "arrayminus": 100 * (rows["accuracy"] - rows["low"]),
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


def _finish(figure: go.Figure, *, legend: bool = False) -> go.Figure:
    return figure.update_layout(
        margin=_MARGIN,
        height=250,
        showlegend=legend,
        legend={"orientation": "h", "y": 1.12, "x": 0},
        hoverlabel={"namelength": -1},
    )
