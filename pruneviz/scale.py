"""In which unit is a score told, and a change of it?"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """share: whether a score is a share of what is right, told in per cent and its changes in
    points; any other is told as it is. word: the score within a sentence.
    """

    share: bool = True
    word: str = "score"

    @property
    def factor(self) -> float:
        """What a score and its changes are multiplied by to be told."""
        return 100.0 if self.share else 1.0

    @property
    def unit(self) -> str:
        """What a change is counted in: points of a share, else the score itself."""
        return "points" if self.share else self.word

    @property
    def digits(self) -> str:
        """How many figures are told, as formats of Python and of Plotly have it."""
        return ".1f" if self.share else ".3f"

    @property
    def change_axis(self) -> str:
        """The heading of changes."""
        return "change, points" if self.share else f"change of {self.word}"

    def axis(self, label: str) -> str:
        """The heading of scores, which are called `label`."""
        return f"{label}, %" if self.share else label

    def score_text(self, score: float) -> str:
        """A score as it is told: "93.1 %", or "0.931" of what is no share."""
        if math.isnan(score):
            return "–"
        return f"{100 * score:.1f} %" if self.share else figures(score)

    def interval_text(self, low: float, high: float) -> str:
        """An interval of the score: "92.0 – 94.1 %", or "0.920 – 0.941"."""
        if self.share:
            return f"{100 * low:.1f} – {100 * high:.1f} %"
        return f"{figures(low)} – {figures(high)}"

    def change_text(self, delta: float, *, unit: bool = True) -> str:
        """A change of the score with its sign: "-1.2 points", or "-0.012 R²" of what is none.

        What rounds to zero has none.
        """
        text = f"{100 * delta:+.1f}" if self.share else figures(delta, sign="+")
        text = text if any(digit in text for digit in "123456789n") else text.lstrip("+-")
        return f"{text} {self.unit}" if unit else text

    def span_text(self, low: float, high: float) -> str:
        """The interval of a change: "-1.2 … +0.3"."""
        return f"{self.change_text(low, unit=False)} … {self.change_text(high, unit=False)}"

    def paired_text(self, delta: float, low: float, high: float) -> str:
        """A change with its interval: "-1.2 (-2.0 … -0.3)"."""
        return f"{self.change_text(delta, unit=False)} ({self.span_text(low, high)})"

    def amount_text(self, amount: float) -> str:
        """So much of the score, without a sign: "1 point", "2.5 points", or "0.01 of R²"."""
        if not self.share:
            return f"{amount:g} of {self.word}"
        return f"{100 * amount:g} {'point' if amount == 0.01 else 'points'}"


SHARE = Scale()


def figures(value: float, sign: str = "") -> str:
    """A number in three figures after the point, four where tiny; three in all where large."""
    if abs(value) >= 10 and math.isfinite(value):
        return f"{value:{sign},.3g}" if abs(value) < 1000 else f"{value:{sign},.0f}"
    tiny = 5e-5 <= abs(value) < 5e-4
    return f"{value:{sign}.{4 if tiny else 3}f}"
