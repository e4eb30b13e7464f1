"""Who is where, what did they expect, and what came of the goals?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape

import streamlit as st

from pruneviz import figures
from pruneviz.classroom import Student
from pruneviz.lessons import Lesson
from pruneviz.lessons.statement import readable
from pruneviz.ui.classroom.summary import Row, forecasts, goal_rows, rows
from pruneviz.ui.learn.goals import offered_goals
from pruneviz.ui.session import classmates, notebook
from pruneviz.ui.text import plain

_HERE = 60.0  # seconds without a sign after which somebody is called away
_LEFT, _TICKS = "○", "●"
_LONG = 10  # in one column of names below that many
_STYLE = """<style>
.class-roster { display: grid; gap: 0 1.25rem; font-size: 0.8rem;
  grid-template-columns: repeat(auto-fit, minmax(min(21rem, 100%), 1fr)); }
.class-roster table { border-collapse: collapse; width: 100%; align-self: start;
  table-layout: fixed; }
.class-roster :is(td, th) { padding: 1px 6px 1px 0; height: 1.45rem; text-align: left;
  border-bottom: 1px solid light-dark(#d5d8d3, #39424a); white-space: nowrap; }
.class-roster th { font-weight: 600; }
.class-roster .name { overflow: hidden; text-overflow: ellipsis; width: 34%; }
.class-roster .steps { letter-spacing: 0.1em; }
.class-roster .answers { width: 4.2rem; }
.class-roster .state { white-space: normal; line-height: 1.15; }
.class-roster .away { opacity: 0.78; }
</style>"""


def progress() -> None:
    """Drawn again every few seconds."""
    students = classmates.register().students()
    if not students:
        st.info("Nobody is here yet. *Share* shows the address and a QR code to put on the wall.")
        return
    lessons = notebook.lessons()
    lesson = lessons[0] if len(lessons) == 1 else _choice(lessons)
    entries = rows(students, lesson, time.time())
    st.caption(plain(_counts(entries)))
    left, right = st.columns([5, 3], gap="medium")
    with left:
        st.html(_STYLE + roster(lesson, entries))
    with right:
        _show_forecasts(lesson, entries)
        _show_goals(students)


def roster(lesson: Lesson, entries: Sequence[Row]) -> str:
    """The students as tables beside each other, in HTML; names are foreign words."""
    half = len(entries) if len(entries) <= _LONG else -(-len(entries) // 2)
    parts = [entries[:half], entries[half:]]
    return (
        f'<div class="class-roster">{"".join(_table(lesson, each) for each in parts if each)}</div>'
    )


def _table(lesson: Lesson, entries: Sequence[Row]) -> str:
    width = 0.8 * max(5, len(lesson.steps) + 1)
    head = f'<th class="name">Name</th><th style="width: {width:.1f}rem">Steps</th>'
    head += '<th class="answers">Answers</th>' if lesson.questions else ""
    body = "".join(_line(lesson, row) for row in entries)
    return f"<table><thead><tr>{head}<th></th></tr></thead><tbody>{body}</tbody></table>"


def _line(lesson: Lesson, row: Row) -> str:
    done, of = len(row.record.moments), len(lesson.steps)
    name = escape(row.student.name)
    steps = f"{done} of {of} steps done"
    cells = [
        f'<td class="name" title="{name}">{name}</td>',
        f'<td class="steps"><span role="img" aria-label="{steps}" title="{steps}">'
        f"{_TICKS * done}{_LEFT * (of - done)}</span></td>",
    ]
    if lesson.questions:
        cells.append(f"<td>{row.right} / {len(lesson.questions)}</td>")
    cells.append(f'<td class="state">{escape(_state(lesson, row))}</td>')
    away = ' class="away"' if row.idle > _HERE else ""
    return f"<tr{away}>{''.join(cells)}</tr>"


def _state(lesson: Lesson, row: Row) -> str:
    words = []
    if row.student.handed:
        words.append("handed in")
    elif row.complete:
        words.append("done")
    if row.student.place and row.student.place != lesson.title:
        words.append(f"at “{row.student.place}”")
    if row.idle > _HERE:
        words.append(f"quiet {row.idle / 60:.0f} min")
    return ", ".join(words)


def _counts(entries: Sequence[Row]) -> str:
    handed = sum(bool(row.student.handed) for row in entries)
    done = sum(row.complete for row in entries)
    here = sum(row.idle <= _HERE for row in entries)
    return f"{len(entries)} came · {here} at work · {done} done · {handed} handed in"


def _choice(lessons: Sequence[Lesson]) -> Lesson:
    by_name = {lesson.name: lesson for lesson in lessons}
    name = st.segmented_control(
        "Lesson",
        [*by_name],
        default=lessons[0].name,
        required=True,
        format_func=lambda each: plain(by_name[each].title),
        key="class-lesson",
        label_visibility="collapsed",
    )
    return by_name[name or lessons[0].name]


def _show_forecasts(lesson: Lesson, entries: Sequence[Row]) -> None:
    for forecast in forecasts(lesson, entries):
        if not forecast.expected:
            continue
        many = "1 guess" if len(forecast.expected) == 1 else f"{len(forecast.expected)} guesses"
        st.markdown(f"**Expected before step {int(forecast.number)}** · {many}",
                    help=readable(forecast.step.guess))  # fmt: skip
        st.plotly_chart(
            figures.expectations(forecast.expected, forecast.measured),
            key=f"class-forecast-{lesson.key}-{forecast.step.name}",
            config={"displayModeBar": False},
        )


def _show_goals(students: Sequence[Student]) -> None:
    for goal in offered_goals():
        tried = goal_rows(students, goal)
        if not tried:
            continue
        passed = len([record for _, record in tried if record.passed])
        st.markdown(f"**{plain(goal.title)}** · {len(tried)} tried, {int(passed)} passed for sure")
        lines = []
        for place, (student, record) in enumerate(tried[:5], 1):
            kept, accuracy = 100 * record.best["kept"], 100 * record.best["accuracy"]
            word = plain(record.best["word"])
            lines.append(
                f"{place}. {plain(student.name)}: {word}, {kept:.1f} % kept, {accuracy:.1f} %"
            )
        st.markdown("\n".join(lines))
