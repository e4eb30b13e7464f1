"""How does a class come along?"""

from __future__ import annotations

import streamlit as st

from pruneviz.ui.boundary import fragment, part
from pruneviz.ui.classroom import collection, progress, share
from pruneviz.ui.look import tight
from pruneviz.ui.session import classmates
from pruneviz.ui.text import as_sentence, plain

_TICK = 3.0


def main() -> None:
    """The page from top to bottom; nothing of it before the code was given."""
    tight()
    if not classmates.is_teacher():
        _ask_code()
        return
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.markdown(f"### {plain(classmates.rules().title)}")
    with right:
        share.share()
    fragment(progress.progress, run_every=_TICK)()
    collection.collection()


def _ask_code() -> None:
    st.markdown("### For the teacher")
    with st.form("teacher-door", border=True, width=420, clear_on_submit=True):
        code = st.text_input(
            "Code",
            type="password",
            max_chars=60,
            key="teacher-code",
            autocomplete="off",
            help="It was printed in the terminal in which this class was started.",
        )
        click = st.form_submit_button("Open", type="primary")
    if click:
        why = classmates.enter_as_teacher(code)
        if why:
            st.error(as_sentence(why))
            return
        st.rerun()


part(main)()
