"""What has one reader done in all lessons, as a file that can be handed in?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pruneviz.lessons.goal import Goal
from pruneviz.lessons.goal_record import GoalRecord
from pruneviz.lessons.lesson import Lesson
from pruneviz.lessons.link import decode, encode
from pruneviz.lessons.record import Record, is_right

MARK = "pruneviz-worksheet"
LONGEST = 20_000_000  # bytes of a file
_CONTENT = re.compile(rf'id="{MARK}"[^>]*>([A-Za-z0-9_-]+)<')
_KIND = 1
_NAME = 80


@dataclass(frozen=True)
class Worksheet:
    """What somebody hands in. name: as they wrote it. rows: one a lesson or goal, plain values:
    what, code (of the teacher's link), done, of, error (mean distance of guesses, 0..1), right.
    """

    name: str
    rows: tuple[Mapping[str, Any], ...]

    def as_text(self) -> str:
        """As it is hidden in the file."""
        return encode({"kind": _KIND, "name": self.name, "rows": [dict(row) for row in self.rows]})


def lesson_row(lesson: Lesson, record: Record) -> dict[str, Any]:
    """A lesson in a line of the teacher's table."""
    gaps = [
        abs(float(record.moments[step.name][step.of]) - record.guesses[step.name])
        for step in lesson.steps
        if step.name in record.guesses and step.name in record.moments
    ]
    right = sum(is_right(each, number, record) for number, each in enumerate(lesson.questions))
    return {
        "what": lesson.title,
        "code": lesson.code,
        "done": len(record.moments),
        "of": len(lesson.steps),
        "error": sum(gaps) / len(gaps) if gaps else None,
        "right": right,
        "asked": len(lesson.questions),
        "verdict": "",
    }


def goal_row(goal: Goal, record: GoalRecord) -> dict[str, Any]:
    """A goal in a line of it."""
    return {
        "what": goal.title,
        "code": goal.code,
        "done": len(record.attempts),
        "of": None,
        "error": None,
        "right": None,
        "asked": None,
        "verdict": str(record.best.get("word", "")),
    }


def read_worksheet(content: bytes) -> Worksheet:
    """The worksheet in a file; ValueError says what is wrong with it."""
    if len(content) > LONGEST:
        raise ValueError(f"it has more than {LONGEST // 10**6} MB")
    found = _CONTENT.search(content.decode("utf-8", "replace"))
    if found is None:
        raise ValueError("it is no worksheet of pruneviz, or not the whole of one")
    try:
        values = decode(found[1], len(found[1]))
        rows = tuple(_row(each) for each in values["rows"])
        return Worksheet(str(values["name"])[:_NAME], rows)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ValueError("it was changed or damaged after it was made") from None


def table(sheets: Iterable[tuple[str, Worksheet]]) -> pd.DataFrame:
    """One row for each file and each lesson or goal in it; sheets: (file name, worksheet)."""
    rows = [
        {
            "name": sheet.name,
            "lesson or goal": row["what"],
            "link": row["code"],
            "steps or attempts": row["done"],
            "of": row["of"],
            "guesses off by (points)": None if row["error"] is None else 100 * row["error"],
            "right answers": row["right"],
            "questions": row["asked"],
            "best verdict": row["verdict"],
            "file": file,
        }
        for file, sheet in sheets
        for row in sheet.rows
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


COLUMNS = (
    "name", "lesson or goal", "link", "steps or attempts", "of", "guesses off by (points)",
    "right answers", "questions", "best verdict", "file",
)  # fmt: skip


def csv(frame: pd.DataFrame) -> str:
    """The table as CSV. What a spreadsheet would take for a formula is marked as text."""
    safe = frame.map(lambda cell: f"'{cell}" if _is_formula(cell) else cell)
    return safe.to_csv(index=False)


def _is_formula(cell: object) -> bool:
    return isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r")


def _row(values: Mapping[str, Any]) -> dict[str, Any]:
    def number(name: str) -> float | None:
        value = values[name]
        return None if value is None else float(value)

    texts = {name: str(values[name])[:200] for name in ("what", "code", "verdict")}
    return texts | {name: number(name) for name in ("done", "of", "error", "right", "asked")}
