"""Does a database come from any schema to the newest, and is it closed with its owner?"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pruneviz.history import History
from pruneviz.history.file import FILE
from pruneviz.history.schema import STEPS
from pruneviz.plan import Plan
from pruneviz.storage.database import close_with, open_database
from tests.history_files import MODEL

# -- trouble -----------------------------------------------------------------------------------


class Owner:
    """Somebody who holds a file."""


def test_a_file_is_closed_with_its_owner_and_only_once() -> None:
    owner, other = Owner(), Owner()
    files = [sqlite3.connect(":memory:") for _ in range(2)]
    close = close_with(owner, files[0])
    close_with(other, files[1])
    close()
    close()
    del other
    for file in files:
        with pytest.raises(sqlite3.ProgrammingError):
            file.execute("SELECT 1")


def test_a_history_that_nobody_holds_any_longer_lets_go_of_its_file(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.visit(MODEL, Plan())
    assert (tmp_path / f"{FILE}-wal").exists()
    del history
    assert not (tmp_path / f"{FILE}-wal").exists(), "SQLite takes it away with the last connection"


# -- schemas -----------------------------------------------------------------------------------


def _one(file: sqlite3.Connection) -> None:
    file.execute("CREATE TABLE things (name TEXT)")


def _two(file: sqlite3.Connection) -> None:
    file.execute("ALTER TABLE things ADD COLUMN size INTEGER DEFAULT 7")


def _wrong(file: sqlite3.Connection) -> None:
    file.execute("INSERT INTO things (name) VALUES ('half')")
    raise sqlite3.OperationalError("no")


def test_steps_lead_from_any_schema_to_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "things.sqlite3"
    old = open_database(path, (_one,))
    old.execute("INSERT INTO things VALUES ('kept')")
    old.close()
    for _ in range(2):
        new = open_database(path, (_one, _two))
        assert new.execute("SELECT * FROM things").fetchall() == [("kept", 7)]
        assert new.execute("PRAGMA user_version").fetchone() == (2,)
        new.close()
    with pytest.raises(sqlite3.DatabaseError, match="newer version, schema 2"):
        open_database(path, (_one,))


def test_a_step_that_fails_leaves_the_schema_before_it(tmp_path: Path) -> None:
    path = tmp_path / "things.sqlite3"
    open_database(path, (_one,)).close()
    with pytest.raises(sqlite3.OperationalError, match="no"):
        open_database(path, (_one, _two, _wrong))
    again = open_database(path, (_one,))
    assert again.execute("SELECT * FROM things").fetchall() == []
    again.close()


def test_the_first_schema_stays_as_it_was_released(tmp_path: Path) -> None:
    """Whoever changes a released step breaks the files that are out there: add a step instead."""
    file = open_database(tmp_path / FILE, STEPS[:1])
    columns = {
        table: [row[1] for row in file.execute(f"PRAGMA table_info({table})")]
        for table in ("models", "visits", "measured")
    }
    file.close()
    assert columns == {
        "models": ["id", "name", "weights", "data", "first"],
        "visits": [
            "id", "model", "session", "parent", "digest", "plan", "criterion", "granularity",
            "scope", "name", "note", "times", "first", "last",
        ],
        "measured": [
            "visit", "n", "accuracy", "low", "high", "loss", "delta", "delta_low", "delta_high",
            "params", "params_kept", "params_shrunk", "macs", "macs_kept", "layers", "per_class",
            "answers",
        ],
    }  # fmt: skip
