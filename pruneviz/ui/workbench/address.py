"""How does the address say what is on the screen, and bring it back?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pruneviz.plan import Plan, from_link, to_link
from pruneviz.pruning.prune import check
from pruneviz.storage.faults import public
from pruneviz.ui.session import (
    Session,
    UndoStep,
    arrive,
    networks,
    versions,
)
from pruneviz.ui.session.branch import return_to
from pruneviz.ui.session.levels import first_plan, locks_for
from pruneviz.ui.session.score_source import base_of
from pruneviz.ui.text import as_sentence
from pruneviz.ui.workbench.live import last_seq, reach

_SENT, _ARRIVED, _NOTICE, _WISH = (f"address_{n}" for n in ("sent", "arrived", "notice", "wish"))


@dataclass(frozen=True)
class Address:
    """What the address of a page names, on whichever page.

    version: the key of a trained version, "" for what was not trained here. plan: as a link, ""
    for the one that every session begins with. locked: layers to lock, with commas between; None:
    those that go with the plan. branch: number of the visit in the history, "" before any; two
    addresses that differ in it alone lead to the same plan.
    """

    model: str
    plan: str = ""
    locked: str | None = None
    version: str = ""
    branch: str = field(default="", compare=False)

    @property
    def query(self) -> dict[str, str]:
        """As the browser has it."""
        words = {"version": self.version, "plan": self.plan, "branch": self.branch}
        words = {"model": self.model} | {name: word for name, word in words.items() if word}
        return words if self.locked is None else words | {"locked": self.locked}


def here() -> Session:
    """The session of this tab, where Back and Forward lead too; where there is none yet (a new
    tab, a reload, another server) the one that the address tells of, or else the first network.
    """
    session: Session | None = st.session_state.get("session")
    params, moved = st.query_params.to_dict(), went()
    if session is None or moved or params == st.session_state.get(_SENT):
        st.session_state[_SENT], st.session_state[_ARRIVED] = params, True
    if session is None:
        return go_to(_read())
    return _follow(session, _read()) if moved else session


def went() -> bool:
    """Whether Back or Forward led here.

    Streamlit says so, except where something else was asked for at the same time. But once a
    browser has the address that was sent last, only they lead to another.
    """
    if getattr(get_script_run_ctx(), "is_history_navigation", False):
        return True
    sent = st.session_state.get(_SENT)
    moved = sent is not None and _read() != _read(sent)
    return moved and st.session_state.get(_ARRIVED, False)


def go_to(address: Address) -> Session:
    """A fresh session at what the address names; what is not there is said at the top."""
    st.session_state.pop(_NOTICE, None)
    notice = None
    try:
        session = networks.begin(_name(address))
        st.session_state.pop("complaint", None)
    except Exception as error:  # whatever a file made a library raise
        before: Session | None = st.session_state.get("session")
        notice = public(error).rstrip(".")
        if address.model == networks.first() and not address.version:
            st.session_state["complaint"] = f"{address.model} cannot be opened: {notice}"
        if before is not None:
            before.moves += 1  # so that the widgets go back to the network that stands
            _say(before, f"{notice}. {before.name} stays open")
            return before
        session = networks.begin(networks.another("" if address.version else address.model))
        notice = f"{notice}. Open in its place is {session.name}, and nothing is cut"
    session.seq = last_seq()  # what the board asked of the network before is not for this one
    st.session_state["session"] = session
    if notice is not None:
        _say(session, notice)
    else:
        if address.branch.isdecimal():
            return_to(session, int(address.branch))
        _open_plan(session, address)
    return session


def settle(session: Session, plan: Plan, locked: Iterable[str] | None = None) -> None:
    """Settle on a plan as soon as what it needs is there."""
    reach(session, plan, lambda: plan, lambda session: arrive(session, plan, locked))


def query(session: Session) -> dict[str, str]:
    """What stands in the address of exactly this state, on every page."""
    return _now(session).query


def query_here() -> dict[str, str]:
    """What a link to another page takes along from this one."""
    session: Session | None = st.session_state.get("session")
    return _read().query if session is None else query(session)


def query_to_come() -> dict[str, str]:
    """What a link takes along before the page is run: where Back or Forward led, the session will
    follow, and somebody who clicks sooner would be led back.
    """
    return _read().query if went() else query_here()


def link_to(session: Session) -> str:
    """The address of exactly this state, on this page; for others, to whom the branch is closed."""
    base = (st.context.url or "").split("?")[0]
    under = str(st.get_option("server.baseUrlPath")).strip("/")
    if under and base.endswith(f"/{under}"):  # a proxy passes on what lies below the path
        base += "/"
    return f"{base}?{urlencode(replace(_now(session), branch='').query)}"


def write(session: Session, *others: str) -> None:
    """Put the state into the address; others: what else of it belongs to this page.

    A request that was on its way when the last address was sent still carries the one before; so
    what was sent counts too. What could not be opened stays in the address until something else
    is done: it may be there after a reload. An address that names nothing opens the first network
    as well, and stays: Back would lead to it first. So does one that differs in its branch alone.
    """
    now, params = _now(session), st.query_params.to_dict()
    if st.session_state.get(_NOTICE, ("", {}))[1] == now.query:
        return
    st.session_state.pop(_NOTICE, None)
    sent = st.session_state.get(_SENT, params)
    there = next((words for words in (params, sent) if _read(words) == now), now.query)
    state = replace(now, branch=there.get("branch", "")).query
    if params == sent and "model" not in params and state == Address(networks.first()).query:
        return
    wanted = state | {name: params[name] for name in others if name in params}
    st.session_state[_SENT] = wanted
    if not params == wanted == sent:
        # First: a click may end this run while the address leaves, and is no way back.
        st.session_state[_ARRIVED] = False
        st.query_params.from_dict(wanted)


def tell(session: Session) -> None:
    """Say at the top of a page what its address names and is not there."""
    if session.next_change is None:
        before = st.session_state.pop(_WISH, None)
        if before == query(session) and session.message:  # what it asked for could not be done
            _say(session, _sentence(session, session.message))
            session.message = None
    notice, state = st.session_state.get(_NOTICE, ("", {}))
    if notice and state == query(session):
        st.error(as_sentence(notice))


def _say(session: Session, notice: str) -> None:
    st.session_state[_NOTICE] = notice, query(session)


def _read(words: Mapping[str, str] | None = None) -> Address:
    params = st.query_params if words is None else words
    return Address(
        params.get("model", networks.first()),
        params.get("plan", ""),
        params.get("locked"),
        params.get("version", ""),
        params.get("branch", ""),
    )


def _name(address: Address) -> str:
    """The network in the list that an address names; a trained version is opened first.

    What it is called is no more than a name: another browser may call another one so.
    """
    if not address.version:
        return address.model
    return versions.open_version(address.version) + address.model.removeprefix(
        base_of(address.model)
    )


def _now(session: Session) -> Address:
    return _address(session, UndoStep(session.settled, session.locked))


def _address(session: Session, step: UndoStep) -> Address:
    bench, plan = session.bench, step.plan
    special = set(step.locked) != set(locks_for(bench, plan))
    link = to_link(plan, bench.fingerprint) if special or plan != first_plan(bench) else ""
    locked = ",".join(step.locked) if special else None
    visit = None if session.diary is None else session.diary.visits.get(plan)
    branch = "" if visit is None else str(visit)
    return Address(session.name, link, locked, versions.key_of(session.name), branch)


def _open_plan(session: Session, address: Address) -> None:
    """Settle on the plan that an address names, if it is whole and goes with the network."""
    if not address.plan:
        return
    try:
        plan = from_link(address.plan, session.bench.fingerprint)
        check(plan, session.bench.layer_of)
    except ValueError as error:
        _say(session, _sentence(session, public(error)))
        return
    st.session_state[_WISH] = query(session)
    settle(session, plan, None if address.locked is None else address.locked.split(","))


def _sentence(session: Session, why: str) -> str:
    plan = "nothing is cut" if session.settled.is_dense else "its plan is as before"
    return f"{why.rstrip('.')}. Open is {session.name}, and {plan}"


def _follow(session: Session, address: Address) -> Session:
    """Where Back or Forward led: to a step of this session, nearest first, so that the others stay
    to be undone and redone; or else to what the address names, as a reload would.
    """
    if session.next_change is not None and session.job is not None:  # left before it was ready
        session.job.cancel()
        session.job = session.next_change = None
    if address == _now(session):
        return session
    if (address.model, address.version) != (session.name, versions.key_of(session.name)):
        return go_to(address)
    places = sorted(range(len(session.steps)), key=lambda place: abs(place - session.at))
    for place in places:
        if _address(session, session.steps[place]) == address:
            session.travel(place - session.at)
            return session
    if address.plan:
        _open_plan(session, address)
        return session
    return go_to(address)
