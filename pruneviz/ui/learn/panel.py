"""What does a lesson show beside the board, and when does it go on?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from pruneviz.lessons import Lesson, Record, advance, situation
from pruneviz.lessons.record import current
from pruneviz.lessons.situation import Elsewhere
from pruneviz.lessons.statement import readable
from pruneviz.plan import Plan
from pruneviz.storage.faults import public
from pruneviz.ui.allocate.device_fit_work import DeviceFitWork
from pruneviz.ui.allocate.scan_work import ScanWork
from pruneviz.ui.boundary import part
from pruneviz.ui.learn import course
from pruneviz.ui.learn.arrival import has_acted
from pruneviz.ui.learn.controls import ALL, may_reveal
from pruneviz.ui.learn.questions import questions
from pruneviz.ui.learn.steps import steps
from pruneviz.ui.session import Session, networks, notebook
from pruneviz.ui.text import as_sentence, code, plain
from pruneviz.ui.train.training_work import TrainingWork
from pruneviz.ui.workbench.ledger import LedgerWork
from pruneviz.ui.workbench.live import tab


@part
def panel(session: Session, lesson: Lesson) -> None:
    """The lesson's text with its steps, after what was done since it was drawn last."""
    record = _take(session, lesson)
    _head(lesson)
    if not record.begun:
        st.markdown(readable(lesson.intro))
        if not lesson.own and session.name != lesson.network:
            st.caption(
                f"Beside this text is still {code(session.name)}: *Begin* opens "
                f"{code(lesson.network)}, which it is about."
            )
        _begin(lesson, again=False)
        return
    with st.expander("What this lesson is about"):
        st.markdown(readable(lesson.intro))
    if not lesson.own and session.name != lesson.network:
        st.info(f"This lesson works on {code(lesson.network)}; open is {code(session.name)}.")
        if st.button(f"Open {plain(lesson.network)}", key="lesson-network"):
            course.set_up(lesson)
            st.rerun()
        return
    steps(lesson, record, measured=_now(session, Elsewhere()) is not None)
    if current(lesson, record) is None:
        questions(lesson, record)
    _foot(lesson)


def mark_guesses(session: Session, lesson: Lesson) -> None:
    """Put what was guessed beside what was measured into the chart of this session."""
    guesses: tuple[tuple[float, float], ...] = ()
    if lesson.own or session.name == lesson.network:
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
    found = _elsewhere(session)
    state = id(found.trained), found.peak, found.scanned
    acted = has_acted(session, state, opening=lesson.own)
    now = _now(session, found) if acted else None
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


def _now(session: Session, found: Elsewhere) -> dict[str, Any] | None:
    return situation(
        session.bench,
        session.name,
        session.settled,
        focus=session.focus,
        tab=tab() or "",
        undone=session.at < len(session.steps) - 1,
        own=session.name not in networks.catalogue(),
        elsewhere=found,
    )


def _elsewhere(session: Session) -> Elsewhere:
    """What the ledger and other pages know of the plan that was settled on."""
    plan = session.settled
    ledger, training, device, scan = (
        work if isinstance(work, kind) and work.fits(session) else None
        for kind in (LedgerWork, TrainingWork, DeviceFitWork, ScanWork)
        for work in [st.session_state.get(kind.__name__)]
    )
    cost = ledger.costs.get(plan) if isinstance(ledger, LedgerWork) else None
    result = training.result if isinstance(training, TrainingWork) else None
    peak = device.peaks.get(plan) if isinstance(device, DeviceFitWork) else None
    trained = None if result is None else result.trained
    looked = isinstance(scan, ScanWork) and scan.seen and not scan.running
    return Elsewhere(cost, trained, peak or 0, looked)


def _head(lesson: Lesson) -> None:
    place = course.number(lesson)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button("All lessons", key="lessons", icon=":material/arrow_back:", type="tertiary"):
            course.close()
            st.rerun()
        st.caption(f"Lesson {place:d} · {lesson.minutes:d} min")
    st.markdown(f"#### {plain(lesson.title)}")
    if lesson.code:
        st.caption(_link_text(lesson))
    if notebook.complaint():
        st.warning(as_sentence(notebook.complaint()))


def _link_text(lesson: Lesson) -> str:
    """What a teacher's link made of the lesson."""
    words = f"From your teacher · {code(lesson.network)} · link {lesson.code}"
    usual = course.original(lesson).network
    if usual == lesson.network:
        return words
    return f"{words}. The text was written for {code(usual)}; what you measure is of your network."


def _begin(lesson: Lesson, *, again: bool) -> None:
    opens = f"Opens {plain(lesson.network)} with nothing cut. What you had open is in the History."
    if st.button(
        "Start this lesson over" if again else "Begin",
        key="lesson-begin",
        type="secondary" if again else "primary",
        help="You bring the network." if lesson.own else opens,
    ):
        notebook.write(lesson, Record(begun=True))
        course.set_up(lesson)
        st.rerun()


def _foot(lesson: Lesson) -> None:
    if may_reveal(lesson):
        st.toggle(
            "All controls",
            key=ALL,
            help="Shows every control of the workbench, above the board and on it.",
        )
    with st.popover("Start over", icon=":material/restart_alt:"):
        st.markdown("Your steps, guesses and answers of this lesson are forgotten.")
        _begin(lesson, again=True)
