"""Of which pieces of HTML is a report made?"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

import pandas as pd

_INT, _LONG = "{:,}", 12


def escape(text: object) -> str:
    """Text that is shown as it is, whatever stands in it."""
    return html.escape(str(text), quote=True)


def paragraph(text: object, kind: str = "") -> str:
    """A paragraph of plain text."""
    return f"<p{_class(kind)}>{escape(text)}</p>"


def section(name: str, title: str, *parts: str) -> str:
    """A part of the page with a heading, that the address can point at."""
    inner = "\n".join(part for part in parts if part)
    return f'<section id="{escape(name)}">\n<h2>{escape(title)}</h2>\n{inner}\n</section>'


def table(frame: pd.DataFrame, *, text: Sequence[str] = ()) -> str:
    """A table of a frame; the columns named in `text` (all of texts by default) to the left."""
    texts = (c for c in frame.columns if not pd.api.types.is_numeric_dtype(frame[c]))
    left_columns = {*text} or {*texts}
    head = "".join(
        f"<th{_class('left' if c in left_columns else '')}>{escape(c)}</th>" for c in frame
    )
    rows = [
        "".join(
            f"<td{_class('left' if c in left_columns else '')}>{_cell(value)}</td>"
            for c, value in zip(frame.columns, row, strict=True)
        )
        for row in frame.itertuples(index=False, name=None)
    ]
    body = "".join(f"<tr>{row}</tr>\n" for row in rows)
    inner = f"<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody>"
    return f'<div class="wide"><table>{inner}</table></div>'


def numbers(rows: Iterable[tuple[str, str, str]]) -> str:
    """Large numbers side by side: name, number, what stands under it."""
    boxes = (
        f"<div><dt>{escape(name)}</dt><dd{_class('long' if len(value) > _LONG else '')}>"
        f"{escape(value)}</dd><p>{escape(note)}</p></div>"
        for name, value, note in rows
    )
    return f'<dl class="numbers">{"".join(boxes)}</dl>'


def fold(summary: str, inner: str) -> str:
    """A part of the page, folded away."""
    return f"<details><summary>{escape(summary)}</summary>{inner}</details>"


def verbatim(summary: str, text: str) -> str:
    """A text to copy, folded away."""
    return fold(summary, f'<pre tabindex="0">{escape(text)}</pre>')


def items(texts: Iterable[object]) -> str:
    """A list of plain texts; nothing for none."""
    rows = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{rows}</ul>" if rows else ""


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else escape(f"{value:.4g}")
    return escape(_INT.format(value) if isinstance(value, int) and value is not True else value)


def _class(name: str) -> str:
    return f' class="{escape(name)}"' if name else ""
