"""Which plans were visited, by which way, and what was measured of them?"""

from __future__ import annotations

import copy
import json
import sqlite3
from collections.abc import Callable, Collection, Sequence
from operator import index  # numbers of a table are numpy's, which SQLite does not take
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from pruneviz.history import scopes, statements
from pruneviz.history.file import File
from pruneviz.history.records import (
    FIELDS,
    Measurement,
    ModelVersion,
    cost_from,
    cost_text,
    csv_of,
    new_session,
    record_from,
)
from pruneviz.history.tree import Filter, arrange, matching, with_branches
from pruneviz.measuring.ledger import Cost
from pruneviz.plan import Plan
from pruneviz.storage.database import PATIENCE, transaction

_LONGEST = 10_000  # characters of a note

T = TypeVar("T")


class History:
    """Every plan visited, in a file that many processes share; a tree for each session.

    What a method has written is on disk when it returns, and survives the end of the process
    however it comes. Where the file cannot be read or written, `complaint` says so and everything
    goes on in memory; if it is taken away while it is open, what was in it is written anew, and
    `complaint` says that. One object serves many threads.

    This sees everybody's visits; `of` sees and changes those of one owner, and `branch` reads a
    branch that an owner shares. What another owner has is as if it were not there.

    folder: where the file is, or is to be; None: in memory alone. session: of visits that name
    none; a new one by default. The file is closed by `close`, or with the last who holds this.
    """

    def __init__(
        self, folder: Path | None, session: str | None = None, patience: float = PATIENCE
    ) -> None:
        self.session = session or new_session()
        self._file, self._scope = File(folder, patience), scopes.ALL

    @property
    def path(self) -> Path | None:
        """The file, or where it was to be; None: there is to be none."""
        return self._file.path

    @property
    def complaint(self) -> str:
        """Why everything goes on in memory, or what had to be mended; "" where all is well."""
        return self._file.complaint

    # -- writing ---------------------------------------------------------------------------

    def visit(
        self,
        model: ModelVersion,
        plan: Plan,
        parent: int | None = None,
        branch: str = "",
        session: str | None = None,
    ) -> int:
        """Write down that `plan` was visited, coming from the visit `parent`; returns its number.

        A plan visited again in the same session keeps its number and place: it is counted. branch:
        a name for what begins here.
        """
        visit = statements.Visit(model, plan, parent, branch.strip(), session or self.session)
        return self._write(lambda base: statements.visit(base, self._scope, visit), 0)

    def record_measurement(self, visit: int, record: Measurement) -> None:
        """Keep what was measured of a visit, unless more samples were measured before."""
        self._write(
            lambda base: statements.keep_measurement(base, self._scope, visit, record), None
        )

    def record_cost(self, visit: int, cost: Cost) -> None:
        """Keep the ledger of a visit, in place of the one before."""
        sql = "INSERT OR REPLACE INTO ledgers (cost, visit) SELECT :value, v.id FROM visits v"
        self._set(sql, visit, cost_text(cost))

    def note(self, visit: int, text: str) -> None:
        """Put a note to a visit, in place of the one before."""
        self._set("UPDATE visits AS v SET note = :value", visit, text.strip()[:_LONGEST])

    def name_branch(self, visit: int, name: str) -> None:
        """Name what begins at a visit; "" takes the name away."""
        self._set("UPDATE visits AS v SET name = :value", visit, name.strip())

    def delete(self, visits: Collection[int]) -> int:
        """Forget these visits; what came after them stays, one place further up the tree.

        Returns how many there were.
        """
        return self._write(lambda base: statements.delete(base, self._scope, visits), 0)

    # -- reading ---------------------------------------------------------------------------

    def visits(
        self,
        model: ModelVersion | str | None = None,
        session: str | None = None,
        where: Filter | None = None,
    ) -> pd.DataFrame:
        """One row a visit, oldest first: `COLUMNS` and `branch`, the name nearest above it.

        model: a name, or a version: an empty name or fingerprint stands for any. where: which of
        them. Times are seconds since 1970; what was not measured is NaN.
        """
        version = (
            ModelVersion(model, "") if isinstance(model, str) else model or ModelVersion("", "")
        )
        texts = {"name": version.name, "weights": version.weights, "data": version.data}
        values = {name: value or None for name, value in {**texts, "session": session}.items()}
        rows = self._all(f"{statements.LIST} AND {self._scope.where} ORDER BY v.id", **values)
        frame = with_branches(statements.table_of(rows))
        return frame if where is None else frame[matching(frame, where)].reset_index(drop=True)

    def tree(
        self,
        model: ModelVersion | str | None = None,
        session: str | None = None,
        where: Filter | None = None,
        folded: bool = False,
    ) -> pd.DataFrame:
        """`visits` in the order of their trees, with the lines to draw: see `arrange`."""
        return arrange(self.visits(model, session), where, folded=folded)

    def plan_of(self, visit: int) -> Plan:
        """The plan of a visit; ValueError if there is no such visit, or it is damaged."""
        row = self._first("SELECT v.plan FROM visits v", visit)
        if row is None:
            raise ValueError(f"no visit {visit!r} in the history")
        try:
            return Plan.from_dict(json.loads(row[0]))
        except (ValueError, TypeError, RecursionError) as error:
            raise ValueError(f"the plan of visit {visit} is damaged: {error}") from None

    def record_of(self, visit: int) -> Measurement | None:
        """What was measured of a visit, or None before anything was."""
        fields = ", ".join(f"r.{name}" for name in FIELDS)
        sql = f"SELECT {fields} FROM measured r JOIN visits v ON v.id = r.visit"
        row = self._first(sql, visit)
        return None if row is None else record_from(row)

    def ledger_of(self, visit: int) -> Cost | None:
        """The ledger of a visit, or None where none was measured."""
        row = self._first("SELECT l.cost FROM ledgers l JOIN visits v ON v.id = l.visit", visit)
        return None if row is None else cost_from(row[0])

    def models(self) -> list[ModelVersion]:
        """Every version of a model that was visited, the one visited last first."""
        sql = (
            "SELECT m.name, m.weights, m.data FROM models m JOIN visits v ON v.model = m.id "
            f"WHERE {self._scope.where} GROUP BY m.id ORDER BY max(v.last) DESC"
        )
        return [ModelVersion(*row) for row in self._all(sql)]

    def export_csv(self, path: Path | None = None, **asked: object) -> str:
        """`visits(**asked)` as CSV, also written to `path`; times in ISO 8601, UTC."""
        return csv_of(self.visits(**asked), path)  # type: ignore[arg-type]

    @property
    def version(self) -> tuple[int, int]:
        """Another one after anything was written, here or by another process."""

        def read(base: sqlite3.Connection) -> tuple[int, int]:
            return base.total_changes, int(base.execute("PRAGMA data_version").fetchone()[0])

        return self._file.do(read, (0, 0))

    def close(self) -> None:
        """Let go of the file; there is nothing to read afterwards."""
        self._file.close()

    # -- owners ----------------------------------------------------------------------------

    def of(self, owner: str) -> History:
        """The same history as one owner sees it, by whatever name: `"ann"`, a fingerprint."""
        return self._within(scopes.owner_scope(owner))

    def branch(self, token: str) -> History:
        """A branch that somebody shares, by the token that `share` returned; it can be read only.

        ValueError: it is not, or no longer, shared.
        """
        if not self._file.do(lambda base: scopes.is_shared(base, token), False):
            raise ValueError("nothing is shared under this address: it was withdrawn, or cut short")
        return self._within(scopes.branch_scope(token))

    def share(self, visit: int) -> str:
        """Let others read what begins at a visit; returns the token to give them, the same again.

        Whoever has it reads plans, numbers, names and notes, also those to come. ValueError: there
        is no such visit.
        """
        token = self._write(lambda base: scopes.share(base, self._scope, index(visit)), None)
        if token is None:
            raise ValueError(f"no visit {visit!r} in the history")
        return token

    def withdraw(self, visit: int) -> bool:
        """Share a branch no longer; whether it was shared."""
        return self._write(lambda base: scopes.withdraw(base, self._scope, index(visit)), False)

    @property
    def shares(self) -> dict[int, str]:
        """Visit -> token of the branches that are shared."""
        sql = "SELECT s.visit, s.token FROM shares s JOIN visits v ON v.id = s.visit"
        rows = self._all(f"{sql} WHERE {self._scope.where} ORDER BY s.made")
        return {int(visit): str(token) for visit, token in rows}

    @property
    def holds(self) -> bool:
        """Whether this owner has what is nobody's: visited before there were owners, or by Python.

        Of everybody's history, which has all: True.
        """
        return self._scope is scopes.ALL or self._scope.owner == self._holder

    def claim(self) -> bool:
        """Have what is nobody's, if no owner asked for it before; whether this owner has it."""
        owner = self._scope.owner
        if not owner:
            raise ValueError("only an owner can claim what is nobody's: history.of(name).claim()")
        if self._holder is None:  # nobody who comes later has to wait for a writer
            self._write(lambda base: scopes.claim(base, owner), None)
        return self.holds

    def give(self, owner: str, to: str) -> int:
        """All visits of an owner become another's; returns how many there were."""
        return self._write(lambda base: scopes.give(base, owner, to), 0)

    def release(self, owner: str) -> int:
        """Make what an owner has nobody's, so that whoever opens the app next has it.

        For somebody whose browser forgot who it is. Returns how many visits there were.
        """
        return self._write(lambda base: scopes.release(base, owner), 0)

    @property
    def owners(self) -> pd.DataFrame:
        """One row an owner, the one seen last first: owner ("": nobody), visits, sessions, last."""
        sql = (
            "SELECT v.owner, count(*), count(DISTINCT v.session), max(v.last) AS latest "
            f"FROM visits v WHERE {self._scope.where} GROUP BY v.owner ORDER BY latest DESC"
        )
        return pd.DataFrame(self._all(sql), columns=["owner", "visits", "sessions", "last"])

    @property
    def _holder(self) -> str | None:
        row = next(iter(self._all("SELECT owner FROM holder")), None)
        return None if row is None else str(row[0])

    def _within(self, scope: scopes.Scope) -> History:
        history = copy.copy(self)  # over the same file
        history._scope, history.session = scope, new_session()
        return history

    # -- the file --------------------------------------------------------------------------

    def _all(self, sql: str, **values: object) -> list[Sequence[Any]]:
        nothing: list[Sequence[Any]] = []
        parameters = values | dict(self._scope.values)
        return self._file.do(lambda base: base.execute(sql, parameters).fetchall(), nothing)

    def _first(self, sql: str, visit: int) -> Sequence[Any] | None:
        where = f"v.id = :visit AND {self._scope.where}"
        return next(iter(self._all(f"{sql} WHERE {where}", visit=index(visit))), None)

    def _write(self, act: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        if not self._scope.writes:
            raise ValueError("this branch is shared to be read: only its owner can change it")

        def write(base: sqlite3.Connection) -> T:
            with transaction(base):
                return act(base)

        return self._file.do(write, otherwise)

    def _set(self, sql: str, visit: int, value: object, more: str = "") -> None:
        """`sql` on the visit of this number, if it is there; more: what comes after the WHERE."""
        parameters = {"visit": index(visit), "value": value, **self._scope.values}
        where = f"v.id = :visit AND {self._scope.where}"
        self._write(lambda base: base.execute(f"{sql} WHERE {where} {more}", parameters), None)
