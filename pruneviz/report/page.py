"""How do parts and charts become one file that fetches nothing?"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from pruneviz.report.parts import escape

_HERE = Path(__file__).parent
_SCRIPT = re.compile(r"<script[^>]*>(.*?)</script>", re.DOTALL)
_CLEAR = "rgba(0,0,0,0)"


class Figure(Protocol):
    """A chart of `pruneviz.figures`."""

    def update_layout(self, **layout: Any) -> Any: ...

    def to_html(self, **options: Any) -> str: ...


class Charts:
    """The charts of one page; the first brings plotly's own program along, for all of them."""

    def __init__(self) -> None:
        self.scripts: list[str] = []
        self._count = 0

    def add(self, figure: Figure, alt: str) -> str:
        """A chart as HTML. alt: what it shows, for those who cannot see it."""
        figure.update_layout(
            paper_bgcolor=_CLEAR, plot_bgcolor=_CLEAR, template="plotly_white", margin={"r": 24}
        )
        self._count += 1
        html = figure.to_html(
            full_html=False,
            include_plotlyjs=self._count == 1,
            include_mathjax=False,
            div_id=f"chart-{self._count}",
            config={"displaylogo": False, "responsive": True},
        )
        self.scripts += _SCRIPT.findall(html)
        return f'<div class="chart" role="figure" aria-label="{escape(alt)}">{html}</div>'


def page(title: str, parts: Sequence[str], charts: Charts) -> str:
    """The whole file. Only its own programs run (by their hashes), and nothing is fetched."""
    style, theme = (_HERE.joinpath(name).read_text("utf-8") for name in ("page.css", "theme.js"))
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in [*charts.scripts, theme])
    policy = (
        "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
        f"script-src {hashes}; base-uri 'none'; form-action 'none'"
    )
    inner = "\n".join(part for part in parts if part)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
<main>
{inner}
</main>
<script>{theme}</script>
</body>
</html>
"""


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
