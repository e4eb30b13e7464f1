"""Where does one work at a network: controls, board, and what came of it?"""

from __future__ import annotations

import time
from dataclasses import replace

import streamlit as st

from pruneviz import figures
from pruneviz.plan import Plan
from pruneviz.pruning.repair import REPAIRS
from pruneviz.ui.allocate.allocation_work import take
from pruneviz.ui.allocate.form import allocate
from pruneviz.ui.board import chart_program
from pruneviz.ui.boundary import part
from pruneviz.ui.compare import repair_work
from pruneviz.ui.network_map.panel import network_map
from pruneviz.ui.session import Session, change, countdown, jobs, networks, plan_with, versions
from pruneviz.ui.session.dropped_recipe import take_recipe
from pruneviz.ui.text import plain
from pruneviz.ui.workbench import address, controls, panels
from pruneviz.ui.workbench.ledger import ledger
from pruneviz.ui.workbench.live import TABS, listen, live_board, measure, reach, tab
from pruneviz.ui.workbench.scores import ask_scores
from pruneviz.ui.workbench.text_examples import text_examples
from pruneviz.ui.workbench.upload import ask_own
from pruneviz.ui.workbench.welcome import PAYS, WRITES

_ASKED = "asked_above"


def desk(session: Session) -> None:
    """All of it, on whichever page; what is done there is done when this returns."""
    complaint = networks.complaint() or st.session_state.get("complaint")
    if complaint:
        st.error(plain(complaint))
    listen(session)
    address.tell(session)
    take(session)
    session.message = networks.departure_text() or session.message
    goes_on = _widgets(session)
    row = st.container(horizontal=True, gap="xsmall", vertical_alignment="bottom", key="controls")
    with row:
        name = controls.ask_model(networks.names())
    with (
        row,
        st.container(
            horizontal=True, gap="xxsmall", wrap=False, width=controls.ICONS, key="control-about"
        ),
    ):
        score_name = panels.about(session.bench, lambda: ask_scores(session)) or session.name
        name = ask_own(session.name) or (name if name != session.name else score_name)
    recipe = take_recipe()
    if recipe is not None:
        address.go_to(address.Address(*recipe))
        st.rerun()
    if name != session.name:
        address.go_to(address.Address(name, version=versions.key_of(name)))
        st.rerun()
    with row:
        plan, note = controls.ask_plan(
            session.live, lambda: repair_work.compare(session), lambda: allocate(session)
        )
    if goes_on and plan == session.live:
        _take_back(session)
    if plan != session.live:
        _change(session, plan if goes_on else _merge(session, plan), note)
        st.rerun()
    if note is not None:
        session.message = note
    live_board(session)
    _results(session)


def _widgets(session: Session) -> bool:
    """Let the widgets show what was reached in another way; whether they are left as they are
    instead, since they hold all that is asked for.
    """
    drawn = (session.name, session.moves)
    away = not controls.are_drawn()
    fresh = away or st.session_state.get("drawn") != drawn
    # More was clicked before the widgets went back to what stands: they hold all that is asked for.
    goes_on = (
        fresh and not away and bool(_plan_to_come(session)) and controls.are_clicked(session.live)
    )
    if away:  # another page was shown: this browser has nothing of the board any more
        session.have, session.live = ("", ""), session.settled
    if fresh and not goes_on:  # reached in another way than by a widget
        controls.show(session.name, session.live)
    st.session_state["drawn"] = drawn
    return goes_on


def leave(session: Session, *others: str) -> None:
    """What is done when the page stands: its address (others: what else of it belongs to the
    page), measuring, the program of the chart.
    """
    if session.next_change is None:  # else a link would lose what is on its way
        address.write(session, *others)
    measure(session)
    chart_program(figures.program())
    time.sleep(countdown.FLUSH)


def _change(session: Session, plan: Plan, note: str | None) -> None:
    def go(session: Session) -> None:
        change(session, plan)
        if note is not None and note not in (session.message or ""):  # it gave way for a reason
            session.tell_change(note, session.message or "")

    session.live = session.settled  # a playback may stand on its way
    session.moves += 1  # the widgets show what stands until it is there
    st.session_state[_ASKED] = go, plan
    reach(session, plan, lambda: plan_with(session, plan), go)


def _plan_to_come(session: Session) -> Plan | None:
    """What was chosen above the board and is still made ready."""
    go, plan = st.session_state.get(_ASKED, (None, None))
    return plan if go is not None and go is session.next_change else None


def _merge(session: Session, plan: Plan) -> Plan:
    """The change from the live plan to `plan`, on top of what is still made ready."""
    asked, live = _plan_to_come(session), session.live
    if asked is None:
        return plan
    switched = {*plan.repair} ^ {*live.repair}
    repair = tuple(r for r in REPAIRS if (r in asked.repair) != (r in switched))
    names = ("criterion", "granularity", "scope", "relative", "seed", "aggregate", "pinned")
    new = {n: getattr(plan, n) for n in names if getattr(plan, n) != getattr(live, n)}
    try:
        return replace(asked, **new, repair=repair)
    except ValueError:  # the one does not go with the other: the last counts
        return plan


def _take_back(session: Session) -> None:
    if session.job is not None:
        session.job.cancel()
    session.job = session.next_change = session.message = None
    session.unmeasured = True


@part
def _results(session: Session) -> None:
    bench, plan = session.bench, session.settled
    try:
        result = jobs.so_far(bench, plan)
    except ValueError:  # the board says why
        result = None
    examples = PAYS if bench.source.language is None else WRITES
    names = ["Per-class change", examples, "Feature maps", "Ledger", "Network map"]
    classes, flips, maps, costs, graph = st.tabs(names, key=TABS, on_change="rerun")
    session.tab = tab()
    if classes.open:
        with classes:
            panels.per_class(result, dense=plan.is_dense and bench.parent is None)
    if flips.open:
        with flips:
            if bench.source.language is None:
                panels.show_flips(bench, result)
            else:
                text_examples(session)
    if maps.open:
        with maps:
            panels.filters_and_maps(bench, plan, session.focus, result)
    if costs.open:
        with costs:
            ledger(session)
    if graph.open:
        with graph:
            network_map(session)
