"""How does one learn to prune, step by step?"""

from __future__ import annotations

import streamlit as st

from pruneviz.lessons import Lesson
from pruneviz.ui.boundary import part
from pruneviz.ui.elsewhere import show_work
from pruneviz.ui.learn import course, panel, teacher
from pruneviz.ui.learn.controls import only
from pruneviz.ui.look import tight
from pruneviz.ui.workbench import address
from pruneviz.ui.workbench.desk import desk, leave


def main() -> None:
    """The page from top to bottom."""
    tight()
    show_work("Learn")
    lesson = course.choice()
    if lesson is None:
        course.overview()
        teacher.teacher()
        if "session" in st.session_state:
            address.write(address.here())
        return
    _lesson(lesson)


def _lesson(lesson: Lesson) -> None:
    if not lesson.own and "session" not in st.session_state and "model" not in st.query_params:
        panel.set_up(lesson)  # a link to the lesson alone: there is nothing that it would replace
    session = address.here()
    panel.mark_guesses(session, lesson)
    only(lesson)
    text, work = st.columns([1, 2.6], gap="medium")
    with work:
        desk(session)
    with text, st.container(key="lesson"):
        panel.panel(session, lesson)
    leave(session, *course.WORDS)


part(main)()
