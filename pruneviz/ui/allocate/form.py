"""How does a person ask for sliders that move by themselves?"""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pruneviz.allocation.budgets import BUDGETS
from pruneviz.allocation.methods import ALLOCATIONS
from pruneviz.plan import UNITS, Plan, pattern
from pruneviz.ui.allocate.allocation_work import (
    AllocationWish,
    AllocationWork,
    accept,
    answer_sentences,
    begin,
    price,
    side_effects,
)
from pruneviz.ui.job_bar import job_bar
from pruneviz.ui.session import Session
from pruneviz.ui.text import as_sentence, plain
from pruneviz.ui.thresholds import ask_loss
from pruneviz.ui.wording import duration

_WIDTH = 440
_UNITS_ONLY = "Masks alone make nothing faster: for latency, cut neurons or heads or blocks."


def allocate(session: Session) -> None:
    """A button that opens a form: fill the sliders, or find the smallest network."""
    AllocationWork.of(session).redraw(_draw)


def _draw(work: AllocationWork) -> None:
    work.turn()  # the page takes what was found
    with st.popover("Allocate", width="stretch", key="allocate"), st.container(width=_WIDTH):
        st.markdown("**Allocation: how much to cut from each layer**")
        _ask(work)
        if work.running:
            _progress(work)
        if work.message:
            st.warning(plain(work.message))
        if work.answer is not None:
            _show(work)


def _ask(work: AllocationWork) -> None:
    wish, plan = work.wish, work.session.settled
    left, right = st.columns(2, vertical_alignment="bottom")
    with left:
        budget = _ask_budget(wish)
    with right:
        floor = _ask_floor(wish)
    barred = _is_barred(plan, budget)
    columns = st.columns([6, 5, 4], vertical_alignment="bottom")
    with columns[0]:
        method = _ask_method(wish)
    with columns[1]:
        target = _ask_target(wish)
    busy = work.running
    fill = columns[2].button("Fill", key="allocate-fill", width="stretch", disabled=busy or barred)
    columns = st.columns([11, 4], vertical_alignment="bottom")
    lose = _ask_lose(columns[0], work)
    vain = work.session.bench.studies.undecidable(lose)
    hunt = columns[1].button(
        "Find", key="allocate-find", width="stretch", disabled=busy or barred or bool(vain)
    )
    if vain:
        st.caption(as_sentence(vain))
    work.wish = AllocationWish(method, target, lose, budget, floor)
    if fill or hunt:
        begin(work, smallest=hunt)
        st.rerun()
    if not busy and not barred:
        _say(work)


def _ask_floor(wish: AllocationWish) -> float:
    return st.number_input(
        "Keep of each layer, at least (%)",
        0.0,
        99.0,
        wish.floor,
        1.0,
        key="allocate_floor",
        format="%.1f",
        help="Of its weights or units. One always stays.",
    )


def _ask_lose(place: DeltaGenerator, work: AllocationWork) -> float:
    scale = work.session.bench.task.scale
    return ask_loss(
        place,
        f"Or find the smallest network that loses at most ({scale.unit})",
        scale,
        work.wish.lose,
        key="allocate_lose",
        least=0.001,
        most=0.2,
        tip="The smallest network whose loss is, with 95 % confidence, at most this. Every method "
        "is tried, and the best one is pushed further by measured moves. Half of the validation "
        "samples decide, the other half judges.",
    )


def _ask_budget(wish: AllocationWish) -> str:
    names = list(BUDGETS)
    meanings = "\n\n".join(f"**{b.label}**: {b.meaning}" for b in BUDGETS.values())
    return st.selectbox(
        "Counted in",
        names,
        index=names.index(wish.budget),
        key="allocate_budget",
        format_func=lambda name: BUDGETS[name].label,
        help=meanings,
    )


def _ask_method(wish: AllocationWish) -> str:
    names = list(ALLOCATIONS)
    return st.selectbox(
        "Fill the sliders by",
        names,
        index=names.index(wish.method),
        key="allocate_method",
        format_func=lambda name: ALLOCATIONS[name].label,
        help="\n\n".join(
            f"**{one.label}**: {one.meaning}  \n`{one.formula}`  \n{one.source}"
            for one in ALLOCATIONS.values()
        ),
    )


def _ask_target(wish: AllocationWish) -> float:
    return st.number_input(
        "Cut (%)",
        0.0,
        99.9,
        wish.target,
        5.0,
        key="allocate_target",
        format="%.1f",
        help="Of what may be cut: locked layers keep their sparsity and do not count.",
    )


def _is_barred(plan: Plan, budget: str) -> bool:
    """Whether nothing can be asked for; says why."""
    if pattern(plan.granularity) is not None:
        st.caption(f"{plain(plan.granularity)} has one level only: there is nothing to share out.")
        return True
    if budget == "latency" and plan.granularity not in UNITS:
        st.caption(_UNITS_ONLY)
        return True
    return False


def _say(work: AllocationWork) -> None:
    """How long it takes, while nothing was found yet, and what else changes."""
    plan = work.session.settled
    sentences = [] if work.answer is not None else _cost(work)
    if plan.scope != "layer":
        sentences.append("The scope becomes per layer.")
    if plan.pinned:
        sentences.append("Where layers move, what you cut or kept by hand is undone.")
    if sentences:
        st.caption(" ".join(sentences))


def _cost(work: AllocationWork) -> list[str]:
    try:
        scan, most = price(work)
    except ValueError:
        return []  # the search says why
    first = f"first a scan of every layer ({duration(scan)}), " if scan > 0 else ""
    return [
        f"*{ALLOCATIONS['sensitivity'].label}* and *Find* measure: {first}then plans, for "
        f"{duration(most)} at most, if nothing else is running. The other methods are formulas."
    ]


def _progress(work: AllocationWork) -> None:
    if work.job is not None:
        job_bar(work.job, "allocate-cancel", left=work.left, width=11 / 4)


def _show(work: AllocationWork) -> None:
    """What was found, and a button where the sliders stand elsewhere."""
    session, answer = work.session, work.answer
    if answer is None:
        return
    if not answer.empty and session.settled != answer.plan:
        columns = st.columns([4, 11], vertical_alignment="center")
        if columns[0].button("Take it", key="allocate-take", width="stretch", type="primary"):
            accept(work)
            st.rerun()
        also = side_effects(session.settled, answer.plan)
        columns[1].caption(plain(" ".join(["Moves the sliders to what was found.", *also])))
    for sentence in answer_sentences(answer):
        st.caption(plain(sentence))
    if not answer.table.empty:
        st.dataframe(answer.table, hide_index=True, height="content", key="allocate-table")
