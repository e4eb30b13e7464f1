"""Which lessons are there, and which one is open?"""

from __future__ import annotations

import streamlit as st

from pruneviz.lessons import Lesson, Record
from pruneviz.lessons.record import is_complete
from pruneviz.ui.boundary import part
from pruneviz.ui.session import notebook
from pruneviz.ui.text import as_sentence, plain
from pruneviz.ui.workbench import address

LESSON = "lesson"  # in the address
_OPEN = "lesson_open"


def choice() -> Lesson | None:
    """The lesson that the address names, or that was open in this tab; None: the overview."""
    lessons = notebook.lessons()
    word = st.query_params.get(LESSON)
    if word is None and not address.went():
        word = st.session_state.get(_OPEN)
    elif (word is not None and not word.isdecimal()) or (word is not None and not _fits(word)):
        st.error(as_sentence(f"There is no lesson {word[:40]!r}; there are 1 to {len(lessons)}"))
        word = None
    if word is None:
        close()
        return None
    go(lessons[int(word) - 1])
    return lessons[int(word) - 1]


def go(lesson: Lesson) -> None:
    """Open a lesson; it stands in the address."""
    word = str(number(lesson))
    st.session_state[_OPEN] = word
    if st.query_params.get(LESSON) != word:
        st.query_params[LESSON] = word


def close() -> None:
    """Back to the overview."""
    st.session_state.pop(_OPEN, None)
    st.query_params.pop(LESSON, None)


def number(lesson: Lesson) -> int:
    """The place of a lesson, from 1."""
    return [each.name for each in notebook.lessons()].index(lesson.name) + 1


def after(lesson: Lesson) -> Lesson | None:
    """The next lesson; None after the last."""
    lessons = notebook.lessons()
    place = number(lesson)
    return lessons[place] if place < len(lessons) else None


@part
def overview() -> None:
    """All lessons, with how far one has come in each."""
    lessons = notebook.lessons()
    minutes = sum(lesson.minutes for lesson in lessons)
    st.markdown(
        "### Learn to prune\n"
        f"{len(lessons)} short lessons, about {minutes:d} minutes in all. You work on real "
        "networks, guess what will happen, and measure it. Begin with the first: each needs "
        "what was said before."
    )
    if notebook.complaint():
        st.warning(as_sentence(notebook.complaint()))
    columns = st.columns(3, gap="small")
    for place, lesson in enumerate(lessons):
        with columns[place % 3], st.container(border=True, key=f"card-{place + 1}"):
            _card(place + 1, lesson, notebook.read(lesson))


def _card(place: int, lesson: Lesson, record: Record) -> None:
    st.markdown(f"**{place}. {plain(lesson.title)}**")
    st.caption(
        f"{lesson.minutes:d} minutes · {plain(lesson.network)} · {_steps_done(lesson, record)}"
    )
    words = (
        "Open" if not record.begun else "Go on" if not is_complete(lesson, record) else "Look again"
    )
    if st.button(words, key=f"open-{place}", help=f"Open lesson {place}: {plain(lesson.title)}"):
        go(lesson)
        st.rerun()


def _steps_done(lesson: Lesson, record: Record) -> str:
    if is_complete(lesson, record):
        return ":green[:material/check_circle: done]"
    return f"{len(record.moments)} of {len(lesson.steps)} steps" if record.begun else "not begun"


def _fits(word: str) -> bool:
    return len(word) < 4 and 1 <= int(word) <= len(notebook.lessons())
