"""What do all charts have in common?"""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go

BLUE, ORANGE, GREEN, GREY = "#3b76c4", "#d9772b", "#2c8f6f", "#8a8f98"
# Colour-blind safe, symmetric about a middle that reads on light and dark paper alike.
DIVERGING = [[0.0, "#2166ac"], [0.5, "#d9d9d9"], [1.0, "#b35806"]]
# Okabe & Ito's, without the yellow that white paper swallows.
MANY = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8a8f98")
DASHES = ("solid", "dash", "dot", "dashdot")
MARGIN = {"l": 8, "r": 8, "t": 8, "b": 8}


def foreign(text: object) -> str:
    """A name as plotly shows it letter by letter: it reads tags, entities and $ of mathematics.

    >>> foreign("<b>1</b> $x$")
    '&lt;b&gt;1&lt;/b&gt; &#36;x&#36;'
    """
    return escape(str(text), quote=False).replace("$", "&#36;")


def layout(*, legend: bool = False, **more: object) -> dict[str, object]:
    """Of every chart, for `go.Figure`: each change of a figure that is there costs as much as to
    make one. more: what a chart has besides, in plotly's words.
    """
    return {
        "margin": MARGIN,
        "height": 250,
        "showlegend": legend,
        "legend": {"orientation": "h", "y": 1.12, "x": 0},
        "hoverlabel": {"namelength": -1},
        **more,
    }


def finish(figure: go.Figure, *, legend: bool = False) -> go.Figure:
    """The same for a figure that cannot be made at once."""
    return figure.update_layout(layout(legend=legend))
