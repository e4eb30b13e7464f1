"""How does a student hand in what they did, without a file?"""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from pruneviz.storage.faults import public
from pruneviz.ui.boundary import part
from pruneviz.ui.learn import course, goals
from pruneviz.ui.learn.worksheet import worksheet_page
from pruneviz.ui.session import classmates
from pruneviz.ui.text import as_sentence


@part
def hand_in(key: str) -> None:
    """A button that gives the teacher the worksheet as it is now; nothing where nothing is begun.

    key: tells this place from others.
    """
    student = classmates.student()
    lessons, attempts = course.progress(), goals.progress()
    if student is None or not (lessons or attempts):
        return
    name = student.name
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        click = st.button(
            "Hand in",
            key=f"class-hand-in-{key}",
            icon=":material/assignment_turned_in:",
            help="Gives your teacher all that you predicted, measured and answered until now. You "
            "may hand in again: the last one counts.",
        )
        st.download_button(
            "For yourself",
            lambda: worksheet_page(name, lessons, attempts),
            file_name="worksheet.html",
            mime="text/html",
            key=f"class-worksheet-{key}",
            type="tertiary",
            on_click="ignore",
            help="The same as a file that you keep.",
        )
    if click:
        try:
            sheet = worksheet_page(name, lessons, attempts)
            classmates.register().hand_in(student.owner, sheet)
        except ValueError as error:
            st.error(as_sentence(public(error)))
            return
    student = classmates.student()
    if student is not None and student.handed:
        st.caption(f"Handed in at {datetime.fromtimestamp(student.handed):%H:%M}.")
