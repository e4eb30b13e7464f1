"""Has a reader done anything since the workbench was opened in this tab?"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from pruneviz.plan import Plan
from pruneviz.ui.session import Session
from pruneviz.ui.workbench.live import tab

_KEY = "lesson_arrival"


@dataclass
class Arrival:
    """What a session began with: a reload, or another network, does no step of a lesson."""

    session: Session
    state: tuple[Plan, str, int, object]
    tab: str | None
    acted: bool = False


def has_acted(session: Session, found: object = None, *, opening: bool = False) -> bool:
    """Whether something is, or was, other than it came.

    found: what other pages know of it. opening: whether to open another network counts.
    """
    if session.next_change is not None:  # what the address asks for is still on its way
        return False
    state = session.settled, session.focus, session.at, found
    before: Arrival | None = st.session_state.get(_KEY)
    if before is None or before.session is not session:
        acted = opening and before is not None
        before = st.session_state[_KEY] = Arrival(session, state, tab(), acted)
    before.tab = before.tab or tab()
    before.acted |= before.state != state or before.tab != tab()
    return before.acted
