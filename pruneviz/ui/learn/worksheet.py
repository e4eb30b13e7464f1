"""How does a reader hand in what they did, and a teacher read it?"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pruneviz.lessons import Lesson, Question, Record
from pruneviz.lessons.goal import Goal
from pruneviz.lessons.goal_record import GoalRecord
from pruneviz.lessons.record import is_right
from pruneviz.lessons.statement import readable
from pruneviz.lessons.worksheet import (
    MARK,
    Worksheet,
    csv,
    goal_row,
    lesson_row,
    read_worksheet,
    table,
)
from pruneviz.report.page import Charts, page
from pruneviz.report.parts import escape, paragraph, section
from pruneviz.report.parts import table as html_table
from pruneviz.storage.faults import public
from pruneviz.ui.boundary import part
from pruneviz.ui.text import plain

Lessons = Sequence[tuple[Lesson, Record]]
_NAME = "What the worksheet is headed with, and what your teacher reads in the table."
Goals = Sequence[tuple[Goal, GoalRecord]]


@part
def hand_in(lessons: Lessons, goals: Goals) -> None:
    """A file with all that a reader predicted, measured and answered."""
    with st.expander("Worksheet", icon=":material/assignment_turned_in:"):
        st.markdown(
            "All that you predicted, measured and answered, as one file: to print, or to hand in."
        )
        if not lessons and not goals:
            st.caption("Nothing is begun yet.")
            return
        left, right = st.columns([2, 1], vertical_alignment="bottom")
        name = left.text_input("Your name", key="worksheet-name", max_chars=80, help=_NAME)
        right.download_button(
            "Download",
            lambda: worksheet_page(name, lessons, goals),
            file_name="worksheet.html",
            mime="text/html",
            key="worksheet-download",
            icon=":material/download:",
            on_click="ignore",
            width="stretch",
        )


@part
def collect() -> None:
    """Worksheets that were handed in, as one table."""
    st.markdown("Drop the worksheets of your class here. They stay in this browser tab.")
    files = st.file_uploader(
        "Worksheets", ["html", "htm"], accept_multiple_files=True, key="worksheets",
        help="The files that your students downloaded under *Worksheet*, as many as you like.",
    )  # fmt: skip
    sheets, wrong = [], []
    for file in files or []:
        try:
            sheets.append((file.name, read_worksheet(file.getvalue())))
        except ValueError as error:
            wrong.append(f"{file.name}: {public(error)}")
    if wrong:
        st.warning("These files were left out.")
        for sentence in wrong:
            st.markdown(plain(sentence))
    if sheets:
        show_table(table(sheets), len(sheets))


def show_table(frame: pd.DataFrame, files: int) -> None:
    """The table of a class, and the way to take it along."""
    st.caption(f"{files} worksheet{'' if files == 1 else 's'}")
    st.dataframe(frame, hide_index=True, key="worksheet-table")
    st.download_button(
        "Download as CSV",
        csv(frame),
        file_name="worksheets.csv",
        mime="text/csv",
        key="worksheet-csv",
        on_click="ignore",
    )


def worksheet_page(name: str, lessons: Lessons, goals: Goals) -> str:
    """The file: for people, with the same as data that `read_worksheet` finds."""
    rows = [lesson_row(*each) for each in lessons] + [goal_row(*each) for each in goals]
    sheet = Worksheet(name.strip() or "no name", tuple(rows))
    when = datetime.datetime.now(datetime.UTC).strftime("%d %B %Y")
    parts = [
        f"<header><h1>{escape(sheet.name)}</h1>{paragraph(f'pruneviz · {when}', 'soft')}</header>",
        *(_lesson(*each) for each in lessons),
        _goals(goals) if goals else "",
        f'<p id="{MARK}" hidden>{sheet.as_text()}</p>',
    ]
    return page(f"Worksheet of {sheet.name}", parts, Charts())


def _lesson(lesson: Lesson, record: Record) -> str:
    steps = [
        {
            "step": bare(step.do),
            "expected": _percent(record.guesses.get(step.name)),
            "measured": _percent(record.moments.get(step.name, {}).get(step.of)),
        }
        for step in lesson.steps
    ]
    answers = [
        {
            "question": bare(readable(each.ask, record.moments)),
            "answer": _answer(lesson, record, number),
            "right": _right(each, number, record),
        }
        for number, each in enumerate(lesson.questions)
        if not each.text
    ]
    link = f" · link {lesson.code}" if lesson.code else ""
    words = f"{lesson.network}{link} · {len(record.moments)} of {len(lesson.steps)} steps"
    parts = [paragraph(words, "soft"), html_table(pd.DataFrame(steps))]
    parts += [html_table(pd.DataFrame(answers))] if answers else []
    parts += _own_words(lesson, record)
    return section(f"lesson-{lesson.key}", lesson.title, *parts)


def _own_words(lesson: Lesson, record: Record) -> list[str]:
    """What a reader wrote, over the whole width: a column of a table is narrow on paper."""
    pairs = [
        (
            paragraph(bare(readable(question.ask, record.moments)), "soft"),
            paragraph(_answer(lesson, record, number), "words"),
        )
        for number, question in enumerate(lesson.questions)
        if question.text
    ]
    return [piece for pair in pairs for piece in pair]


def _answer(lesson: Lesson, record: Record, number: int) -> str:
    question, given = lesson.questions[number], record.answers.get(number)
    if given is None:
        return "–"
    if question.text or isinstance(given, str):
        return str(given)
    if question.number:
        return f"{given:g}"
    options = question.answers
    say = options[int(given)].say if 0 <= int(given) < len(options) else "–"
    return bare(readable(say, record.moments))


def _right(question: Question, number: int, record: Record) -> str:
    return "yes" if is_right(question, number, record) else "no"


def _goals(goals: Goals) -> str:
    rows = [
        {
            "goal": goal.title,
            "network": goal.network,
            "attempts": len(record.attempts),
            "best verdict": str(record.best.get("word", "–")),
            "parameters kept": _percent(record.best.get("kept")),
            "accuracy": _percent(record.best.get("accuracy")),
        }
        for goal, record in goals
    ]
    return section("goals", "Goals", html_table(pd.DataFrame(rows)))


def bare(text: str) -> str:
    """Markdown without its marks, in one line."""
    return re.sub(r"[*`]", "", " ".join(readable(text).split()))


def _percent(share: object) -> str:
    return f"{100 * share:.1f} %" if isinstance(share, int | float) else "–"
