"""How does the system get back the memory that this process has freed?"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any


def trim() -> None:
    """Give it back where the C library keeps it.

    glibc does so with blocks below 32 MiB: after a trial of a language model that was 1.6 times
    its weights. Where there is no such library nothing happens.
    """
    give_back = _malloc_trim()
    if give_back is not None:
        give_back(0)


@cache
def _malloc_trim() -> Any:
    try:
        return getattr(ctypes.CDLL(None), "malloc_trim", None)
    except (OSError, TypeError):  # Windows has no library of its own process
        return None
