"""How is a file opened that many processes write at once?"""

from __future__ import annotations

import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 30.0  # seconds to wait for another process that writes
_NAP = 0.02
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

Step = Callable[[sqlite3.Connection], None]


def open_database(path: Path | None, steps: Sequence[Step], patience: float = PATIENCE) -> (
    sqlite3.Connection
):  # fmt: skip
    """The database in a file, or in memory where `path` is None, brought to the newest schema.

    steps: step k leads from schema k to k + 1; `PRAGMA user_version` says which were done. What
    a transaction has committed outlives the process, however it ends.
    Raises sqlite3.Error or OSError where the file cannot be used; one that was written by a newer
    version is left as it is.
    """
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    file = sqlite3.connect(
        ":memory:" if path is None else path,
        timeout=patience,
        check_same_thread=False,
        isolation_level=None,
    )
    try:
        _check(file, steps)
        _share(file, patience)
        if _version(file) < len(steps):
            with transaction(file):
                _migrate(file, steps)
    except BaseException:
        file.close()
        raise
    return file


def close_with(owner: object, file: sqlite3.Connection) -> Callable[[], object]:
    """Closes `file` when it is called, when `owner` is gone, or when the program ends."""
    return weakref.finalize(owner, file.close)


@contextmanager
def transaction(file: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All that is done inside is written, or nothing; others that write wait for it."""
    # Immediate: what is read inside then cannot change before it is written.
    file.execute("BEGIN IMMEDIATE")
    try:
        yield file
        file.execute("COMMIT")
    except BaseException:
        if file.in_transaction:
            file.execute("ROLLBACK")
        raise


def _version(file: sqlite3.Connection) -> int:
    return int(file.execute("PRAGMA user_version").fetchone()[0])


def _check(file: sqlite3.Connection, steps: Sequence[Step]) -> None:
    version = _version(file)
    if version > len(steps):
        raise sqlite3.DatabaseError(f"it was written by a newer version, schema {version}")
    if version < 0:
        raise sqlite3.DatabaseError(f"it states the schema {version}, which no version has")
    # Nobody here makes any: one that somebody else made acts whenever something is written.
    sql = "SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view') LIMIT 1"
    for kind, name in file.execute(sql):
        raise sqlite3.DatabaseError(f"it holds a {kind} that is not its own, {str(name)[:60]!r}")


def _share(file: sqlite3.Connection, patience: float) -> None:
    """Readers and a writer at a time; SQLite itself does not wait for others who do the same."""
    end = time.monotonic() + patience
    while True:
        try:
            file.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in _BUSY or time.monotonic() > end:
                raise
            time.sleep(_NAP)
    file.execute("PRAGMA synchronous = NORMAL")


def _migrate(file: sqlite3.Connection, steps: Sequence[Step]) -> None:
    _check(file, steps)  # another process may have been here in between
    for number in range(_version(file), len(steps)):
        steps[number](file)
        file.execute(f"PRAGMA user_version = {number + 1}")
