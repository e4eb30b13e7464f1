"""Who comes into the class?"""

from __future__ import annotations

import streamlit as st

from pruneviz.classroom import current_rules
from pruneviz.classroom.register import NAME_LENGTH
from pruneviz.storage.faults import public
from pruneviz.ui.learn import course
from pruneviz.ui.session import classmates, notebook
from pruneviz.ui.text import as_sentence, plain

_CHANGES = "class_name_changes"


def is_new_to_class() -> bool:
    """Whether somebody opens the address that was shared, and has no name in the class yet."""
    return current_rules() is not None and not st.query_params and classmates.student() is None


def has_entered() -> bool:
    """Whether whoever is here has said their name; until then the page asks for it."""
    student = classmates.student()
    if student is None:
        st.markdown(f"### {plain(classmates.rules().title)}")
        _ask("", "Begin")
        return False
    return True


def own_name() -> None:
    """The name that somebody has in the class, with the way to another one."""
    student = classmates.student()
    if student is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"You are **{plain(student.name)}** in this class.", width="content")
        if st.button("Another name", key="class-rename", type="tertiary"):
            st.session_state[_CHANGES] = True
    if st.session_state.get(_CHANGES):
        _ask(student.name, "Change")


def _ask(before: str, words: str) -> None:
    with st.form("class-name", border=True, width=420):
        name = st.text_input(
            "Your name",
            before,
            max_chars=NAME_LENGTH,
            key="class-name-text",
            help="As your teacher knows you. It is kept as long as the class lasts.",
        )
        st.caption("Your teacher sees this name, your guesses, and how far you have come.")
        click = st.form_submit_button(plain(words), type="primary")
    if not click:
        return
    try:
        classmates.register().enter(classmates.owner(), name)
    except ValueError as error:
        st.error(as_sentence(public(error)))
        return
    st.session_state.pop(_CHANGES, None)
    lessons = notebook.lessons()
    if not before and len(lessons) == 1 and not {*st.query_params} & {*course.WORDS}:
        course.go(lessons[0])
    st.rerun()
