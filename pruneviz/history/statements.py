"""How is the history asked, and how is it written?"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import pandas as pd

from pruneviz.history import scopes
from pruneviz.history.records import FIELDS, NUMBERS, Measurement, ModelVersion, row_of
from pruneviz.history.scopes import Scope
from pruneviz.plan import Plan

_TEXTS = ("session", "plan", "criterion", "granularity", "scope", "name", "note")
COLUMNS = (
    *("id", "parent", "model", "weights", "data", *_TEXTS, "times", "first", "last", *NUMBERS),
)
LIST = f"""
    SELECT v.id, v.parent, m.name, m.weights, m.data, {", ".join(f"v.{name}" for name in _TEXTS)},
        v.times, v.first, v.last, {", ".join(f"r.{name}" for name in NUMBERS)}
    FROM visits v JOIN models m ON m.id = v.model LEFT JOIN measured r ON r.visit = v.id
    WHERE (:name IS NULL OR m.name = :name) AND (:weights IS NULL OR m.weights = :weights)
        AND (:data IS NULL OR m.data = :data) AND (:session IS NULL OR v.session = :session)"""
_VISIT = """
    INSERT INTO visits (model, session, parent, digest, plan, criterion, granularity, scope, name,
        first, last, owner)
    VALUES (:model, :session, {parent}, :digest, :plan, :criterion, :granularity, :scope, :name,
        :now, :now, :whose)
    ON CONFLICT (model, session, digest) DO UPDATE SET times = times + 1, last = excluded.last,
        name = CASE excluded.name WHEN '' THEN name ELSE excluded.name END"""
_FIND = "SELECT id FROM visits WHERE model = :model AND session = :session AND digest = :digest"


def table_of(rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """What LIST found: one row a visit, with `COLUMNS`; what was not measured is NaN."""
    frame = pd.DataFrame(rows, columns=[*COLUMNS])
    numbers = ["parent", *NUMBERS]
    frame[numbers] = frame[numbers].astype(float)
    return frame


@dataclass(frozen=True)
class Visit:
    """A plan that was visited, coming from the visit `parent`; branch: a name for what begins."""

    model: ModelVersion
    plan: Plan
    parent: int | None
    branch: str
    session: str


def visit(base: sqlite3.Connection, scope: Scope, what: Visit) -> int:
    """Write a visit down; returns its number. ValueError: the session is another owner's."""
    plan, now = what.plan, time.time()
    text = json.dumps(plan.as_dict(), separators=(",", ":"), sort_keys=True)
    number = _model(base, what.model, now)
    values = {
        "model": number,
        "session": what.session,
        "parent": None if what.parent is None else index(what.parent),
        "digest": hashlib.sha256(text.encode()).hexdigest()[:32],
        "plan": text,
        "criterion": plan.criterion,
        "granularity": plan.granularity,
        "scope": plan.scope,
        "name": what.branch,
        "now": now,
        "whose": scopes.owner_of_session(base, scope, number, what.session),
        **scope.values,
    }
    parent = f"(SELECT v.id FROM visits v WHERE v.id = :parent AND {scope.where})"
    base.execute(_VISIT.format(parent=parent), values)
    return int(base.execute(_FIND, values).fetchone()[0])


def keep_measurement(
    base: sqlite3.Connection, scope: Scope, number: int, record: Measurement
) -> None:
    """Keep what was measured of a visit, unless more samples were measured before."""
    names, update = ", ".join(FIELDS), ", ".join(f"{name} = excluded.{name}" for name in FIELDS)
    base.execute(
        f"INSERT INTO measured (visit, {names}) "
        f"SELECT v.id, {', '.join(f':{name}' for name in FIELDS)} FROM visits v "
        f"WHERE v.id = :visit AND {scope.where} "
        f"ON CONFLICT (visit) DO UPDATE SET {update} WHERE excluded.n >= n",
        {**dict(zip(FIELDS, row_of(record), strict=True)), "visit": index(number), **scope.values},
    )


def delete(base: sqlite3.Connection, scope: Scope, numbers: Collection[int]) -> int:
    """Forget visits; what came after them moves up. Returns how many there were."""
    mine = f"SELECT v.parent FROM visits v WHERE v.id = :visit AND {scope.where}"
    gone = 0
    for number in sorted(set(map(index, numbers))):
        row = base.execute(mine, {"visit": number, **scope.values}).fetchone()
        if row is None:
            continue
        base.execute("UPDATE visits SET parent = ? WHERE parent = ?", (row[0], number))
        for table in ("measured", "ledgers", "shares"):
            base.execute(f"DELETE FROM {table} WHERE visit = ?", (number,))
        gone += base.execute("DELETE FROM visits WHERE id = ?", (number,)).rowcount
    return gone


def _model(base: sqlite3.Connection, model: ModelVersion, now: float) -> int:
    values: Sequence[object] = (model.name, model.weights, model.data)
    base.execute(
        "INSERT OR IGNORE INTO models (name, weights, data, first) VALUES (?, ?, ?, ?)",
        (*values, now),
    )
    sql = "SELECT id FROM models WHERE name = ? AND weights = ? AND data = ?"
    return int(base.execute(sql, values).fetchone()[0])
