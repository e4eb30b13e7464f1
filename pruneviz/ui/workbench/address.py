"""How does the address say what is on the screen, and bring it back?"""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from pruneviz.plan import Plan, from_link, to_link
from pruneviz.pruning.prune import check
from pruneviz.storage.faults import public
from pruneviz.ui.session import Session, arrive, first_plan, locks_for, networks
from pruneviz.ui.workbench.live import last_seq, reach

_SENT = "address_sent"


def here() -> Session:
    """The session of this tab; where there is none yet (a new tab, a reload, another server) the
    one that the address tells of, or else the first network.
    """
    session: Session | None = st.session_state.get("session")
    if session is not None:
        return session
    address = st.query_params
    return go_to(address.get("model", networks.first()), address.get("plan"), address.get("locked"))


def go_to(name: str, link: str | None = None, locked: str | None = None) -> Session:
    """A fresh session at the model of this name, at the plan of the link if it is whole.

    locked: layers to lock, with commas between; None: those that go with the plan.
    """
    message = None
    try:
        session = networks.begin(name)
        st.session_state.pop("complaint", None)
    except Exception as error:  # whatever a file made a library raise
        before: Session | None = st.session_state.get("session")
        message = public(error)
        if name == networks.first():
            st.session_state["complaint"] = f"{name} cannot be opened: {public(error)}"
        if before is not None:
            before.message = message
            before.moves += 1  # so that the widgets go back to the network that stands
            return before
        session = networks.begin(networks.another(name))
    if link and message is None:
        try:
            plan = from_link(link, session.bench.fingerprint)
            check(plan, session.bench.layer_of)
            settle(session, plan, None if locked is None else locked.split(","))
            message = session.message
        except ValueError as error:
            message = f"{public(error)}. This is the dense network."
    session.message = message
    session.seq = last_seq()  # what the board asked of the network before is not for this one
    st.session_state["session"] = session
    return session


def settle(session: Session, plan: Plan, locked: list[str] | None = None) -> None:
    """Settle on a plan as soon as what it needs is there."""
    reach(session, plan, lambda: plan, lambda session: arrive(session, plan, locked))


def link_to(session: Session) -> str:
    """The address of exactly this state, on this page."""
    base = (st.context.url or "").split("?")[0]
    return f"{base}?{urlencode(_query(session))}"


def _query(session: Session) -> dict[str, str]:
    bench, plan = session.bench, session.settled
    query = {"model": session.name}
    special = set(session.locked) != set(locks_for(bench, plan))
    if special or plan != first_plan(bench):
        query["plan"] = to_link(plan, bench.fingerprint)
    return query | {"locked": ",".join(session.locked)} if special else query


def write(session: Session) -> None:
    """Put the state into the address.

    A request that was on its way when the last address was sent still carries the one before; so
    what was sent counts too.
    """
    query = _query(session)
    if not st.query_params.to_dict() == query == st.session_state.get(_SENT, query):
        st.query_params.from_dict(query)
    st.session_state[_SENT] = query
