"""How far has everybody come in a lesson, and what did they expect?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pruneviz.classroom import Student
from pruneviz.lessons import Lesson, LessonStep, Record
from pruneviz.lessons.goal import Goal
from pruneviz.lessons.goal_record import GoalRecord
from pruneviz.lessons.record import is_complete, is_right
from pruneviz.ui.learn.goals import key
from pruneviz.ui.session import notebook


@dataclass(frozen=True)
class Row:
    """A student in a lesson. idle: seconds since they did something."""

    student: Student
    record: Record
    right: int
    complete: bool
    idle: float


@dataclass(frozen=True)
class Forecast:
    """What was expected at a step, and measured there: shares 0..1, of those who did."""

    step: LessonStep
    number: int
    expected: tuple[float, ...]
    measured: tuple[float, ...]


def rows(students: Sequence[Student], lesson: Lesson, now: float) -> list[Row]:
    """All students in a lesson, in their order; now: seconds since 1970."""
    return [_row(each, lesson, now) for each in students]


def forecasts(lesson: Lesson, entries: Sequence[Row]) -> list[Forecast]:
    """One for each step before which something is to be guessed, with its number from 1."""
    return [
        _forecast(step, number, [row.record for row in entries])
        for number, step in enumerate(lesson.steps, 1)
        if step.guess
    ]


def goal_rows(students: Sequence[Student], goal: Goal) -> list[tuple[Student, GoalRecord]]:
    """Those who tried a goal, the best first."""
    pairs = [
        (each, GoalRecord.from_text(notebook.entry_of(each.owner, key(goal)))) for each in students
    ]
    tried = [(student, record) for student, record in pairs if record.attempts]
    return sorted(tried, key=lambda pair: tuple(pair[1].best.get("rank", ())), reverse=True)


def _row(student: Student, lesson: Lesson, now: float) -> Row:
    record = notebook.record_of(student.owner, lesson)
    right = sum(is_right(each, n, record) for n, each in enumerate(lesson.questions))
    complete = record.begun and is_complete(lesson, record)
    return Row(student, record, right, complete, max(0.0, now - student.seen))


def _forecast(step: LessonStep, number: int, records: Sequence[Record]) -> Forecast:
    name = step.name
    measured = [float(r.moments[name][step.of]) for r in records if name in r.moments]
    expected = [r.guesses[name] for r in records if name in r.guesses]
    return Forecast(step, number, tuple(expected), tuple(measured))
