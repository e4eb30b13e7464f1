"""How does what a class expects look beside what it measured?"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import plotly.graph_objects as go

from pruneviz.figures.style import AXIS, BLUE, ORANGE, layout

_BINS = 10


def expectations(expected: Sequence[float], measured: Sequence[float]) -> go.Figure:
    """How many expect how much, in tenths, with the median of what was measured.

    expected, measured: shares 0..1. A share on the border of two tenths counts in the upper one.

    >>> list(expectations([0.05, 0.5, 0.55, 1.0], []).data[0].y)
    [1, 0, 0, 0, 0, 2, 0, 0, 0, 1]
    """
    counts = [0] * _BINS
    for share in expected:
        counts[min(_BINS - 1, max(0, int(share * _BINS + 1e-9)))] += 1
    width = 100 // _BINS
    bars = go.Bar(
        x=[width * place + width / 2 for place in range(_BINS)],
        y=counts,
        width=[width * 0.9] * _BINS,
        marker={"color": BLUE},
        customdata=[f"{width * place}–{width * (place + 1)} %" for place in range(_BINS)],
        hovertemplate="%{y} expect %{customdata}<extra></extra>",
    )
    figure = go.Figure(
        bars,
        layout(
            height=150,
            xaxis={**AXIS, "range": [0, 100], "ticksuffix": " %", "dtick": 20},
            yaxis={**AXIS, "rangemode": "tozero", "dtick": max(1, -(-max(counts) // 4))},
            margin={"l": 8, "r": 8, "t": 20, "b": 8},
        ),
    )
    if measured:
        value = 100 * median(measured)
        figure.add_vline(x=value, line={"color": ORANGE, "width": 3})
        figure.add_annotation(
            x=value, y=1, yref="paper", yanchor="bottom", showarrow=False,
            xanchor="right" if value > 50 else "left", text=f"measured {value:.1f} %",
        )  # fmt: skip
    return figure
