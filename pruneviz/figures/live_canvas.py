"""How are charts drawn that change more often than Plotly can?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import pandas as pd

from pruneviz.figures.style import BLUE, GREY, ORANGE
from pruneviz.figures.training import COURSES, Course
from pruneviz.scale import SHARE, Scale

# A chart of Plotly's is taken down and built anew at each change, and blank until then. A picture
# is changed in place, and costs next to nothing.
_WIDTH, _HEIGHT = 440, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 10, 30, 40
_ROW, _NAME = 22, 90
_DASHES = {"solid": "", "dash": "6 4", "dot": "2 3"}


@dataclass(frozen=True)
class Drawing:
    """A picture as SVG, and what it shows in words."""

    svg: str
    words: str


def moving_course(
    kind: str,
    rows: pd.DataFrame,
    stretches: Mapping[str, float],
    *,
    label: str,
    ink: str,
    scale: Scale = SHARE,
) -> Drawing:
    """The same lines as `course`; ink: the colour of its words."""
    what = COURSES[kind]
    x = [float(at) for at in rows["at"]]
    columns = [line.column for line in what.lines] + list(what.band or ())
    values = {name: [what.factor(scale) * float(v) for v in rows[name]] for name in columns}
    low, high = _reach(kind, what, [v for each in values.values() for v in each])
    last = max(1.0, x[-1])

    def place(at: float, value: float) -> str:
        across = _LEFT + (_WIDTH - _LEFT - _RIGHT) * at / last
        down = _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low)
        return f"{across:.1f},{down:.1f}"

    parts = [_grid(low, high, last, label), _legend(what)]
    for begin in [*stretches.values()][1:]:
        ends = place(begin, low), place(begin, high)
        parts.append(f'<path d="M{ends[0]} L{ends[1]}" stroke="{GREY}" stroke-dasharray="2 3"/>')
    if what.band is not None:
        edge = [place(*point) for point in zip(x, values[what.band[1]], strict=True)]
        back = [place(*point) for point in zip(x, values[what.band[0]], strict=True)][::-1]
        colour = what.lines[-1].colour
        parts.append(f'<polygon points="{" ".join(edge + back)}" fill="{colour}" opacity="0.25"/>')
    for line in what.lines:
        points = " ".join(
            place(at, value)
            for at, value in zip(x, values[line.column], strict=True)
            if math.isfinite(value)
        )
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-width="2" '
            f'stroke-dasharray="{_DASHES[line.dash]}"/>'
        )
    words = ", ".join(f"{line.name} {values[line.column][-1]:.4g}" for line in what.lines)
    return Drawing(_svg(parts, _HEIGHT, ink), f"{label} at epoch {x[-1]:g}: {words}")


def moving_levels(
    sparsity: Mapping[str, float], targets: Mapping[str, float], *, ink: str
) -> Drawing:
    """The same bars as `levels`."""
    height, parts = 34 + _ROW * len(sparsity), list[str]()
    full = _WIDTH - _NAME - 60
    for place, (name, level) in enumerate(sparsity.items()):
        top = 8 + _ROW * place
        short = name if len(name) <= 14 else f"…{name[-13:]}"
        parts.append(
            f'<text x="{_NAME - 8}" y="{top + 12}" text-anchor="end">{escape(short)}</text>'
            f'<rect x="{_NAME}" y="{top}" width="{full}" height="16" fill="{GREY}" opacity="0.15"/>'
            f'<rect x="{_NAME}" y="{top}" width="{full * level:.1f}" height="16" fill="{BLUE}"/>'
            f'<text x="{_NAME + full + 8}" y="{top + 12}">{100 * level:.1f} %</text>'
        )
        if targets.get(name):
            at = _NAME + full * targets[name]
            parts.append(f'<path d="M{at:.1f},{top - 2} v20" stroke="{ORANGE}" stroke-width="3"/>')
    words = ", ".join(f"{name} {100 * level:.1f} %" for name, level in sparsity.items())
    return Drawing(_svg(parts, height, ink), f"sparsity of each layer: {words}")


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from low to high, at most so many."""
    rough = (high - low) / max(1, most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _reach(kind: str, what: Course, values: Sequence[float]) -> tuple[float, float]:
    if what.range is not None:
        return what.range
    finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = (0.0 if kind == "loss" else min(finite)), max(finite)
    room = 0.06 * (high - low) or 0.5
    return low if kind == "loss" else low - room, high + room


def _grid(low: float, high: float, last: float, label: str) -> str:
    parts = []
    tall, wide = _HEIGHT - _TOP - _BOTTOM, _WIDTH - _LEFT - _RIGHT
    for value in ticks(low, high):
        y = _TOP + tall * (high - value) / (high - low)
        parts.append(
            f'<path d="M{_LEFT},{y:.1f} h{wide}" stroke="{GREY}" opacity="0.25"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.4g}</text>'
        )
    for value in ticks(0, last, 6):
        if value == int(value):
            at = _LEFT + wide * value / last
            parts.append(
                f'<text x="{at:.1f}" y="{_HEIGHT - 22}" text-anchor="middle">{value:g}</text>'
            )
    middle = _TOP + tall / 2
    parts.append(
        f'<text x="{_LEFT + wide / 2}" y="{_HEIGHT - 4}" text-anchor="middle">epoch</text>'
        f'<text transform="translate(11 {middle}) rotate(-90)" text-anchor="middle">'
        f"{escape(label)}</text>"
    )
    return "".join(parts)


def _legend(what: Course) -> str:
    parts, x = [], _LEFT
    for line in what.lines:
        parts.append(
            f'<path d="M{x},14 h22" stroke="{line.colour}" stroke-width="2" '
            f'stroke-dasharray="{_DASHES[line.dash]}"/>'
            f'<text x="{x + 27}" y="18">{escape(line.name)}</text>'
        )
        x += 50 + 7 * len(line.name)
    return "".join(parts)


def _svg(parts: Sequence[str], height: int, ink: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'font-family="sans-serif" font-size="12" fill="{ink}">{"".join(parts)}</svg>'
    )
