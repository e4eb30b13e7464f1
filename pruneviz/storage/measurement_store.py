"""Which measurements were made before, also by another process?"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from pruneviz.storage.database import PATIENCE, close_with, open_database, transaction

_FILE = "measured.sqlite3"
_BOUND = 500_000  # rows; the oldest go first
_PATIENCE = PATIENCE

_FIND = "SELECT value FROM measured WHERE key = ?"

T = TypeVar("T")


class Memory(Protocol):
    """Texts by key: a `MeasurementStore` is one."""

    def get(self, key: str) -> str | None: ...

    def put(self, key: str, value: str) -> None: ...


@dataclass(frozen=True)
class Recorder:
    """A memory that notes in `known` what it had."""

    memory: Memory
    known: dict[str, str] = field(default_factory=dict)

    def get(self, key: str) -> str | None:
        """What `memory` has under `key`, or None."""
        text = self.memory.get(key)
        if text is not None:
            self.known[key] = text
        return text

    def put(self, key: str, value: str) -> None:
        """Keep `value` in `memory`."""
        self.memory.put(key, value)


class MeasurementStore:
    """Texts by key, kept in memory and, where that can be, in a file that many processes share.

    file: its name; what: it is that is kept, in words. It is closed by `close`, or with the last
    who holds this.

    Each is on disk when `put` returns, and survives the end of the process however it comes. Where
    the file cannot be read or written, `complaint` says so and everything goes on in memory.
    """

    def __init__(self, folder: Path | None, file: str = _FILE, what: str = "measurements") -> None:
        self._memory: dict[str, str] = {}
        self._lock = threading.Lock()
        self._puts = 0
        self._file: sqlite3.Connection | None = None
        self.complaint = ""
        self.path, self._what = None if folder is None else folder / file, what
        self._close: Callable[[], object] = lambda: None
        if folder is not None:
            self._file = self._guard(lambda: _open(folder / file))
        if self._file is not None:
            self._close = close_with(self, self._file)

    def get(self, key: str) -> str | None:
        """What was put under `key`, or None."""
        with self._lock:
            file = self._file
            if key in self._memory or file is None:
                return self._memory.get(key)
            row = self._guard(lambda: file.execute(_FIND, (key,)).fetchone())
            if row is not None:
                self._memory[key] = str(row[0])
            return self._memory.get(key)

    def put(self, key: str, value: str) -> None:
        """Keep `value` under `key`, in place of what there was."""
        with self._lock:
            self._memory[key] = value
            self._puts += 1
            file = self._file
            if file is not None:
                self._guard(lambda: _put(file, key, value))

    @property
    def version(self) -> tuple[int, int]:
        """Another one after anything was put, here or by another process."""
        with self._lock:
            file = self._file
            if file is None:
                return self._puts, 0
            row = self._guard(lambda: file.execute("PRAGMA data_version").fetchone())
            return self._puts, 0 if row is None else int(row[0])

    def close(self) -> None:
        """Let go of the file; what is asked for afterwards comes from memory."""
        with self._lock:
            self._close()
            self._file = None

    def _guard(self, act: Callable[[], T]) -> T | None:
        """What `act` makes of the file; None where it fails, and the file is given up."""
        try:
            return act()
        except (sqlite3.Error, OSError) as error:
            self._close()
            self._file = None
            self.complaint = (
                f"{self._what} cannot be kept in {self.path} ({error}); they stay in memory until "
                "the program ends. Delete the file if it is damaged, or set PRUNEVIZ_HOME to a "
                "folder that can be written"
            )
            return None


def _put(file: sqlite3.Connection, key: str, value: str) -> None:
    with transaction(file):
        file.execute("INSERT OR REPLACE INTO measured VALUES (?, ?)", (key, value))


def _first(file: sqlite3.Connection) -> None:
    file.execute("CREATE TABLE IF NOT EXISTS measured (key TEXT PRIMARY KEY, value TEXT)")


def _open(path: Path) -> sqlite3.Connection:
    file = open_database(path, (_first,), _PATIENCE)
    try:
        with transaction(file):
            file.execute(
                "DELETE FROM measured WHERE rowid <= (SELECT max(rowid) FROM measured) - ?",
                (_BOUND,),
            )
    except BaseException:
        file.close()
        raise
    return file
