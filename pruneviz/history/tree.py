"""How do visits make a tree, and which of them does somebody want to see?"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

MAIN = "main"
_SEARCHED = ("name", "note", "criterion", "granularity", "scope", "branch", "plan", "model")
_Table = dict[int, list[int]]


@dataclass(frozen=True)
class Filter:
    """Which visits are wanted; what is left as it is asks for nothing.

    text: in any of the texts of a visit, layer names among them, in whatever case. accuracy,
    params: least and most, of the accuracy and of the fraction of parameters kept; what is not
    measured is in no narrower range than all.
    """

    criterion: str | None = None
    granularity: str | None = None
    text: str = ""
    accuracy: tuple[float, float] = (0.0, 1.0)
    params: tuple[float, float] = (0.0, 1.0)


def matching(visits: pd.DataFrame, where: Filter) -> pd.Series[bool]:
    """Which of the visits a filter lets through."""
    matches = pd.Series(True, index=visits.index)
    for name in ("criterion", "granularity"):
        value = getattr(where, name)
        if value is not None:
            matches &= visits[name] == value
    text = where.text.strip().casefold()
    if text:
        texts = [visits[name].astype(str).str.casefold() for name in _SEARCHED]
        hits = [column.str.contains(text, regex=False) for column in texts]
        matches &= pd.concat(hits, axis=1).any(axis=1) if len(visits) else matches
    share = visits["params_kept"] / visits["params"]
    for (low, high), column in ((where.accuracy, visits["accuracy"]), (where.params, share)):
        if (low, high) != (0.0, 1.0):
            matches &= column.between(low - 1e-12, high + 1e-12)
    return matches


def with_branches(visits: pd.DataFrame) -> pd.DataFrame:
    """The visits with `branch`: their own name, or the nearest one on the way to the root."""
    names: dict[int, str] = {}
    for number, parent, name in zip(visits["id"], visits["parent"], visits["name"], strict=True):
        above = MAIN if pd.isna(parent) else names.get(int(parent), MAIN)
        names[int(number)] = name or above  # a parent has a lower number: it was here before
    return visits.assign(branch=[names[int(number)] for number in visits["id"]])


def arrange(
    visits: pd.DataFrame, where: Filter | None = None, *, folded: bool = False
) -> pd.DataFrame:
    """The visits in the order of their tree, sessions used last on top, with two more columns.

    line: what to draw before each, one column a branch that is open. hidden: how many visits
    between this one and the next one above it are not in the table. Of the children of a visit the
    last one goes on straight below; the others are drawn before it, one column to the right.
    where: the visits that are wanted; the first of each session stays, so that it can be told.
    folded: only where something begins, forks, ends, or has a name or a note.
    """
    children = _children(visits)
    ids = set(visits["id"][matching(visits, where)]) if where else set(visits["id"])
    if folded:
        ids &= _corners(visits, children)
    roots = _roots(visits, children)
    rows: list[tuple[int, str, int]] = []
    for root in roots:
        below = _walk(root, children, ids | {root})
        if len(below) > 1 or root in ids:
            rows += below
    order = [number for number, _, _ in rows]
    frame = visits.set_index("id", drop=False).loc[order].reset_index(drop=True)
    return frame.assign(
        line=[line for _, line, _ in rows], hidden=[hidden for _, _, hidden in rows]
    )


def _children(visits: pd.DataFrame) -> _Table:
    ids = set(visits["id"])
    table: _Table = {}
    for number, parent in zip(visits["id"], visits["parent"], strict=True):
        if not pd.isna(parent) and int(parent) in ids:
            table.setdefault(int(parent), []).append(int(number))
    return table


def _roots(visits: pd.DataFrame, children: _Table) -> list[int]:
    below = {number for each in children.values() for number in each}
    latest = visits.groupby("session")["last"].max()
    roots = visits[~visits["id"].isin(below)]
    when = roots["session"].map(latest)
    order = sorted(zip(-when, roots["id"], strict=True))
    return [int(number) for _, number in order]


def _corners(visits: pd.DataFrame, children: _Table) -> set[int]:
    remarked = visits[(visits["name"] != "") | (visits["note"] != "")]["id"]
    corners = {int(number) for number in remarked} | set(_roots(visits, children))
    for number in visits["id"]:
        below = children.get(int(number), [])
        if len(below) != 1:
            corners.add(int(number))
    return corners


def _walk(root: int, children: _Table, shown: set[int]) -> list[tuple[int, str, int]]:
    """(number, line, hidden) of what is shown of one tree, top down."""
    rows: list[tuple[int, str, int]] = []
    # number, open branches to its left, whether it begins one, and how many are hidden above it
    stack = [(root, 0, False, 0)]
    while stack:
        number, depth, begins, hidden = stack.pop()
        if number in shown:
            line = "│ " * (depth - begins) + ("├─" if begins else "")
            rows.append((number, line, hidden))
            begins, hidden = False, 0
        else:
            hidden += 1
        if number not in children:
            continue
        *sides, last = children[number]
        stack.append((last, depth, begins, hidden))
        stack += [(side, depth + 1, True, hidden) for side in reversed(sides)]
    return rows
