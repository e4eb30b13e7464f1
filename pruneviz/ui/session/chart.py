"""What does the chart of one visitor show, and what is known of its points?"""

from __future__ import annotations

from dataclasses import dataclass, field

from pruneviz.allocation.pareto_line import LinePoint
from pruneviz.plan import Plan
from pruneviz.storage.cache import Cache
from pruneviz.workbench import Workbench

_REMEMBERED, _LINES, _COUNTED = 1_500, 8, 16


@dataclass
class PlanFacts:
    """What was found out once, by plan: its point of the chart, what has collapsed, what it leaves
    in counts.

    past: points as they were measured before this page was loaded. guesses: (parameters kept,
    accuracy) as somebody expected them in a lesson. lines: predicted, by what they rest on; none
    where nothing was predicted.
    """

    points: Cache[dict[str, object]] = field(default_factory=lambda: Cache(_REMEMBERED))
    past: dict[Plan, dict[str, object]] = field(default_factory=dict)
    warnings: Cache[dict[str, str]] = field(default_factory=lambda: Cache(_REMEMBERED))
    counts: Cache[dict[str, object]] = field(default_factory=lambda: Cache(_COUNTED))
    guesses: tuple[tuple[float, float], ...] = ()
    lines: Cache[tuple[LinePoint, ...]] = field(default_factory=lambda: Cache(_LINES))


@dataclass(frozen=True)
class Chart:
    """A chart as the browser draws it.

    shows, of: what it was made for: network, measure and loss allowed; and its points. figure: of
    plotly, as JSON. keys: of the points, by position. words: a sentence below it, or "".
    """

    shows: tuple[Workbench, str, float]
    of: int
    id: str
    figure: str
    keys: tuple[str, ...]
    words: str
