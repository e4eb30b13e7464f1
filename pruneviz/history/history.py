"""Which plans were visited, by which way, and what was measured of them?"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from pruneviz.history import moved
from pruneviz.history.moved import carried_over, in_memory, is_moved, standing
from pruneviz.history.records import (
    FIELDS,
    NUMBERS,
    Measured,
    Version,
    cost_from,
    cost_text,
    csv_of,
    record_from,
    row_of,
)
from pruneviz.history.schema import STEPS
from pruneviz.history.tree import Filter, arranged, matching, with_branches
from pruneviz.measuring.ledger import Cost
from pruneviz.plan import Plan
from pruneviz.storage.database import PATIENCE, closed_with, opened, transaction

FILE = "history.sqlite3"
_LONGEST = 10_000  # characters of a note

_TEXTS = ("session", "plan", "criterion", "granularity", "scope", "name", "note")
COLUMNS = (
    *("id", "parent", "model", "weights", "data", *_TEXTS, "times", "first", "last", *NUMBERS),
)
_LIST = f"""
    SELECT v.id, v.parent, m.name, m.weights, m.data, {", ".join(f"v.{name}" for name in _TEXTS)},
        v.times, v.first, v.last, {", ".join(f"r.{name}" for name in NUMBERS)}
    FROM visits v JOIN models m ON m.id = v.model LEFT JOIN measured r ON r.visit = v.id
    WHERE (?1 IS NULL OR m.name = ?1) AND (?2 IS NULL OR m.weights = ?2)
        AND (?3 IS NULL OR m.data = ?3) AND (?4 IS NULL OR v.session = ?4)
    ORDER BY v.id"""

T = TypeVar("T")


class History:
    """Every plan visited, in a file that many processes share; a tree for each session.

    What a method has written is on disk when it returns, and survives the end of the process
    however it comes. Where the file cannot be read or written, `complaint` says so and everything
    goes on in memory; if it is taken away while it is open, what was in it is written anew, and
    `complaint` says that. One object serves many threads.

    folder: where the file is, or is to be; None: in memory alone. session: of visits that name
    none; a new one by default. The file is closed by `close`, or with the last who holds this.
    """

    def __init__(
        self, folder: Path | None, session: str | None = None, patience: float = PATIENCE
    ) -> None:
        self.session = session or new_session()
        self.complaint = ""
        self.path = None if folder is None else folder / FILE
        self._lock, self._patience, self._was = threading.RLock(), patience, standing(None)
        try:
            self._hold(opened(self.path, STEPS, patience))
            self._was = standing(self.path)
        except (sqlite3.Error, OSError) as error:
            self._complain(error)
            self._hold(opened(None, STEPS))

    # -- writing ---------------------------------------------------------------------------

    def visit(
        self,
        model: Version,
        plan: Plan,
        parent: int | None = None,
        branch: str = "",
        session: str | None = None,
    ) -> int:
        """Write down that `plan` was visited, coming from the visit `parent`; returns its number.

        A plan visited again in the same session keeps its number and place: it is counted. branch:
        a name for what begins here.
        """
        text = json.dumps(plan.as_dict(), separators=(",", ":"), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:32]
        now = time.time()
        what = (digest, text, plan.criterion, plan.granularity, plan.scope, branch.strip())
        place = session or self.session

        def write(base: sqlite3.Connection) -> int:
            with transaction(base):
                number = _model(base, model, now)
                base.execute(
                    "INSERT INTO visits (model, session, parent, digest, plan, criterion, "
                    "granularity, scope, name, first, last) "
                    "VALUES (?, ?, (SELECT id FROM visits WHERE id = ?), ?, ?, ?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT (model, session, digest) DO UPDATE SET times = times + 1, "
                    "last = excluded.last, "
                    "name = CASE excluded.name WHEN '' THEN name ELSE excluded.name END",
                    (number, place, parent, *what, now, now),
                )
                found = base.execute(
                    "SELECT id FROM visits WHERE model = ? AND session = ? AND digest = ?",
                    (number, place, digest),
                ).fetchone()
                return int(found[0])

        return self._do(write, 0)

    def measured(self, visit: int, record: Measured) -> None:
        """Keep what was measured of a visit, unless more samples were measured before."""
        values = row_of(record)
        update = ", ".join(f"{name} = excluded.{name}" for name in FIELDS)

        def write(base: sqlite3.Connection) -> None:
            with transaction(base):
                base.execute(
                    f"INSERT INTO measured (visit, {', '.join(FIELDS)}) "
                    f"SELECT id, {', '.join('?' * len(FIELDS))} FROM visits WHERE id = ? "
                    f"ON CONFLICT (visit) DO UPDATE SET {update} WHERE excluded.n >= n",
                    (*values, visit),
                )

        self._do(write, None)

    def costed(self, visit: int, cost: Cost) -> None:
        """Keep the ledger of a visit, in place of the one before."""
        self._set(
            "INSERT OR REPLACE INTO ledgers (cost, visit) SELECT ?, id FROM visits WHERE id = ?",
            cost_text(cost),
            visit,
        )

    def note(self, visit: int, text: str) -> None:
        """Put a note to a visit, in place of the one before."""
        self._set("UPDATE visits SET note = ? WHERE id = ?", text.strip()[:_LONGEST], visit)

    def name_branch(self, visit: int, name: str) -> None:
        """Name what begins at a visit; "" takes the name away."""
        self._set("UPDATE visits SET name = ? WHERE id = ?", name.strip(), visit)

    def delete(self, visits: Collection[int]) -> int:
        """Forget these visits; what came after them stays, one place further up the tree.

        Returns how many there were.
        """

        def write(base: sqlite3.Connection) -> int:
            gone = 0
            with transaction(base):
                for number in sorted(set(visits)):
                    base.execute(
                        "UPDATE visits SET parent = (SELECT parent FROM visits WHERE id = ?1) "
                        "WHERE parent = ?1",
                        (number,),
                    )
                    for table in ("measured", "ledgers"):
                        base.execute(f"DELETE FROM {table} WHERE visit = ?", (number,))
                    gone += base.execute("DELETE FROM visits WHERE id = ?", (number,)).rowcount
            return gone

        return self._do(write, 0)

    # -- reading ---------------------------------------------------------------------------

    def visits(
        self,
        model: Version | str | None = None,
        session: str | None = None,
        where: Filter | None = None,
    ) -> pd.DataFrame:
        """One row a visit, oldest first: COLUMNS and `branch`, the name nearest above it.

        model: a name, or a version: an empty name or fingerprint stands for any. where: which of
        them. Times are seconds since 1970; what was not measured is NaN.
        """
        asked = Version(model, "") if isinstance(model, str) else model or Version("", "")
        known = tuple(value or None for value in (asked.name, asked.weights, asked.data, session))
        rows = self._all(_LIST, known)
        found = pd.DataFrame(rows, columns=[*COLUMNS])
        numbers = ["parent", *NUMBERS]
        found[numbers] = found[numbers].astype(float)
        found = with_branches(found)
        return found if where is None else found[matching(found, where)].reset_index(drop=True)

    def tree(
        self,
        model: Version | str | None = None,
        session: str | None = None,
        where: Filter | None = None,
        folded: bool = False,
    ) -> pd.DataFrame:
        """`visits` in the order of their trees, with the lines to draw: see `arranged`."""
        return arranged(self.visits(model, session), where, folded=folded)

    def plan_of(self, visit: int) -> Plan:
        """The plan of a visit; ValueError if there is no such visit, or it is damaged."""
        sql = "SELECT plan FROM visits WHERE id = ?"
        row = self._first(sql, visit)
        if row is None:
            raise ValueError(f"no visit {visit!r} in the history")
        try:
            return Plan.from_dict(json.loads(row[0]))
        except (ValueError, TypeError, RecursionError) as error:
            raise ValueError(f"the plan of visit {visit} is damaged: {error}") from None

    def record_of(self, visit: int) -> Measured | None:
        """What was measured of a visit, or None before anything was."""
        sql = f"SELECT {', '.join(FIELDS)} FROM measured WHERE visit = ?"
        row = self._first(sql, visit)
        return None if row is None else record_from(row)

    def ledger_of(self, visit: int) -> Cost | None:
        """The ledger of a visit, or None where none was measured."""
        row = self._first("SELECT cost FROM ledgers WHERE visit = ?", visit)
        return None if row is None else cost_from(row[0])

    def models(self) -> list[Version]:
        """Every version of a model that was visited, the one visited last first."""
        sql = (
            "SELECT m.name, m.weights, m.data FROM models m JOIN visits v ON v.model = m.id "
            "GROUP BY m.id ORDER BY max(v.last) DESC"
        )
        return [Version(*row) for row in self._all(sql, ())]

    def export_csv(self, path: Path | None = None, **asked: object) -> str:
        """`visits(**asked)` as CSV, also written to `path`; times in ISO 8601, UTC."""
        found = self.visits(**asked)  # type: ignore[arg-type]
        return csv_of(found, path)

    @property
    def version(self) -> tuple[int, int]:
        """Another one after anything was written, here or by another process."""

        def read(base: sqlite3.Connection) -> tuple[int, int]:
            return base.total_changes, int(base.execute("PRAGMA data_version").fetchone()[0])

        return self._do(read, (0, 0))

    def close(self) -> None:
        """Let go of the file; there is nothing to read afterwards."""
        with self._lock:
            self._close()
            self._was = standing(None)

    # -- trouble ---------------------------------------------------------------------------

    def _all(self, sql: str, values: Sequence[object]) -> list[Sequence[Any]]:
        nothing: list[Sequence[Any]] = []
        return self._do(lambda base: base.execute(sql, values).fetchall(), nothing)

    def _first(self, sql: str, visit: int) -> Sequence[Any] | None:
        return next(iter(self._all(sql, (visit,))), None)

    def _set(self, sql: str, text: str, visit: int) -> None:
        def write(base: sqlite3.Connection) -> None:
            with transaction(base):
                base.execute(sql, (text, visit))

        self._do(write, None)

    def _do(self, act: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """What `act` makes of the file; where it fails, of what is in memory from then on."""
        with self._lock:
            try:
                if self.path is None:
                    return act(self._base)
                if is_moved(self.path, self._was):
                    self._follow(self.path)
                elif moved.is_log_lost(self.path, self._was):
                    self._hold(moved.with_new_log(self._base, self.path, self._patience))
                    self._was, self.complaint = standing(self.path), moved.LOG_LOST
                return act(self._base)
            except (sqlite3.Error, OSError) as error:
                self._complain(error)
                self._hold(in_memory(self._base))
                self._was = standing(None)
            try:
                return act(self._base)
            except (sqlite3.Error, OSError):
                return otherwise

    def _hold(self, base: sqlite3.Connection) -> None:
        self._base, self._close = base, closed_with(self, base)

    def _follow(self, path: Path) -> None:
        """Go on in the file that is there now, a new one if there is none, with all that was."""
        self._hold(carried_over(self._base, path, self._was, self._patience))
        self._was = standing(path)
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


def new_session() -> str:
    """A name for a session that no other has."""
    return uuid.uuid4().hex[:16]


def _model(base: sqlite3.Connection, model: Version, now: float) -> int:
    known: Sequence[object] = (model.name, model.weights, model.data)
    base.execute(
        "INSERT OR IGNORE INTO models (name, weights, data, first) VALUES (?, ?, ?, ?)",
        (*known, now),
    )
    sql = "SELECT id FROM models WHERE name = ? AND weights = ? AND data = ?"
    return int(base.execute(sql, known).fetchone()[0])
