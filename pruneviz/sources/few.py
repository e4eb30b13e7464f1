"""On how many validation samples does a server measure?"""

from __future__ import annotations

import os
from dataclasses import replace

from pruneviz.sources import Source

VARIABLE = "PRUNEVIZ_SAMPLES"
LEAST, MOST = 100, 10_000_000


def few(source: Source) -> Source:
    """The source with as many validation samples as the app was started for, the first ones; all of
    them where nothing is said.

    ValueError where `PRUNEVIZ_SAMPLES` is no whole number from `LEAST` to `MOST`.
    """
    n, all_of_them = _samples(), len(source.validation)
    if n is None or n >= all_of_them:
        return source
    dense = source.dense if source.dense is None else source.dense.part(0, n)
    note = (
        f"the first {n:,} of {all_of_them:,} validation samples measure it: the app was started so"
    )
    validation = source.validation.first(n)
    return replace(source, validation=validation, dense=dense, notes=(*source.notes, note))


def _samples() -> int | None:
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    n = int(text) if text.isdecimal() else 0
    if not LEAST <= n <= MOST:
        raise ValueError(
            f"{VARIABLE} must be a whole number from {LEAST} to {MOST:,}, got {text!r}; without "
            "it every network is measured on all of its samples"
        )
    return n
