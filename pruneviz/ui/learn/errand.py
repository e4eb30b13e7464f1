"""What does the lesson that is open ask for on another page?"""

from __future__ import annotations

import streamlit as st

from pruneviz.lessons.record import current
from pruneviz.lessons.statement import readable
from pruneviz.ui.boundary import part
from pruneviz.ui.learn import course
from pruneviz.ui.learn.steps import step_number
from pruneviz.ui.session import notebook
from pruneviz.ui.text import plain


@part
def errand(here: str) -> None:
    """On the page `here` (a title): the step that leads there, which the reader would else have to
    keep in mind. Nothing where no lesson is open, or its step is done elsewhere.
    """
    lesson = course.present_lesson()
    if lesson is None:
        return
    record = notebook.read(lesson)
    step = current(lesson, record)
    if step is None or not record.begun or step.page != here:
        return
    if step.guess and step.name not in record.guesses:
        return
    with st.container(border=True, key="errand"):
        st.caption(f"{plain(lesson.title)} · {step_number(lesson, step)} of {len(lesson.steps)}")
        st.markdown(readable(step.do))
        st.caption("Then come back with *Learn* at the top.")
