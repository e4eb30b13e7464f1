"""How does what was measured at many sparsities look as charts?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pruneviz.figures.style import BLUE, DASHES, DIVERGING, GREY, MANY, MARGIN, ORANGE, finish


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
    return finish(figure).update_layout(height=60 + 135 * rows, margin=MARGIN | {"t": 42})


def curves_together(table: pd.DataFrame, *, lose: float) -> go.Figure:
    """The same curves over each other, with their bands; a click in the legend hides one."""
    figure = go.Figure()
    told = table[table["sparsity"].notna()]
    for place, (name, points) in enumerate(told.groupby("layer", sort=False)):
        figure.add_scatter(
            x=100 * points["sparsity"], y=100 * points["delta"], name=str(name),
            mode="lines+markers", marker={"size": 5, "symbol": place // len(MANY)},
            line={"color": MANY[place % len(MANY)], "width": 2,
                  "dash": DASHES[place // len(MANY) % len(DASHES)]},
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
    return finish(figure, legend=True).update_layout(
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
    return finish(figure).update_layout(height=max(200, 60 + 26 * len(change)))


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
    return finish(figure).update_layout(height=110 + 26 * len(names))


def contest(table: pd.DataFrame, labels: Mapping[str, str], *, score: str) -> go.Figure:
    """Score in per cent against sparsity with its 95 % band; `Contest.table` of no single seed."""
    figure = go.Figure()
    for place, (name, label) in enumerate(labels.items()):
        rows = table[table["criterion"] == name]
        x, colour = 100 * rows["sparsity"], GREY if name == "random" else MANY[place % 6]
        figure.add_scatter(
            x=[*x, *x[::-1]], y=[*(100 * rows["high"]), *(100 * rows["low"][::-1])], opacity=0.2,
            fill="toself", fillcolor=colour, mode="none", legendgroup=name, showlegend=False,
            hoverinfo="skip", name=f"{name}-band",
        )  # fmt: skip
        figure.add_scatter(
            x=x, y=100 * rows["accuracy"], name=label, mode="lines+markers", legendgroup=name,
            line={"color": colour, "width": 2, "dash": DASHES[place // 6 % 4]},
            hovertemplate="%{x:g} % cut: %{y:.1f} %<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    figure.update_xaxes(title="cut, %", tickvals=100 * table["sparsity"].unique())
    figure.update_yaxes(title=f"{score}, %")
    return finish(figure, legend=True).update_layout(
        height=330, legend={"orientation": "v", "x": 1.01, "y": 1}
    )


def _reach(table: pd.DataFrame) -> list[float]:
    """Of the changes in points, with room for the line at which a loss begins."""
    low, high = 100 * table["delta_low"].min(), 100 * table["delta_high"].max()
    return [min(-3.0, 1.05 * low) if low == low else -3.0, max(2.0, high) if high == high else 2.0]
