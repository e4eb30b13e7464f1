"""How much of a score may be lost?"""

from __future__ import annotations

from streamlit.delta_generator import DeltaGenerator

from pruneviz.scale import Scale
from pruneviz.ui.text import plain

_STEP = 0.005


def ask_loss(
    place: DeltaGenerator,
    title: str,
    scale: Scale,
    now: float,
    *,
    key: str,
    least: float = 0.0,
    most: float,
    tip: str,
) -> float:
    """A field for it in the unit of the score: points of a share, else the score's own numbers.

    now, least, most, and what is returned: of the score. What is no share has no upper bound.
    """
    top = most if scale.share else None
    now = max(least, now if top is None else min(now, top))
    value = place.number_input(
        plain(title),
        scale.factor * least,
        None if top is None else scale.factor * top,
        scale.factor * now,
        scale.factor * _STEP,
        key=key if scale.share else f"{key}-{scale.word}",  # else 1 point would stand for all of it
        format=f"%{scale.digits}",
        help=plain(tip),
    )
    return float(value) / scale.factor
