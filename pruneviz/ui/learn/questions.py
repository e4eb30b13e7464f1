"""How are the questions at the end of a lesson asked?"""

from __future__ import annotations

import streamlit as st

from pruneviz.lessons import Lesson, Question, Record
from pruneviz.lessons.record import is_complete, is_right
from pruneviz.lessons.statement import readable
from pruneviz.ui.learn import course
from pruneviz.ui.session import notebook
from pruneviz.ui.text import plain


def questions(lesson: Lesson, record: Record) -> None:
    """All of them; what is right is told by what the reader measured. Then the way on."""
    for number, question in enumerate(lesson.questions):
        record = _ask(lesson, record, number, question)
    if not is_complete(lesson, record):
        return
    st.success("This lesson is done.", icon=":material/check_circle:")
    after = course.after(lesson)
    if after is not None and st.button(
        f"Next: {plain(after.title)}", key="lesson-next", type="primary", width="stretch"
    ):
        course.go(after)
        st.rerun()


def _ask(lesson: Lesson, record: Record, number: int, question: Question) -> Record:
    answers = range(len(question.answers))
    before = record.answers.get(number)
    choice = st.radio(
        readable(question.ask, record.moments),
        answers,
        index=before if before in answers else None,
        format_func=lambda place: readable(question.answers[place].say, record.moments),
        key=f"answer-{lesson.key}-{number}",
    )
    if choice is None:
        return record
    if choice != before:
        record = record.answer(number, choice)
        notebook.write(lesson, record)
    why = readable(question.why, record.moments)
    if is_right(question, number, record):
        st.markdown(f":green[:material/check:] Right. {why}")
    else:
        st.markdown(f":orange[:material/close:] Your own measurements say otherwise. {why}")
    return record
