"""What does a page know of a session, and do for it in the background?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

import streamlit as st

from pruneviz.background import Job
from pruneviz.ui.boundary import fragment
from pruneviz.ui.session import Session

_TICK = 0.4
_BEHIND = "work_behind"


@dataclass
class PageWork:
    """What one page knows of a session, and the work on what it does not know yet.

    job: at work, or ended and not yet taken note of. message: what became of the last. left:
    seconds until it has ended, where that can be told. watched: whether a running job was drawn
    last, and the page redraws itself. drawing_page: whether the whole page is being drawn. page:
    the title of the page that shows it, "" where it is gone with that page. goes_on: whether it is
    finished for a network that was left, to be there when somebody comes back to it.
    """

    page: ClassVar[str] = ""
    goes_on: ClassVar[bool] = False

    session: Session
    job: Job | None = None
    message: str | None = None
    left: float | None = None
    watched: bool = False
    drawing_page: bool = False

    @classmethod
    def of(cls, session: Session) -> Self:
        """That of this session, under the name of its class; work on another network is stopped,
        or goes on behind.
        """
        before = st.session_state.get(cls.__name__)
        if isinstance(before, cls) and before.fits(session):
            return before
        work = cls._taken_up(session) or cls(session)
        if isinstance(before, cls):
            work.succeed(before)
            if before.goes_on and before.running:
                st.session_state[_BEHIND] = [*behind(), before]
            elif before.job is not None:
                before.job.cancel()
        st.session_state[cls.__name__] = work
        return work

    @classmethod
    def _taken_up(cls, session: Session) -> Self | None:
        """The work that goes on behind for the network of this session."""
        for work in behind():
            if isinstance(work, cls) and work.session.bench is session.bench:
                st.session_state[_BEHIND] = [other for other in behind() if other is not work]
                work.session = session
                return work
        return None

    def fits(self, session: Session) -> bool:
        """Whether it is still about what the session looks at."""
        return self.session is session

    def succeed(self, before: Self) -> None:
        """Take over from the work on another network what outlives it: mostly nothing."""

    @property
    def running(self) -> bool:
        """Whether something is being worked at."""
        return self.job is not None and self.job.running

    def take_ended(self) -> Job | None:
        """The job that has ended since this was asked last."""
        job = self.job
        if job is None or job.running:
            return None
        self.job = self.left = None
        return job

    def redraw(self, draw: Callable[[Self], None]) -> None:
        """Draw a part of the page, again and again by itself while there is work."""
        self.watched = self.running
        redrawn = fragment(draw, run_every=_TICK if self.watched else None)
        self.drawing_page = True
        try:
            redrawn(self)
        finally:
            self.drawing_page = False

    def turn(self) -> None:
        """Draw the whole page anew where the work that was watched has ended meanwhile."""
        if self.watched and not self.running and not self.drawing_page:
            st.rerun()


def behind() -> list[PageWork]:
    """What is still at work for networks that were left, the one left last at the end."""
    works: list[PageWork] = st.session_state.get(_BEHIND, [])
    return [work for work in works if work.running]
