"""What do all charts have in common?"""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go

BLUE, ORANGE, GREEN, GREY = "#3b76c4", "#d9772b", "#2c8f6f", "#8a8f98"
# Colour-blind safe, symmetric about a middle that reads on light and dark paper alike.
DIVERGING = [[0.0, "#2166ac"], [0.5, "#d9d9d9"], [1.0, "#b35806"]]
# Okabe & Ito's, without yellow and with those darker that light paper swallows: 3:1 on both papers.
MANY = ("#0072b2", "#d55e00", "#009e73", "#ba6d98", "#3f93c8", "#b57a00", "#8a8f98")
DASHES = ("solid", "dash", "dot", "dashdot")
MARGIN = {"l": 8, "r": 8, "t": 8, "b": 8}
AXIS = {"showline": True, "linecolor": GREY, "zerolinecolor": GREY}


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
    return figure.update_layout(layout(legend=legend)).update_xaxes(AXIS).update_yaxes(AXIS)
