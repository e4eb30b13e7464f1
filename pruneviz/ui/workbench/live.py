"""What does the board show, and what follows from what is done on it?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import streamlit as st

from pruneviz.glossary import TERMS, criterion_term, granularity_term
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.pruning.pruned import Pruned
from pruneviz.storage.faults import public
from pruneviz.ui.board import Request, board, curve_data, pack, parse, scene
from pruneviz.ui.boundary import fragment, part
from pruneviz.ui.session import Session, arrive, cached, jobs, obey
from pruneviz.ui.session.hand import counts_by_hand
from pruneviz.ui.wording import measures_text
from pruneviz.ui.workbench import trade_off
from pruneviz.ui.workbench.matching import match
from pruneviz.ui.workbench.small_pictures import small_pictures
from pruneviz.ui.workbench.task_facts import task_facts, why_late
from pruneviz.workbench import Workbench, units

BOARD = "board"
TABS = "tabs"
_TICK = 0.4
_WAIT = 0.8


def listen(session: Session) -> bool:
    """Do what the board asks and take note of work that has ended.

    Returns whether the page around the board must be drawn anew.
    """
    focus, again, request = session.focus, False, _request()
    if request is not None and request.seq > session.seq:
        if request.kind == "drag" and session.job is not None and session.next_change is None:
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
    """The board, redrawn by itself while something is measured in the background."""
    running = session.job is not None and session.job.running
    redrawn = fragment(_board, run_every=_TICK if running or session.unmeasured else None)
    session.drawing_page = True
    try:
        redrawn(session)
    finally:
        session.drawing_page = False


def tab() -> str | None:
    """The tab below the board that is open."""
    name: str | None = st.session_state.get(TABS)
    return name


def last_seq() -> int:
    """The number of the last request that came from the board, 0 before any."""
    request = _request()
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


def _board(session: Session) -> None:
    # While the whole page is drawn it needs no second drawing, and a click on it would be lost.
    # A click on a tab that leaves the browser together with what the board asks for draws no page.
    if not session.drawing_page and (listen(session) or tab() != session.tab):
        st.rerun()
    board(_data(session), key=BOARD, on_request=_nothing)


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
    session.unmeasured |= go is not None
    session.moves += go is not None  # so that the widgets show what stands now
    return not job.cancelled


def _try(session: Session, go: Callable[[Session], None]) -> None:
    try:
        go(session)
    except ValueError as error:
        session.message = public(error)


def _request() -> Request | None:
    state = st.session_state.get(BOARD)
    return parse(state.get("request")) if state else None


def _nothing() -> None:
    """The request is read when the script runs; Streamlit asks for a callback all the same."""


def _data(session: Session) -> dict[str, object]:
    bench, plan = session.bench, session.live
    scene_id = scene.scene_id(bench, plan, session.locked)
    has_scores = scene.is_scored(bench, plan, session.locked, session.focus)
    picture_id = f"{scene_id}|{scene.picture_id(bench, plan, session.focus, scored=has_scores)}"
    have_scene, have_picture = session.have
    dense = jobs.so_far(bench.original, Plan())
    return {
        "scene": None if have_scene == scene_id else cached.scene_data(scene_id, bench, plan),
        "scene_id": scene_id,
        "focus": session.focus,
        "picture": None
        if have_picture == picture_id
        else cached.picture_data(picture_id, bench, plan, session.focus, has_scores),
        "picture_id": picture_id,
        "limit_model": max(bench.limits.values()) if session.scale == "model" else None,
        "settled": _settled_values(session),
        "measured": _measured_values(session),
        "dense": None if dense is None else _numbers(dense),
        "version": bench.parent is not None,
        "task": task_facts(bench),
        "slow": why_late(bench, plan),
        "background": _background(session),
        "help": _help(plan),
        "can": {
            "undo": session.at > 0,
            "redo": session.at < len(session.steps) - 1,
            "measure": session.job is None
            and not session.unmeasured
            and not jobs.is_measured(bench, session.settled),
        },
        "message": session.message,
        "undoes": session.message is not None and session.message == session.change,
        "thumbnails": small_pictures(session, _request(), scene_id),
        **_evidence(session),
        **_chart(session),
    }


def _chart(session: Session) -> dict[str, object]:
    """The chart of all plans visited; None where the browser has it."""
    chart, request = trade_off.chart(session), _request()
    known = request is not None and request.chart == chart.id
    content = {"figure": chart.figure, "keys": chart.keys, "words": chart.words}
    return {"chart": None if known else content, "chart_id": chart.id, "measure": session.measure}


def _evidence(session: Session) -> dict[str, object]:
    """Curves and allocation as far as they are known; None where the browser has them."""
    bench, plan, request = session.bench, session.live, _request()
    method = "uniform" if request is None else request.allocation
    key = curve_data.allocation_key(bench, plan, method, session.locked)
    tables = cached.allocation(key, bench, plan, method, session.locked)
    curves = cached.sensitivity_evidence(curve_data.evidence_key(bench, plan), bench, plan)
    have = ("", "") if request is None else (request.sensitivity, request.tables)
    return {
        "sensitivity": None if have[0] == curves["id"] else curves,
        "sensitivity_id": curves["id"],
        "allocation": None if have[1] == tables["id"] else tables,
        "allocation_id": tables["id"],
        "method": method,
    }


def _settled_values(session: Session) -> dict[str, object]:
    bench = session.bench
    pruned, cost = bench.masks(session.live), bench.counts(session.live)
    return {
        "sparsity": {name: session.live.sparsity.get(name, 0.0) for name in bench.layer_of},
        "locked": dict(session.locked),
        "cut": _cut_counts(bench, pruned),
        "by_hand": counts_by_hand(bench, session.live),
        "inputs_cut": _inputs_cut(session),
        "kept_params": cost.params_kept,
        "kept_macs": cost.macs_kept,
        "seq": session.seq,
        "step": session.moves,
        "warnings": _warnings(session) or pruned.collapse,
    }


def _cut_counts(bench: Workbench, pruned: Pruned) -> dict[str, int]:
    """Layer -> how many of its items are cut; members of a group have the same ones."""
    if units.by_unit(pruned.plan):
        groups = units.groups_for(bench, pruned.plan)
        gone = {name: int((~kept).count_nonzero()) for name, kept in pruned.units.items()}
        return {name: gone.get(groups.lead(name), 0) for name in bench.layer_of}
    lost = pruned.report["total"] - pruned.report["kept"]
    return {name: int(cut) for name, cut in zip(pruned.report["layer"], lost, strict=True)}


def _inputs_cut(session: Session) -> dict[str, object] | None:
    """Which drawn cells of the layer in focus go because of units before it, as bits."""
    bench, focus = session.bench, session.focus
    bits = units.inputs_cut(bench, session.live, focus, *scene.drawn_cells(bench.layer_of[focus]))
    return None if bits is None else {"layer": focus, "bits": pack(bits)}


def _warnings(session: Session) -> dict[str, str] | None:
    if session.live != session.settled:
        return None
    cache = session.facts.warnings
    if jobs.waits(session.bench, session.live):  # its job tells
        return cache.get(session.live)
    try:
        return cache.get_or(session.live, lambda: session.bench.warnings(session.live))
    except ValueError:  # the network's own, which `_measured_values` tells
        return None


def _measured_values(session: Session) -> dict[str, object] | None:
    """The numbers of the plan on the screen; of a slow network the last there are."""
    bench, live = session.bench, session.live
    try:
        result = jobs.so_far(bench, live)
    except ValueError as error:  # the board stays, so that one can go back
        session.message, session.shown, result = public(error), None, None
    if result is None:  # the last there are belong to another plan, and must say so
        return None if session.shown is None else {**session.shown, "stale": True}
    of, start = len(bench.source.validation), result.start
    is_dense = live.is_dense and bench.parent is None
    session.shown = {
        **_numbers(result),
        # A prefix is easier or harder than the whole: what stands beside it is of the same samples.
        "dense": result.dense_accuracy,
        "start": None if start is None else asdict(start),
        "delta": result.delta,
        "delta_low": result.delta_low,
        "delta_high": result.delta_high,
        "loss": result.loss,
        "words": "this is the dense network" if is_dense else result.words,
        "measures": measures_text(result),
        "of": of,
        "full": result.n == of,
        "seq": session.seq,
    }
    return session.shown


def _numbers(result: Evaluation) -> dict[str, object]:
    return {
        "accuracy": result.accuracy,
        "low": result.low,
        "high": result.high,
        "n": result.n,
    }


def _background(session: Session) -> dict[str, object] | None:
    job = session.job
    return {"label": job.label, "done": job.done} if job and job.running else None


def _help(plan: Plan) -> dict[str, dict[str, str]]:
    scores = TERMS["relative" if plan.relative else "raw"]
    return {name: term.as_dict() for name, term in TERMS.items()} | {
        "criterion": criterion_term(plan.criterion).as_dict(),
        "granularity": granularity_term(plan.granularity).as_dict(),
        "scope": TERMS[plan.scope].as_dict(),
        "scores": scores.as_dict(),
    }
