"""How is what was measured said in a line?"""

from __future__ import annotations

import math

from pruneviz.measuring.evaluate import Evaluation

_SHARES = ("accuracy", "agreement")


def measures_text(result: Evaluation) -> str:
    """Every measure beside the score, with that of the dense network on the same samples."""
    parts = [f"{result.broken:,} answers hold NaN or infinite numbers"] if result.broken else []
    for name, value in list(result.measures.items())[1:]:
        dense = result.dense_measures.get(name)
        against = "" if dense is None else f" (dense {number(name, dense)})"
        parts.append(f"{name} {number(name, value)}{against}")
    return " · ".join(parts)


def number(name: str, value: float) -> str:
    """A measure as people write it: shares in per cent, all else in three figures."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞"
    if any(word in name for word in _SHARES):
        return f"{100 * value:.1f} %"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 1:
        return "less than a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
