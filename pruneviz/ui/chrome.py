"""What do the pages beside the workbench have in common?"""

from __future__ import annotations

import streamlit as st

from pruneviz.background import Job
from pruneviz.ui.boundary import part, ticking
from pruneviz.ui.elsewhere import show_work
from pruneviz.ui.job_bar import job_bar
from pruneviz.ui.learn.errand import errand
from pruneviz.ui.pages import WORKBENCH
from pruneviz.ui.session import Session
from pruneviz.ui.text import as_sentence, code, plain
from pruneviz.ui.workbench import address
from pruneviz.ui.workbench.live import listen

_TICK = 0.4
_SOON = "Preparing what your choice on the workbench needs …"


@part
def heading(session: Session, title: str, line: str, help_text: str = "") -> None:
    """Title, a line on what is looked at, the way back, and what has to be said.

    What is looked at stands in the address too, so that it comes back after a reload.
    """
    show_work(title)
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.markdown(f"### {plain(title)}: {code(session.name)}\n{plain(line)}", help=plain(help_text))
    with right:
        link_back()
    errand(title)
    address.tell(session)
    if session.message and session.message != session.change:  # which the board tells
        st.warning(plain(session.message))
    if session.next_change is None:  # else what is on its way would be lost
        address.write(session)


def complain(session: Session) -> None:
    """Say it where measurements cannot be kept."""
    complaint = session.bench.studies.memory.complaint
    if complaint:
        st.warning(as_sentence(complaint))


def wait_for_choice(session: Session, words: str = _SOON) -> None:
    """Stand by while what somebody chose on the workbench is made ready; then draw the page."""

    @ticking(_TICK)
    def watch() -> None:
        if listen(session) or session.next_change is None:
            st.rerun()
        st.progress(0.0, plain(words))

    watch()


def follow(job: Job | None, key: str, left: float | None = None) -> None:
    """A `job_bar`; draws the page again when the job has ended.

    Called from a fragment that runs every moment.
    """
    if job is None or not job.running:
        st.rerun()
    job_bar(job, key, left=left)


def link_back() -> None:
    """The way to the workbench."""
    st.page_link(
        WORKBENCH,
        label="To the workbench",
        icon=":material/tune:",
        query_params=address.query_here(),
    )
