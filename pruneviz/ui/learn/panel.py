"""What does a lesson show beside the board, and when does it go on?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from pruneviz.lessons import Lesson, Record, advance, situation
from pruneviz.lessons.record import current
from pruneviz.lessons.statement import readable
from pruneviz.plan import Plan
from pruneviz.storage.faults import public
from pruneviz.ui.boundary import part
from pruneviz.ui.learn import course
from pruneviz.ui.learn.arrival import has_acted
from pruneviz.ui.learn.controls import ALL
from pruneviz.ui.learn.questions import questions
from pruneviz.ui.learn.steps import steps
from pruneviz.ui.session import Session, notebook
from pruneviz.ui.text import as_sentence, code, plain
from pruneviz.ui.workbench import address
from pruneviz.ui.workbench.ledger import LedgerWork
from pruneviz.ui.workbench.live import tab


@part
def panel(session: Session, lesson: Lesson) -> None:
    """The lesson's text with its steps, after what was done since it was drawn last."""
    record = _take(session, lesson)
    _head(lesson)
    if not record.begun:
        st.markdown(readable(lesson.intro))
        _begin(lesson, again=False)
        return
    with st.expander("What this lesson is about"):
        st.markdown(readable(lesson.intro))
    if session.name != lesson.network:
        st.info(f"This lesson works on {code(lesson.network)}; open is {code(session.name)}.")
        if st.button(f"Open {plain(lesson.network)}", key="lesson-network"):
            set_up(lesson)
            st.rerun()
        return
    steps(lesson, record, measured=_now(session) is not None)
    if current(lesson, record) is None:
        questions(lesson, record)
    _foot(lesson)


def mark_guesses(session: Session, lesson: Lesson) -> None:
    """Put what was guessed beside what was measured into the chart of this session."""
    guesses: tuple[tuple[float, float], ...] = ()
    if session.name == lesson.network:
        record = notebook.read(lesson)
        guesses = tuple(
            (moment["kept"] * session.bench.counts(Plan()).params, record.guesses[step.name])
            for step in lesson.steps
            if step.of == "accuracy" and step.name in record.guesses
            for moment in [record.moments.get(step.name)]
            if moment is not None
        )
    session.facts.guesses = guesses


def _take(session: Session, lesson: Lesson) -> Record:
    """The record after what the session shows now; a step that is done stays done."""
    record = notebook.read(lesson)
    now = _now(session) if has_acted(session) else None
    if now is None:
        return record
    try:
        after = advance(lesson, record, now, session.settled)
    except ValueError as error:
        st.error(as_sentence(f"a step of this lesson cannot be checked: {public(error)}"))
        return record
    if after != record:
        notebook.write(lesson, after)
        mark_guesses(session, lesson)
        st.rerun()
    return record


def _now(session: Session) -> dict[str, Any] | None:
    work = st.session_state.get(LedgerWork.__name__)
    costs = work.costs if isinstance(work, LedgerWork) and work.fits(session) else {}
    return situation(
        session.bench,
        session.name,
        session.settled,
        focus=session.focus,
        tab=tab() or "",
        undone=session.at < len(session.steps) - 1,
        cost=costs.get(session.settled),
    )


def _head(lesson: Lesson) -> None:
    place, total = course.number(lesson), len(notebook.lessons())
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button("All lessons", key="lessons", icon=":material/arrow_back:", type="tertiary"):
            course.close()
            st.rerun()
        st.caption(f"Lesson {place:d} of {total:d} · {lesson.minutes:d} min")
    st.markdown(f"#### {plain(lesson.title)}")
    if lesson.code:
        st.caption(_link_text(lesson))
    if notebook.complaint():
        st.warning(as_sentence(notebook.complaint()))


def _link_text(lesson: Lesson) -> str:
    """What a teacher's link made of the lesson."""
    words = f"From your teacher · {code(lesson.network)} · link {lesson.code}"
    usual = notebook.lessons()[course.number(lesson) - 1].network
    if usual == lesson.network:
        return words
    return f"{words}. The text was written for {code(usual)}; what you measure is of your network."


def _begin(lesson: Lesson, *, again: bool) -> None:
    if st.button(
        "Start this lesson over" if again else "Begin",
        key="lesson-begin",
        type="secondary" if again else "primary",
        help=f"Opens {plain(lesson.network)} with nothing cut. What you had open is in the "
        "History.",
    ):
        notebook.write(lesson, Record(begun=True))
        set_up(lesson)
        st.rerun()


def set_up(lesson: Lesson) -> None:
    """Open the lesson's network with what is asked for when it begins."""
    session = address.go_to(address.Address(lesson.network))
    if lesson.plan != Plan() and session.name == lesson.network:
        address.settle(session, lesson.plan)


def _foot(lesson: Lesson) -> None:
    if lesson.reveal:
        st.toggle(
            "All controls",
            key=ALL,
            help="Shows everything that stands above the board on the workbench.",
        )
    with st.popover("Start over", icon=":material/restart_alt:"):
        st.markdown("Your steps, guesses and answers of this lesson are forgotten.")
        _begin(lesson, again=True)
