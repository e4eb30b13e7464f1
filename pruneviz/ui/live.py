"""What does the board show, and what follows from what is done on it?"""

from __future__ import annotations

import streamlit as st

from pruneviz.glossary import TERMS, criterion_term, granularity_term
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.ui import cached, jobs, scene
from pruneviz.ui.board import Request, board, parse
from pruneviz.ui.session import Session, obey

BOARD = "board"
_TICK = 0.4


def listen(session: Session) -> bool:
    """Do what the board asks and take note of work that has ended.

    Returns whether the page around the board must be drawn anew.
    """
    focus, again, request = session.focus, False, _request()
    if request is not None and request.seq > session.seq:
        if request.kind == "drag" and session.job is not None:
            session.job.cancel()
        again = obey(session, request) or session.focus != focus
    return _take_job(session) or again


def live_board(session: Session) -> None:
    """The board, redrawn by itself while something is measured in the background."""
    running = session.job is not None and session.job.running
    redrawn = st.fragment(_board, run_every=_TICK if running or session.unmeasured else None)
    session.drawing_page = True
    try:
        redrawn(session)
    finally:
        session.drawing_page = False


def last_seq() -> int:
    """The number of the last request that came from the board, 0 before any."""
    request = _request()
    return 0 if request is None else request.seq


def measure(session: Session) -> None:
    """Start measuring the plan that was settled on, instead of the one before.

    To be called when the page stands: the first job loads half of torch's compiler, and whatever
    is drawn at the same time would wait for it.
    """
    if not session.unmeasured:
        return
    session.unmeasured = False
    if session.job is not None:
        session.job.cancel()
    if jobs.is_measured(session.bench, session.settled):
        session.job = None
    else:
        session.job = jobs.measure(session.bench, session.settled)


def _board(session: Session) -> None:
    # While the whole page is drawn it needs no second drawing, and a click on it would be lost.
    if not session.drawing_page and listen(session):
        st.rerun()
    board(_data(session), key=BOARD, on_request=_nothing)


def _take_job(session: Session) -> bool:
    job = session.job
    if job is None or job.running:
        return False
    session.job = None
    if job.error is not None:
        session.message = f"measuring stopped: {job.error}"
    return not job.cancelled


def _request() -> Request | None:
    state = st.session_state.get(BOARD)
    return parse(state.get("request")) if state else None


def _nothing() -> None:
    """The request is read when the script runs; Streamlit asks for a callback all the same."""


def _data(session: Session) -> dict[str, object]:
    bench, plan = session.bench, session.live
    scene_id = scene.scene_id(bench, plan, session.locked)
    picture_id = f"{scene_id}|{session.focus}|{bench.evidence_ready}"
    have_scene, have_picture = session.have
    return {
        "scene": None if have_scene == scene_id else cached.scene_data(scene_id, bench, plan),
        "scene_id": scene_id,
        "focus": session.focus,
        "picture": None
        if have_picture == picture_id
        else cached.picture_data(picture_id, bench, plan, session.focus),
        "picture_id": picture_id,
        "settled": _settled(session),
        "measured": _measured(session),
        "dense": _numbers(bench.evaluate(Plan())),
        "background": _background(session),
        "help": _help(plan),
        "can": {"undo": session.at > 0, "redo": session.at < len(session.steps) - 1},
        "message": session.message,
    }


def _settled(session: Session) -> dict[str, object]:
    pruned, cost = session.bench.prune(session.live), session.bench.cost(session.live)
    per_unit = session.live.granularity == "neuron"
    cut = {
        name: int((~mask).sum()) // (mask[0].numel() if per_unit else 1)
        for name, mask in pruned.masks.items()
    }
    warnings = (
        session.bench.warnings(session.live) if session.live == session.settled else pruned.collapse
    )
    return {
        "sparsity": {name: session.live.sparsity.get(name, 0.0) for name in session.bench.found},
        "locked": dict(session.locked),
        "cut": cut,
        "kept_params": cost.params_kept,
        "kept_macs": cost.macs_kept,
        "seq": session.seq,
        "step": session.moves,
        "warnings": warnings,
    }


def _measured(session: Session) -> dict[str, object]:
    bench = session.bench
    n = max(bench.probe, bench.measured(session.live))
    result = bench.evaluate(session.live, n)
    of = len(bench.source.validation)
    words = "this is the dense network" if session.live.is_dense else result.words
    return {
        **_numbers(result),
        "delta": result.delta,
        "delta_low": result.delta_low,
        "delta_high": result.delta_high,
        "words": words,
        "of": of,
        "full": n == of,
        "seq": session.seq,
    }


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
