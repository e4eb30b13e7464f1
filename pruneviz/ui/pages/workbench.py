"""How is a network pruned by hand?"""

from __future__ import annotations

import time
from urllib.parse import urlencode

import streamlit as st

from pruneviz.plan import Plan, from_link, to_link
from pruneviz.pruning.labels import label
from pruneviz.pruning.prune import check
from pruneviz.storage.faults import public
from pruneviz.ui.allocate.allocation_work import take
from pruneviz.ui.allocate.form import allocate
from pruneviz.ui.boundary import part
from pruneviz.ui.compare import repair_work
from pruneviz.ui.look import tight
from pruneviz.ui.session import (
    Session,
    arrive,
    change,
    changed,
    jobs,
    locks_for,
    networks,
    pacing,
    untouched,
)
from pruneviz.ui.session.dropped_recipe import taken
from pruneviz.ui.text import plain
from pruneviz.ui.workbench import controls, panels
from pruneviz.ui.workbench.ledger import ledger
from pruneviz.ui.workbench.live import last_seq, listen, live_board, measure, reach
from pruneviz.ui.workbench.scores import ask_scores
from pruneviz.ui.workbench.upload import ask_own


def main() -> None:
    """The page from top to bottom."""
    tight()
    session = _session()
    complaint = networks.complaint() or st.session_state.get("complaint")
    if complaint:
        st.error(plain(complaint))
    listen(session)
    take(session)
    session.message = networks.left() or session.message
    drawn = (session.name, session.moves)
    away = not controls.are_drawn()
    if away:  # another page was shown: this browser has nothing of the board any more
        session.have = ("", "")
    if away or st.session_state.get("drawn") != drawn:  # reached in another way than by a widget
        controls.show(session.name, session.live)
        st.session_state["drawn"] = drawn
    top = st.columns([18.5, 13.3, 108.2], gap="small", vertical_alignment="bottom")
    with top[0]:
        name = controls.ask_model(networks.names())
    with top[1], st.container(horizontal=True, gap="xxsmall", wrap=False):
        scored = panels.about(session.bench, lambda: ask_scores(session)) or session.name
        name = ask_own(session.name) or (name if name != session.name else scored)
    recipe = taken()
    if recipe is not None:
        _open(*recipe)
        st.rerun()
    if name != session.name:
        _open(name)
        st.rerun()
    with top[2]:
        plan, note = controls.ask_plan(
            session.live, lambda: repair_work.compare(session), lambda: allocate(session)
        )
    if plan != session.live:
        _change(session, plan, note)
        st.rerun()
    if note is not None:
        session.message = note
    live_board(session)
    _results(session)
    with st.container(border=True):
        _keep(session)
    if session.wanted is None:  # else a link would lose what is on its way
        _address(session)
    measure(session)
    time.sleep(pacing.FLUSH)


def _session() -> Session:
    session: Session | None = st.session_state.get("session")
    if session is None:
        asked = st.query_params
        session = _open(
            asked.get("model", networks.first()), asked.get("plan"), asked.get("locked")
        )
    return session


def _open(name: str, link: str | None = None, locked: str | None = None) -> Session:
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
            check(plan, session.bench.found)
            _arrive(session, plan, None if locked is None else locked.split(","))
            message = session.message
        except ValueError as error:
            message = f"{public(error)}. This is the dense network."
    session.message = message
    session.seq = last_seq()  # what the board asked of the network before is not for this one
    st.session_state["session"] = session
    return session


def _change(session: Session, plan: Plan, note: str | None) -> None:
    def go(session: Session) -> None:
        change(session, plan)
        session.message = note or session.message  # what `change` had to give back

    session.moves += 1  # the widgets show what stands until it is there
    reach(session, plan, lambda: changed(session, plan), go)


def _arrive(session: Session, plan: Plan, locked: list[str] | None = None) -> None:
    reach(session, plan, lambda: plan, lambda session: arrive(session, plan, locked))


def _go_to(session: Session, plan: Plan) -> None:
    _arrive(session, plan)
    st.rerun()


@part
def _results(session: Session) -> None:
    bench, plan = session.bench, session.settled
    seen = panels.visits(bench, session.visited, session.known.params)
    left, right = st.columns([5, 6], gap="medium")
    with left:
        picked = panels.tradeoff(bench, seen, plan, session.moves)
    if picked is not None and picked != plan:
        _go_to(session, picked)
    try:
        result = jobs.so_far(bench, plan)
    except ValueError:  # the board says why
        result = None
    with right:
        names = ["Per-class change", "Flipped examples", "Feature maps", "Ledger"]
        classes, flips, maps, costs = st.tabs(names, key="tabs", on_change="rerun")
        if classes.open:
            with classes:
                panels.per_class(result, dense=plan.is_dense)
        if flips.open:
            with flips:
                panels.flipped(bench, result)
        if maps.open:
            with maps:
                panels.filters_and_maps(bench, plan, session.focus)
        if costs.open:
            with costs:
                ledger(session)


@part
def _keep(session: Session) -> None:
    """Snapshots by name, and the link to exactly this state."""
    left, right = st.columns([3, 2], gap="medium")
    with left, st.form("snapshot", clear_on_submit=True, border=False):
        columns = st.columns([4, 1], vertical_alignment="bottom")
        name = columns[0].text_input(
            "Snapshot",
            placeholder="name this plan, to come back to it",
            max_chars=60,
            help="Come back to it here as long as this tab is open, and on the page History later.",
        )
        if columns[1].form_submit_button("Keep", use_container_width=True) and name.strip():
            session.snapshots[name.strip()] = session.settled
            if session.diary is not None:
                session.diary.named(session.settled, name.strip())
    if session.diary is not None and session.diary.history.complaint:
        left.warning(plain(f"{session.diary.history.complaint}."))
    with right:
        st.caption("Link to this state: the plan is in the address.")
        st.code(_link(session), language=None)
    for place, (title, plan) in enumerate(session.snapshots.items()):
        columns = left.columns([4, 1], vertical_alignment="center")
        columns[0].markdown(f"**{plain(title)}** — {plain(label(plan))}")
        if columns[1].button("Return", key=f"snapshot-{place}") and plan != session.settled:
            _go_to(session, plan)


def _link(session: Session) -> str:
    base = (st.context.url or "").split("?")[0]
    return f"{base}?{urlencode(_query(session))}"


def _query(session: Session) -> dict[str, str]:
    bench, plan = session.bench, session.settled
    query = {"model": session.name}
    special = set(session.locked) != set(locks_for(bench, plan))
    if special or plan != untouched(bench):
        query["plan"] = to_link(plan, bench.fingerprint)
    return query | {"locked": ",".join(session.locked)} if special else query


def _address(session: Session) -> None:
    query = _query(session)
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)


part(main)()
