"""Where does one work at a network: controls, board, and what came of it?"""

from __future__ import annotations

import time

import streamlit as st

from pruneviz import figures
from pruneviz.plan import Plan
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


def desk(session: Session) -> None:
    """All of it, on whichever page; what is done there is done when this returns."""
    complaint = networks.complaint() or st.session_state.get("complaint")
    if complaint:
        st.error(plain(complaint))
    listen(session)
    address.tell(session)
    take(session)
    session.message = networks.departure_text() or session.message
    drawn = (session.name, session.moves)
    away = not controls.are_drawn()
    if away:  # another page was shown: this browser has nothing of the board any more
        session.have, session.live = ("", ""), session.settled
    if away or st.session_state.get("drawn") != drawn:  # reached in another way than by a widget
        controls.show(session.name, session.live)
        st.session_state["drawn"] = drawn
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
    if plan != session.live:
        _change(session, plan, note)
        st.rerun()
    if note is not None:
        session.message = note
    live_board(session)
    _results(session)


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
    reach(session, plan, lambda: plan_with(session, plan), go)


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
