"""How does what was measured at many sparsities look as charts?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pruneviz.figures.style import (
    BLUE,
    DASHES,
    DIVERGING,
    GREY,
    MANY,
    MARGIN,
    ORANGE,
    finish,
    foreign,
)
from pruneviz.scale import SHARE, Scale


def curves_apart(
    table: pd.DataFrame, words: Mapping[str, str], *, lose: float, scale: Scale = SHARE
) -> go.Figure:
    """Change against sparsity with its 95 % band, a small chart for each layer.

    table: rows of `Curves.table`. words: layer -> what stands under its name, in the order of the
    charts; a layer without points has an empty chart. scale: the unit.
    lose: the dotted line, in that unit.
    """
    columns, unit = min(6, max(3, len(words))), foreign(scale.unit)
    rows = max(1, -(-len(words) // columns))
    figure = make_subplots(
        rows, columns, shared_xaxes=True, shared_yaxes=True,
        vertical_spacing=0.22 / rows, horizontal_spacing=0.012,
        subplot_titles=[
            f"{foreign(name)}<br><i>{foreign(sentence)}</i>" for name, sentence in words.items()
        ],
    )  # fmt: skip
    for place, name in enumerate(words):
        at = {"row": place // columns + 1, "col": place % columns + 1}
        points = table[(table["layer"] == name) & table["sparsity"].notna()]
        x = 100 * points["sparsity"]
        for edge, fill in (("delta_low", None), ("delta_high", "tonexty")):
            figure.add_scatter(
                x=x, y=scale.factor * points[edge], mode="lines", line={"width": 0}, fill=fill,
                fillcolor="rgba(59, 118, 196, 0.3)", name=edge, hoverinfo="skip", **at,
            )  # fmt: skip
        figure.add_scatter(
            x=x, y=scale.factor * points["delta"], mode="lines+markers", name=foreign(name),
            line={"color": BLUE, "width": 2}, marker={"size": 4},
            customdata=scale.factor * points[["delta_low", "delta_high"]],
            text=[f"{n:,} samples" for n in points["n"]],
            hovertemplate=f"%{{x:.0f}} % cut: %{{y:+{scale.digits}}} {unit}<br>"
            f"%{{customdata[0]:+{scale.digits}}} … %{{customdata[1]:+{scale.digits}}}, %{{text}}"
            "<extra></extra>", **at,
        )  # fmt: skip
    figure.add_hline(
        y=-lose, line={"color": ORANGE, "dash": "dot", "width": 1}, row="all", col="all"
    )
    figure.update_annotations(font={"size": 11}, yanchor="bottom")
    figure.update_xaxes(
        range=[0, 102], tickvals=[0, 50, 90], ticktext=["0 %", "50 %", "90 %"], tickangle=0
    )
    figure.update_yaxes(range=_reach(table, scale), nticks=5)
    figure.update_yaxes(title={"text": f"change, {unit}", "standoff": 4}, col=1)
    return finish(figure).update_layout(height=60 + 135 * rows, margin=MARGIN | {"t": 42})


def curves_together(table: pd.DataFrame, *, lose: float, scale: Scale = SHARE) -> go.Figure:
    """The same curves over each other, with their bands; a click in the legend hides one."""
    figure = go.Figure()
    measured = table[table["sparsity"].notna()]
    for place, (name, points) in enumerate(measured.groupby("layer", sort=False)):
        figure.add_scatter(
            x=100 * points["sparsity"], y=scale.factor * points["delta"], name=foreign(name),
            mode="lines+markers", marker={"size": 5, "symbol": place // len(MANY)},
            line={"color": MANY[place % len(MANY)], "width": 2,
                  "dash": DASHES[place // len(MANY) % len(DASHES)]},
            error_y={
                "type": "data", "thickness": 1, "width": 2,
                "array": scale.factor * (points["delta_high"] - points["delta"]),
                "arrayminus": scale.factor * (points["delta"] - points["delta_low"]),
            },
            hovertemplate=f"%{{x:.0f}} % cut: %{{y:+{scale.digits}}} {foreign(scale.unit)}"
            "<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    figure.add_hline(y=-lose, line={"color": ORANGE, "dash": "dot", "width": 1.5})
    figure.update_xaxes(title="sparsity of this layer alone", ticksuffix=" %", range=[0, 100])
    figure.update_yaxes(title=foreign(scale.change_axis), range=_reach(table, scale))
    return finish(figure, legend=True).update_layout(
        height=430, legend={"orientation": "v", "x": 1.01, "y": 1}
    )


def curves_heat(change: pd.DataFrame, marks: pd.DataFrame, *, scale: Scale = SHARE) -> go.Figure:
    """Change by layer (rows) and sparsity (columns), in `scale`; where there is none, its mark.

    change: NaN where nothing was measured; marks: what stands there instead, "" elsewhere.
    """
    values = change.to_numpy(float)
    finite = np.abs(values[np.isfinite(values)])
    least = scale.factor / 100
    limit = max(least, float(finite.max())) if finite.size else least
    x = [f"{100 * level:g} %" for level in change.columns]
    layers = [foreign(name) for name in change.index]
    figure = go.Figure(
        go.Heatmap(
            z=values, x=x, y=layers, zmin=-limit, zmax=limit, colorscale=DIVERGING,
            reversescale=True, xgap=1, ygap=1, hoverongaps=False,
            texttemplate=f"%{{z:+{scale.digits}}}",
            colorbar={"thickness": 10, "title": foreign(scale.unit)},
            hovertemplate=f"%{{y}} at %{{x}}: %{{z:+{scale.digits}}} {foreign(scale.unit)}"
            "<extra></extra>",
        )
    )  # fmt: skip
    rows, columns = (each.tolist() for each in np.nonzero(marks.to_numpy() != ""))
    figure.add_scatter(
        x=[x[i] for i in columns], y=[layers[i] for i in rows], mode="text", name="marks",
        text=[foreign(marks.iat[i, j]) for i, j in zip(rows, columns, strict=True)],
        textfont={"size": 11}, hoverinfo="skip",
    )  # fmt: skip
    figure.update_xaxes(type="category", side="top")
    figure.update_yaxes(type="category", autorange="reversed")
    return finish(figure).update_layout(height=max(200, 60 + 26 * len(change)))


def alike(square: pd.DataFrame, *, least: float, middle: float) -> go.Figure:
    """How alike each is to each, least..1; `middle`, what chance gives, has the neutral colour."""
    at = min(max((middle - least) / (1 - least), 0.01), 0.99)
    names = [foreign(name) for name in square.index]
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


def contest(
    table: pd.DataFrame, labels: Mapping[str, str], *, score: str, scale: Scale = SHARE
) -> go.Figure:
    """Score against sparsity with its 95 % band; `Contest.table` of no single seed."""
    figure = go.Figure()
    for place, (name, label) in enumerate(labels.items()):
        rows = table[table["criterion"] == name]
        x, colour = 100 * rows["sparsity"], GREY if name == "random" else MANY[place % 6]
        figure.add_scatter(
            x=[*x, *x[::-1]], y=scale.factor * pd.concat([rows["high"], rows["low"][::-1]]),
            opacity=0.2, fill="toself", fillcolor=colour, mode="none", legendgroup=name,
            showlegend=False, hoverinfo="skip", name=f"{name}-band",
        )  # fmt: skip
        figure.add_scatter(
            x=x, y=scale.factor * rows["accuracy"], name=foreign(label),
            mode="lines+markers", legendgroup=name,
            line={"color": colour, "width": 2, "dash": DASHES[place // 6 % 4]},
            hovertemplate=f"%{{x:g}} % cut: %{{y:{scale.digits}}}{' %' if scale.share else ''}"
            "<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    figure.update_xaxes(title="cut, %", tickvals=100 * table["sparsity"].unique())
    figure.update_yaxes(title=foreign(scale.axis(score)))
    return finish(figure, legend=True).update_layout(
        height=330, legend={"orientation": "v", "x": 1.01, "y": 1}
    )


def _reach(table: pd.DataFrame, scale: Scale) -> list[float]:
    """Of the changes, with room for the line at which a loss begins."""
    low, high = scale.factor * table["delta_low"].min(), scale.factor * table["delta_high"].max()
    least, most = -0.03 * scale.factor, 0.02 * scale.factor
    return [
        min(least, 1.05 * low) if low == low else least,
        max(most, high) if high == high else most,
    ]
