"""What follows from what is done on the board?"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pruneviz.plan import Plan
from pruneviz.storage.faults import public
from pruneviz.ui.board import board
from pruneviz.ui.boundary import fragment, part
from pruneviz.ui.session import Session, arrive, jobs, obey
from pruneviz.ui.workbench import trade_off
from pruneviz.ui.workbench.board_data import BOARD, board_data, board_request
from pruneviz.ui.workbench.matching import match
from pruneviz.ui.workbench.news import next_look

TABS = "tabs"
_WAIT = 0.8


def listen(session: Session) -> bool:
    """Do what the board asks and take note of work that has ended.

    Returns whether the page around the board must be drawn anew.
    """
    focus, again, request = session.focus, False, board_request()
    if request is not None and request.seq > session.seq:
        if (
            request.kind in ("drag", "play")
            and session.job is not None
            and session.next_change is None
        ):
            session.job.cancel()
        again = obey(session, request) or session.focus != focus
        if request.kind == "return":
            again |= _return(session, request.point)
        if request.kind == "sharpen":
            jobs.sharpen(session.bench, session.live)
        elif request.kind == "match":
            match(session, reach)
            again = True
    return _take_job(session) or again


@part
def live_board(session: Session) -> None:
    """The board, which looks for news by itself while something is measured in the background."""
    _drawn(session, _board)


@part
def live_words(session: Session, draw: Callable[[], object]) -> None:
    """What is told of the settled plan on another page, redrawn until all of it is measured."""

    def words(session: Session) -> None:
        if not session.drawing_page:
            ended = listen(session) or (session.job is None and not session.unmeasured)
            if ended:  # the page drawn anew no longer ticks
                st.rerun()
        draw()

    _drawn(session, words, next_look(session))


def tab() -> str | None:
    """The tab below the board that is open."""
    name: str | None = st.session_state.get(TABS)
    return name


def last_seq() -> int:
    """The number of the last request that came from the board, 0 before any."""
    request = board_request()
    return 0 if request is None else request.seq


@part
def measure(session: Session) -> None:
    """Start measuring the plan that was settled on, instead of the one before.

    To be called when the page stands: the first job loads half of torch's compiler, and whatever
    is drawn at the same time would wait for it.
    """
    if not session.unmeasured or session.next_change is not None:
        return
    session.unmeasured = False
    if session.job is not None:
        session.job.cancel()
    if jobs.is_measured(session.bench, session.settled):
        session.job = None
        if session.diary is not None:
            session.diary.catch_up(session.settled)
        if session.awaits:  # another visitor measured it while this page was drawn without it
            st.rerun()
    else:
        write = None if session.diary is None else session.diary.record_measurement
        session.job = jobs.measure(session.bench, session.settled, session.facts.warnings, write)


def reach(
    session: Session, plan: Plan, make: Callable[[], Plan], go: Callable[[Session], None]
) -> bool:
    """Go where a click leads as soon as the graph, evidence and ranking it needs are ready.

    plan: of the criterion and granularity asked for; `make` tells the plan, `go` settles on it.
    Returns whether it went there now; else the session waits for its job.
    """
    if session.job is not None:
        session.job.cancel()
    session.job, session.next_change = jobs.prepare(session.bench, plan, make), go
    session.job.wait(_WAIT)
    _take_job(session)
    if session.next_change is not None:
        session.message = "Your choice takes effect as soon as what it needs is ready."
    return session.next_change is None


def _return(session: Session, point: str) -> bool:
    """To the plan of a point of the chart; returns whether there is one elsewhere."""
    plan = trade_off.plan_at(session, point)
    if plan is None or plan == session.settled:
        return False
    reach(session, plan, lambda: plan, lambda session: arrive(session, plan))
    return True


def _drawn(
    session: Session, draw: Callable[[Session], None], run_every: float | None = None
) -> None:
    drawn = fragment(draw, run_every)
    session.drawing_page = True
    try:
        drawn(session)
    finally:
        session.drawing_page = False


def _board(session: Session) -> None:
    # While the whole page is drawn it needs no second drawing, and a click on it would be lost.
    # A click on a tab that leaves the browser together with what the board asks for draws no page.
    if not session.drawing_page and (listen(session) or tab() != session.tab):
        st.rerun()
    data = board_data(session)
    session.awaits = data["look"] is not None
    board(data, key=BOARD, on_request=_nothing)


def _take_job(session: Session) -> bool:
    job, go = session.job, session.next_change
    if job is None or job.running:
        return False
    session.job = session.next_change = None
    if job.error is not None:
        session.message = job.error if go is not None else f"measuring stopped: {job.error}"
    elif go is not None and not job.cancelled:
        session.message = None
        _try(session, go)
    session.unmeasured |= go is not None or job.abandoned
    session.moves += go is not None  # so that the widgets show what stands now
    return not job.cancelled


def _try(session: Session, go: Callable[[Session], None]) -> None:
    try:
        go(session)
    except ValueError as error:
        session.message = public(error)


def _nothing() -> None:
    """The request is read when the script runs; Streamlit asks for a callback all the same."""
