"""How do weights and activations look as small pictures?"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pruneviz.figures.style import DIVERGING, finish, foreign


def mosaic(
    images: NDArray[np.float64],
    kept: NDArray[np.bool_],
    *,
    signed: bool,
    limit: float | None = None,
) -> go.Figure:
    """Small pictures [n, height, width] side by side; those not kept, and what is NaN, are blank.

    signed: colours symmetric about zero, for weights; else from zero up, for activations. limit:
    where the colours end; the largest of all pictures by default.
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
    limit = (float(np.abs(images).max()) if limit is None else limit) or 1.0
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
            font={"size": 10},
        )  # fmt: skip
    return finish(figure)


def matrix(
    cells: NDArray[np.float32],
    limit: float,
    labels: tuple[str, str],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    height: int = 300,
) -> go.Figure:
    """Weights as a matrix [units, inputs], blank where they are cut (NaN).

    limit: the largest |weight| of the scale, whatever is in `cells`: colours do not move while the
    weights do. labels: of the two axes; rows, columns: the places that are drawn.
    """
    figure = go.Figure(
        go.Heatmap(
            z=cells, x=columns, y=rows, zmin=-limit, zmax=limit, colorscale=DIVERGING,
            hoverongaps=False, colorbar={"thickness": 10},
            hovertemplate=f"{labels[0]} %{{y}}, {labels[1]} %{{x}}: %{{z:.3g}}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(title=foreign(labels[1]), showgrid=False, zeroline=False)
    figure.update_yaxes(
        title=foreign(labels[0]), autorange="reversed", showgrid=False, zeroline=False
    )
    return finish(figure).update_layout(height=height, uirevision="training")
