"""What does a browser need to draw a figure by itself?"""

from __future__ import annotations

import gzip
from functools import cache

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

# The tightest takes a second or more for a tenth less.
_EFFORT = 1


@cache
def program() -> bytes:
    """Plotly's own program, as its Python package brings it along, packed by gzip."""
    return gzip.compress(get_plotlyjs().encode(), _EFFORT, mtime=0)


def as_text(figure: go.Figure) -> str:
    """The figure as JSON, without a template: colours of paper and ink are the browser's to say."""
    return str(figure.update_layout(template="none").to_json())
