"""How are the questions at the end of a lesson asked?"""

from __future__ import annotations

import streamlit as st

from pruneviz.lessons import Lesson, Question, Record
from pruneviz.lessons.record import MOST_WORDS, Answer, is_complete, is_right
from pruneviz.lessons.statement import number_in, readable
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
    before = record.answers.get(number)
    ask = _ask_text if question.text else _ask_number if question.number else _ask_choice
    answer = ask(question, record, before, f"answer-{lesson.key}-{number}")
    if answer is None:
        return record
    if answer != before:
        record = record.answer(number, answer)
        notebook.write(lesson, record)
    why = readable(question.why, record.moments)
    if question.text:
        if is_right(question, number, record):
            st.markdown(f"Beside yours: {why}")
    elif is_right(question, number, record):
        st.markdown(f":green[:material/check:] Right. {why}")
    else:
        st.markdown(
            f":orange[:material/close:] Your own measurements say otherwise. {why} "
            "You may answer again."
        )
    return record


def _ask_choice(question: Question, record: Record, before: Answer | None, key: str) -> int | None:
    places = range(len(question.answers))
    return st.radio(
        readable(question.ask, record.moments),
        places,
        index=before if isinstance(before, int) and before in places else None,
        format_func=lambda place: readable(question.answers[place].say, record.moments),
        key=key,
    )


def _ask_number(
    question: Question, record: Record, before: Answer | None, key: str
) -> float | None:
    right, unit = number_in(readable(question.number, record.moments))
    given = None if before is None or isinstance(before, str) else float(before)
    ask = readable(question.ask, record.moments)
    return st.number_input(
        f"{ask} ({plain(unit)})" if unit else ask,
        value=given,
        step=1.0 if right == int(right) else 0.1,
        format="%g",
        key=key,
        placeholder="a number",
    )


def _ask_text(question: Question, record: Record, before: Answer | None, key: str) -> str | None:
    words = st.text_area(
        readable(question.ask, record.moments),
        value=before if isinstance(before, str) else "",
        max_chars=MOST_WORDS,
        key=key,
        placeholder="in your own words; nobody judges them",
    )
    return words if words or before else None
