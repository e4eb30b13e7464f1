"""What does the board show of the plan on the screen?"""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from math import isfinite

import streamlit as st

from pruneviz.glossary import TERMS, criterion_term, granularity_term
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.pruning.pruned import Pruned
from pruneviz.storage.faults import public
from pruneviz.ui.board import Request, curve_data, pack, parse, scene
from pruneviz.ui.session import Session, cached, jobs
from pruneviz.ui.session.hand import counts_by_hand
from pruneviz.ui.wording import measures_text
from pruneviz.ui.workbench import trade_off
from pruneviz.ui.workbench.news import next_look
from pruneviz.ui.workbench.small_pictures import small_pictures
from pruneviz.ui.workbench.task_facts import task_facts, why_late
from pruneviz.workbench import Workbench, units

BOARD = "board"


def board_request() -> Request | None:
    """What the board asked for last; None before it asked for anything."""
    state = st.session_state.get(BOARD)
    return parse(state.get("request")) if state else None


def board_data(session: Session) -> dict[str, object]:
    """All that the board draws; None where the browser has it already."""
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
        "measured": measured_values(session),
        "dense": None if dense is None else _numbers(dense),
        "version": bench.parent is not None,
        "task": task_facts(bench),
        "slow": why_late(bench, plan),
        "background": _background(session),
        "look": next_look(session),
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
        "thumbnails": small_pictures(session, board_request(), scene_id),
        **_evidence(session),
        **_chart(session),
    }


def _chart(session: Session) -> dict[str, object]:
    """The chart of all plans visited; None where the browser has it."""
    chart, request = trade_off.chart(session), board_request()
    known = request is not None and request.chart == chart.id
    content = {"figure": chart.figure, "keys": chart.keys, "words": chart.words}
    return {"chart": None if known else content, "chart_id": chart.id, "measure": session.measure}


def _evidence(session: Session) -> dict[str, object]:
    """Curves and allocation as far as they are known; None where the browser has them."""
    bench, plan, request = session.bench, session.live, board_request()
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
    bench, live = session.bench, session.live
    counts = session.facts.counts.get_or(live, lambda: _counts(bench, live))
    return {
        "sparsity": {name: live.sparsity.get(name, 0.0) for name in bench.layer_of},
        "locked": dict(session.locked),
        "inputs_cut": _inputs_cut(session),
        "seq": session.seq,
        "step": session.moves,
        **counts,
        "warnings": _warnings(session) or counts["warnings"],
    }


def _counts(bench: Workbench, plan: Plan) -> dict[str, object]:
    """What a plan leaves, by layer and in all; warnings: of what has nothing left."""
    pruned, cost = bench.masks(plan), bench.counts(plan)
    return {
        "cut": _cut_counts(bench, pruned),
        "by_hand": counts_by_hand(bench, plan),
        "kept_params": cost.params_kept,
        "kept_macs": cost.macs_kept,
        "warnings": pruned.collapse,
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
    except ValueError:  # the network's own, which `measured_values` tells
        return None


def measured_values(session: Session) -> dict[str, object] | None:
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
        "words": "this is the dense network" if is_dense else _change_words(result),
        "measures": measures_text(result),
        "of": of,
        "full": result.n == of,
        "seq": session.seq,
    }
    return session.shown


def _change_words(result: Evaluation) -> str:
    """What the board says of a change instead of its number, which stands below; "" for nothing."""
    if not isfinite(result.delta):
        return result.words
    return "" if result.measurable else "no measurable change"


def _numbers(result: Evaluation) -> dict[str, object]:
    return {
        "accuracy": result.accuracy,
        "low": result.low,
        "high": result.high,
        "n": result.n,
    }


def _background(session: Session) -> dict[str, object] | None:
    job = session.job
    return {"label": job.words, "done": job.done} if job and job.running else None


@lru_cache(1)
def _terms() -> dict[str, dict[str, str]]:
    return {name: term.as_dict() for name, term in TERMS.items()}


def _help(plan: Plan) -> dict[str, dict[str, str]]:
    scores = TERMS["relative" if plan.relative else "raw"]
    return _terms() | {
        "criterion": criterion_term(plan.criterion).as_dict(),
        "granularity": granularity_term(plan.granularity).as_dict(),
        "scope": TERMS[plan.scope].as_dict(),
        "scores": scores.as_dict(),
    }
