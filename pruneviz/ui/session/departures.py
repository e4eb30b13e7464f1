"""What memory is given back while visitors come and go?"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from functools import cache

from pruneviz.memory import let_go_of_spares, trim

_LOOK = 10.0  # seconds
# Looks after the last one has left: work ends some seconds later, and Streamlit keeps what a
# visitor had for two minutes, in case they come back.
_LOOKS_AFTERWARDS = 15


class Departures:
    """Who is here, and what is given back: while somebody is, memory that was freed; when nobody
    is, also what is held only to be quicker.

    sees: whether a visitor is still there.
    """

    def __init__(self, sees: Callable[[str], bool]) -> None:
        self._sees = sees
        self._here: set[str] = set()
        self._lock = threading.Lock()
        self._looks = 0
        self._came = threading.Event()

    def come(self, visitor: str) -> None:
        """Somebody is here."""
        with self._lock:
            self._here.add(visitor)
            self._looks = _LOOKS_AFTERWARDS
        self._came.set()

    def look(self) -> None:
        """Give back what can be given back now."""
        with self._lock:
            self._here = {visitor for visitor in self._here if self._sees(visitor)}
            somebody = bool(self._here)
            self._looks = _LOOKS_AFTERWARDS if somebody else self._looks - 1
            if self._looks <= 0:
                self._came.clear()
        if somebody:
            trim()
        else:
            gc.collect()
            let_go_of_spares()

    def watch(self) -> None:
        """Look again and again, for ever, but not where nobody has been for a while."""
        pause = threading.Event()
        while True:
            self._came.wait()
            pause.wait(_LOOK)
            self.look()


@cache
def departures(sees: Callable[[str], bool]) -> Departures:
    """Those of this server, watched from now on."""
    made = Departures(sees)
    threading.Thread(target=made.watch, name="departures", daemon=True).start()
    return made
