"""Where is the history kept, and what becomes of it where it cannot be?"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pruneviz.history import lost_file
from pruneviz.history.lost_file import carry_over, identities, in_memory, is_moved
from pruneviz.history.schema import STEPS
from pruneviz.storage.database import close_with, open_database

FILE = "history.sqlite3"
T = TypeVar("T")


class File:
    """The database of a history, which many threads and processes use at once.

    complaint: why everything goes on in memory, or what had to be mended; "" where all is well.
    """

    def __init__(self, folder: Path | None, patience: float) -> None:
        self.complaint = ""
        self.path = None if folder is None else folder / FILE
        self._lock, self._patience, self._was = threading.RLock(), patience, identities(None)
        try:
            self._hold(open_database(self.path, STEPS, patience))
            self._was = identities(self.path)
        except (sqlite3.Error, OSError) as error:
            self._complain(error)
            self._hold(open_database(None, STEPS))

    def do(self, act: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """What `act` makes of the file; where it fails, of what is in memory from then on."""
        with self._lock:
            try:
                if self.path is None:
                    return act(self.base)
                if is_moved(self.path, self._was):
                    self._follow(self.path)
                elif lost_file.is_log_lost(self.path, self._was):
                    self._hold(lost_file.with_new_log(self.base, self.path, self._patience))
                    self._was, self.complaint = identities(self.path), lost_file.LOG_LOST
                return act(self.base)
            except (sqlite3.Error, OSError) as error:
                self._complain(error)
                self._hold(in_memory(self.base))
                self._was = identities(None)
            try:
                return act(self.base)
            except (sqlite3.Error, OSError):
                return otherwise

    def close(self) -> None:
        """Let go of it; there is nothing to read afterwards."""
        with self._lock:
            self._close()
            self._was = identities(None)

    def _hold(self, base: sqlite3.Connection) -> None:
        self.base, self._close = base, close_with(self, base)

    def _follow(self, path: Path) -> None:
        """Go on in the file that is there now, a new one if there is none, with all that was."""
        self._hold(carry_over(self.base, path, self._was, self._patience))
        self._was = identities(path)
        self.complaint = (
            f"the history's file {path} was taken away or replaced while it was open; what was in "
            "it stands in the one that is there now. To forget plans, delete them on the page "
            "History"
        )

    def _complain(self, error: Exception) -> None:
        self.complaint = (
            f"the history cannot be kept in {self.path} ({error}); what is visited now stays in "
            "memory until the program ends. Make room if the disk is full, move the file away if "
            "it is damaged, or set PRUNEVIZ_HOME to a folder that can be written"
        )
