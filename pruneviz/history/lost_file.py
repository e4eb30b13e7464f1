"""What becomes of a history whose file is lost while it is open: taken away, replaced, damaged?"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from pruneviz.history.schema import STEPS
from pruneviz.storage.database import open_database, transaction

Standing = Mapping[Path, tuple[int, int]]
LOG_LOST = (
    "the file that ends in -wal beside the history, in which the last writes stood, was taken away "
    "while it was open; what was in it stands in the history's file now. Leave it where it is"
)
_BESIDE = ("", "-wal", "-shm")
_TABLES = {
    "models": "id",
    "visits": "id",
    "measured": "visit",
    "ledgers": "visit",
    "holder": "id",
    "shares": "token",
}


def identities(path: Path | None) -> Standing:
    """The files that make a database up now, each with what tells it from another of that name."""
    if path is None:
        return {}
    places = (path.with_name(path.name + ending) for ending in _BESIDE)
    return {place: identity for place in places if (identity := _identity(place)) is not None}


def is_moved(path: Path | None, was: Standing) -> bool:
    """Whether something else, or nothing, stands where the database was."""
    if path is None or path not in was:
        return False
    try:
        return _identity(path) != was[path]
    except OSError:  # nobody may look; it may still be written
        return False


def is_log_lost(path: Path, was: Standing) -> bool:
    """Whether the log beside the database, in which the last writes stand, was taken away."""
    log = path.with_name(path.name + "-wal")
    return log in was and _identity(log) != was[log]


def with_new_log(old: sqlite3.Connection, path: Path, patience: float) -> sqlite3.Connection:
    """The same database, into which all has gone that only the lost log, open in `old`, held."""
    old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    old.close()
    return open_database(path, STEPS, patience)


def carry_over(
    old: sqlite3.Connection, path: Path, was: Standing, patience: float
) -> sqlite3.Connection:
    """The database that stands at `path` now, a new one if there is none, with all that `old` has.

    Everything keeps its number. Raises sqlite3.Error where the other file has given one of them to
    something else; both are then as they were.
    """
    for place, identity in was.items():  # what is left of the old one is no part of the new one
        if place != path and _identity(place) == identity:
            with contextlib.suppress(OSError):
                place.unlink()
    new = open_database(path, STEPS, patience)
    try:
        with transaction(new):
            _copy(old, new)
    except BaseException:
        new.close()
        raise
    old.close()
    return new


def in_memory(file: sqlite3.Connection) -> sqlite3.Connection:
    """A copy of what can still be read, in memory; empty where it is damaged."""
    memory = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    try:
        file.backup(memory)
        whole = memory.execute("PRAGMA quick_check").fetchone() == ("ok",)
        if whole and memory.execute("PRAGMA user_version").fetchone() == (len(STEPS),):
            for table in _TABLES:
                memory.execute(f"SELECT * FROM {table}").fetchone()
            return memory
    except (sqlite3.Error, OSError):
        pass
    finally:
        file.close()
    memory.close()
    return open_database(None, STEPS)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino


def _copy(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    for table, key in _TABLES.items():
        cursor = old.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in cursor.description]
        keep = " WHERE excluded.n >= n" if table == "measured" else " WHERE FALSE"
        update = ", ".join(f"{name} = excluded.{name}" for name in names)
        new.executemany(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "
            f"ON CONFLICT ({key}) DO UPDATE SET {update}{keep}",
            cursor,
        )
    _check(old, new)
    last = old.execute("SELECT seq FROM sqlite_sequence WHERE name = 'visits'").fetchone()
    if last is not None:  # the number of what was deleted is never given to another visit
        new.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'visits'", last)


def _check(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    for what in ("id, name, weights, data FROM models", "id, model, session, digest FROM visits"):
        if not {*old.execute(f"SELECT {what}")} <= {*new.execute(f"SELECT {what}")}:
            raise sqlite3.IntegrityError("another file took its place while it was open")
