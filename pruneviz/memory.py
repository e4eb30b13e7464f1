"""How does the system get back the memory that this process does not need?"""

from __future__ import annotations

import ctypes
import threading
import weakref
from functools import cache
from typing import Any, Protocol


class Spare(Protocol):
    """What holds memory only to be quicker the next time."""

    def let_go(self) -> None:
        """Hold nothing any more; what is needed again is made again."""


_SPARES: weakref.WeakSet[Spare] = weakref.WeakSet()
_LOCK = threading.Lock()


def note_spare(spare: Spare) -> None:
    """Have `let_go_of_spares` reach it, as long as it lives."""
    with _LOCK:
        _SPARES.add(spare)


def let_go_of_spares() -> None:
    """Give back all that is held only to be quicker; to be called where nobody waits."""
    with _LOCK:
        spares = [*_SPARES]
    for spare in spares:
        spare.let_go()
    trim()


def trim() -> None:
    """Give it back where the C library keeps it.

    glibc does so with blocks below 32 MiB: after a trial of a language model that was 1.6 times
    its weights, after the evidence of the small residual network 845 MB. Where there is no such
    library nothing happens.
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
