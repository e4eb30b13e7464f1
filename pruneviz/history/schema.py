"""Which tables does the history have, and how did they come about?"""

from __future__ import annotations

import sqlite3

from pruneviz.storage.database import Step

_FIRST = (
    """CREATE TABLE models (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        weights TEXT NOT NULL,
        data TEXT NOT NULL,
        first REAL NOT NULL,
        UNIQUE (name, weights, data)
    )""",
    # AUTOINCREMENT: the number of what was deleted is never given to another visit.
    """CREATE TABLE visits (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        model INTEGER NOT NULL REFERENCES models (id),
        session TEXT NOT NULL,
        parent INTEGER,
        digest TEXT NOT NULL,
        plan TEXT NOT NULL,
        criterion TEXT NOT NULL,
        granularity TEXT NOT NULL,
        scope TEXT NOT NULL,
        name TEXT NOT NULL DEFAULT '',
        note TEXT NOT NULL DEFAULT '',
        times INTEGER NOT NULL DEFAULT 1,
        first REAL NOT NULL,
        last REAL NOT NULL,
        UNIQUE (model, session, digest)
    )""",
    "CREATE INDEX children ON visits (parent)",
    """CREATE TABLE measured (
        visit INTEGER PRIMARY KEY,
        n INTEGER NOT NULL,
        accuracy REAL, low REAL, high REAL, loss REAL,
        delta REAL, delta_low REAL, delta_high REAL,
        params INTEGER, params_kept INTEGER, params_shrunk INTEGER,
        macs INTEGER, macs_kept INTEGER,
        layers TEXT NOT NULL,
        per_class TEXT NOT NULL,
        answers BLOB
    )""",
)


# What the ledger of a visit says, as JSON.
_LEDGERS = "CREATE TABLE ledgers (visit INTEGER PRIMARY KEY, cost TEXT NOT NULL)"

# Who a visit belongs to, "" for nobody; who has what is nobody's; which branches others may read.
_OWNERS = (
    "ALTER TABLE visits ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX owned ON visits (owner)",
    "CREATE TABLE holder (id INTEGER PRIMARY KEY CHECK (id = 1), owner TEXT NOT NULL)",
    "CREATE TABLE shares (token TEXT PRIMARY KEY, visit INTEGER NOT NULL, made REAL NOT NULL)",
)


def _first(file: sqlite3.Connection) -> None:
    for statement in _FIRST:
        file.execute(statement)


def _second(file: sqlite3.Connection) -> None:
    file.execute(_LEDGERS)


def _third(file: sqlite3.Connection) -> None:
    for statement in _OWNERS:
        file.execute(statement)


# Never change a step that was released: add another one.
STEPS: tuple[Step, ...] = (_first, _second, _third)
