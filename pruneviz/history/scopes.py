"""Which part of a history does somebody see: whose visits are whose, and who else reads them?"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

_BYTES = 24  # 192 bits: nobody guesses the address of a branch that is shared

# What nobody's name stands at belongs to the holder: it was visited before there were owners, or
# by Python. "" is nobody's name.
_OWNED = "(v.owner = :owner OR v.owner = '' AND :owner IS (SELECT owner FROM holder))"
# UNION, not UNION ALL: a damaged file may hold a visit that is its own ancestor.
_SHARED = """v.id IN (
    WITH RECURSIVE below (id) AS (
        SELECT s.visit FROM shares s WHERE s.token = :share
        UNION SELECT child.id FROM visits child JOIN below ON child.parent = below.id
    ) SELECT id FROM below)"""


@dataclass(frozen=True)
class Scope:
    """The part of a history that somebody sees.

    where: SQL on the table of visits, called v; values: what it names. owner: of what is written,
    "" where nobody's name is to stand at it. writes: whether anything may be.
    """

    where: str = "TRUE"
    values: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    writes: bool = True


ALL = Scope()


def owner_scope(owner: str) -> Scope:
    """What belongs to an owner; ValueError for an empty name."""
    if not owner:
        raise ValueError("the name of an owner must not be empty")
    return Scope(_OWNED, {"owner": owner}, owner)


def branch_scope(token: str) -> Scope:
    """A branch that its owner lets others read: the visit that is shared and all that came of it.

    Nothing once it is withdrawn.
    """
    return Scope(_SHARED, {"share": token}, writes=False)


def is_shared(base: sqlite3.Connection, token: str) -> bool:
    """Whether there is anything to read by this token."""
    sql = "SELECT 1 FROM shares s JOIN visits v ON v.id = s.visit WHERE s.token = ?"
    return base.execute(sql, (token,)).fetchone() is not None


def owner_of_session(base: sqlite3.Connection, scope: Scope, model: int, session: str) -> str:
    """Who a new visit of a session belongs to; ValueError where the session is somebody else's."""
    values = {"model": model, "session": session, **scope.values}
    there = "FROM visits v WHERE v.model = :model AND v.session = :session"
    other = base.execute(f"SELECT 1 {there} AND NOT {scope.where} LIMIT 1", values).fetchone()
    if other is not None:
        raise ValueError(
            f"the session {session!r} belongs to another owner; leave it out to have one of your "
            "own"
        )
    row = base.execute(f"SELECT v.owner {there} ORDER BY v.id LIMIT 1", values).fetchone()
    return scope.owner or ("" if row is None else str(row[0]))


def share(base: sqlite3.Connection, scope: Scope, visit: int) -> str | None:
    """The token by which others read what begins at a visit; None where there is no such visit."""
    values = {"visit": visit, "token": secrets.token_urlsafe(_BYTES), **scope.values}
    base.execute(
        "INSERT INTO shares (token, visit, made) SELECT :token, v.id, :made FROM visits v "
        f"WHERE v.id = :visit AND {scope.where} "
        "AND NOT EXISTS (SELECT 1 FROM shares WHERE visit = :visit)",
        values | {"made": time.time()},
    )
    sql = f"SELECT s.token FROM shares s JOIN visits v ON v.id = s.visit WHERE {scope.where}"
    row = base.execute(f"{sql} AND s.visit = :visit", values).fetchone()
    return None if row is None else str(row[0])


def withdraw(base: sqlite3.Connection, scope: Scope, visit: int) -> bool:
    """End what `share` began; whether there was anything to end."""
    mine = f"SELECT v.id FROM visits v WHERE v.id = :visit AND {scope.where}"
    values = {"visit": visit, **scope.values}
    return base.execute(f"DELETE FROM shares WHERE visit IN ({mine})", values).rowcount > 0


def claim(base: sqlite3.Connection, owner: str) -> None:
    """Make an owner the holder of what is nobody's, unless there is one."""
    base.execute("INSERT OR IGNORE INTO holder (id, owner) VALUES (1, ?)", (owner,))


def give(base: sqlite3.Connection, owner: str, to: str) -> int:
    """All visits of an owner become another's; returns how many there were."""
    sql = "UPDATE visits SET owner = ? WHERE owner = ?"
    return base.execute(sql, (to, owner)).rowcount


def release(base: sqlite3.Connection, owner: str) -> int:
    """Make nobody's what is an owner's, so that whoever claims next has it; returns how much."""
    row = base.execute("SELECT owner FROM holder").fetchone()
    if row is not None:  # what the holder had until now stays the holder's
        give(base, "", str(row[0]))
        base.execute("DELETE FROM holder")
    return give(base, owner, "")
