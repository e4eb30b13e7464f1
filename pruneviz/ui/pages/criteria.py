"""Which criterion suits this network?"""

from __future__ import annotations

import math

import streamlit as st

from pruneviz import figures
from pruneviz.comparison.contest import CONTROL, SEEDS, Contest
from pruneviz.comparison.similar import OVERLAPS, Similarity
from pruneviz.glossary import help_on
from pruneviz.plan import Plan, pattern
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.repair import REPAIRS
from pruneviz.storage.faults import public
from pruneviz.storage.spreadsheets import csv_text
from pruneviz.ui.boundary import fragment, part
from pruneviz.ui.chrome import complain, follow, heading, wait_for_choice
from pruneviz.ui.compare.contest_work import (
    SHARES,
    ContestWork,
    compare,
    hold,
    take,
    work_left,
)
from pruneviz.ui.compare.verdict_table import show_verdicts
from pruneviz.ui.look import tight
from pruneviz.ui.session import Session
from pruneviz.ui.text import plain
from pruneviz.ui.wording import duration
from pruneviz.ui.workbench import address
from pruneviz.ui.workbench.live import listen

_TICK = 0.5
_MEAN = "mean over layers"
_LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
_CUT_NOT_KEPT = (
    "Jaccard: of all that either of two criteria cuts, the share that both cut. It compares what "
    "is cut, because most of what is kept is kept by every criterion. The more is cut, the more "
    "two sets share by chance: the neutral colour marks what two random choices of that size "
    "share, s / (2 − s)."
)
_CURSE = (
    "A criterion that is the best of many on some samples owes part of its lead to those "
    "samples. So one half of the samples chooses the best and the runner-up, and the other half "
    "measures what the table shows. *Real*: the paired interval excludes zero, with Holm's "
    "correction "
    "for the comparisons of a row (5 % in all); its width is that of the test, never under 95 %. "
    f"Random is the mean of its {SEEDS} seeds."
)


def main() -> None:
    """The page from top to bottom."""
    tight()
    session = address.here()
    listen(session)
    work = ContestWork.of(session)
    take(work)
    _head(session)
    if session.next_change is not None:
        wait_for_choice(session)
        return
    busy = work.running
    if work.message and not busy:
        st.warning(plain(work.message))
    st.markdown("#### How similar are their rankings?")
    _likeness(work)
    st.markdown(f"#### Which leaves more {plain(session.bench.task.word)}?")
    _choose(work)
    if work.holding:
        fragment(_progress, run_every=_TICK)(work)
    fragment(_live, run_every=2 * _TICK if busy else None)(work)


@part
def _head(session: Session) -> None:
    heading(
        session,
        "Criteria",
        label(session.settled),
        "Granularity and repair are those of the workbench; locked layers stay whole.",
    )
    complain(session)


def label(plan: Plan) -> str:
    """What all criteria have in common here."""
    repairs = [REPAIRS[name].label.lower() for name in plan.repair]
    return f"what is cut: {plan.granularity}" + (f"; repair: {', '.join(repairs)}" * bool(repairs))


def _progress(work: ContestWork) -> None:
    follow(work.job, "criteria-cancel", work.left)


@part
def _likeness(work: ContestWork) -> None:
    """Two heatmaps, or the button that makes them."""
    similarity, bench = work.alike, work.session.bench
    if similarity is None and work.running and not work.holding:
        fragment(_progress, run_every=_TICK)(work)
        return
    if similarity is None:
        left, right = st.columns([1, 5], vertical_alignment="center")
        if left.button("Compare", key="criteria-compare", type="primary", width="stretch",
                       icon=":material/compare:", disabled=work.running):  # fmt: skip
            compare(work)
            st.rerun()
        samples = len(bench.source.calibration)
        right.markdown(
            f"Compares all {len(work.allowed)} criteria that this granularity allows, layer "
            "by layer: how similar their rankings are, and how much of what they cut is the "
            f"same. Needs passes over {samples:,} calibration samples, about "
            f"{_about(6 * samples * bench.seconds_per_sample)}; the results are kept."
        )
        return
    if not similarity.layers:
        st.info("Nothing in this network can be cut at this granularity: choose another one.")
        return
    _where(work, similarity)
    least = "" if work.layer is None else f", {similarity.items[work.layer]:,} items"
    left, right = st.columns(2)
    with left:
        st.caption(f"**Rank correlation** (Spearman; 1: the same order, 0: no relation){least}")
        square = similarity.correlations(work.layer)
        st.plotly_chart(figures.alike(square, least=-1.0, middle=0.0), key="criteria-spearman",
                        config={"displayModeBar": False})  # fmt: skip
    with right:
        chance = similarity.chance(work.at, work.layer)
        chance = 0.0 if math.isnan(chance) else chance
        st.caption(
            f"**Overlap of what is cut** (Jaccard; by chance {chance:.2f})", help=_CUT_NOT_KEPT
        )
        square = similarity.overlaps(work.at, work.layer)
        st.plotly_chart(figures.alike(square, least=0.0, middle=chance), key="criteria-jaccard",
                        config={"displayModeBar": False})  # fmt: skip
    for note in similarity.notes:
        st.caption(plain(f"{note}."))


def _where(work: ContestWork, similarity: Similarity) -> None:
    """The layer, and the sparsity at which what is cut is compared."""
    places = [_MEAN, *similarity.layers]
    if work.layer not in similarity.layers:
        work.layer = None
    if work.at not in similarity.levels:
        work.at = similarity.levels[len(similarity.levels) // 2]
    columns = st.columns([3, 1, 4, 2], vertical_alignment="bottom")
    focus = _slider_of(work, similarity)
    if columns[1].button("In focus", key="criteria-focus", disabled=focus is None, width="stretch",
                         help="The layer that is in focus on the workbench."):  # fmt: skip
        st.session_state["criteria_layer"] = focus
    if st.session_state.get("criteria_layer") not in places:  # or it was forgotten
        st.session_state["criteria_layer"] = work.layer or _MEAN
    choice = columns[0].selectbox("Layer", places, key="criteria_layer", help=help_on("one_layer"))
    work.layer = None if choice == _MEAN else str(choice)
    if len(similarity.levels) > 1:
        work.at = float(
            columns[2].select_slider(
                "Sparsity of the layer", OVERLAPS, work.at, key="criteria_at",
                format_func=lambda level: f"{100 * level:g} %", help=help_on("sparsity"),
            )
        )  # fmt: skip
    columns[3].download_button(
        "Table (CSV)", csv_text(similarity.table),
        f"{work.session.name}-likeness.csv", "text/csv", key="criteria-alike-csv",
        icon=":material/download:",
    )  # fmt: skip


def _slider_of(work: ContestWork, similarity: Similarity) -> str | None:
    """Under which name the layer in focus was compared, if it was."""
    session = work.session
    plan = session.settled
    focus = session.focus
    if focus in similarity.layers:
        return focus
    sliders = session.bench.sliders(plan)
    return next(
        (s.name for s in sliders if focus in s.layers and s.name in similarity.layers), None
    )


@part
def _choose(work: ContestWork) -> None:
    """Who takes part, where, and on how many samples."""
    busy = work.running
    columns = st.columns([5, 4, 2, 1.4], vertical_alignment="bottom")
    names = [name for name in work.allowed if name != CONTROL]
    granularity = work.session.settled.granularity
    choice = columns[0].multiselect(
        "Criteria (random is always compared)",
        names,
        [name for name in work.criteria if name in names],
        key=f"criteria_chosen_{granularity}",
        format_func=lambda name: CRITERIA[name].label,
        disabled=busy,
        help=help_on("criterion"),
    )
    work.chosen[granularity] = tuple(name for name in names if name in choice)
    if pattern(granularity) is None:
        levels = columns[1].multiselect(
            "Sparsity",
            _LEVELS,
            list(work.levels),
            key="criteria_levels",
            format_func=lambda level: f"{100 * level:g} %",
            disabled=busy,
            help=help_on("sparsity"),
        )
        work.levels = tuple(sorted(levels))
    share = work.share if work.share in work.shares else work.shares[0]
    work.share = str(columns[2].selectbox(
        "Allocation", work.shares, work.shares.index(share), key="criteria_share",
        format_func=SHARES.__getitem__, disabled=busy,
        help="How much goes from each layer; the same for all criteria.",
    ))  # fmt: skip
    work.n = int(columns[3].number_input(
        "Samples", 2, len(work.session.bench.source.validation), work.n,
        key="criteria_n", disabled=busy, help=help_on("samples", "interval"),
    ))  # fmt: skip


def _live(work: ContestWork) -> None:
    """All that changes while the contest is measured."""
    if not work.levels:
        st.info("Choose at least one sparsity.")
        return
    try:
        contest = work.contest()
    except ValueError as error:
        st.error(f"These cannot be compared: {plain(public(error))}.")
        return
    for name, why in contest.left_out.items():
        st.caption(f"{CRITERIA[name].label} does not take part: {plain(why)}.")
    if not contest.layers:
        st.info("There is no layer that all of these can cut and that is not locked.")
        return
    if not work.running and not contest.complete:
        _begin(work, contest)
    if contest.answers:
        _show(work, contest)


def _begin(work: ContestWork, contest: Contest) -> None:
    plans, seconds = work_left(work, contest)
    left, right = st.columns([1, 5], vertical_alignment="center")
    word = "Go on" if contest.answers else "Measure"
    if left.button(word, key="criteria-start", type="primary", width="stretch",
                   icon=":material/play_arrow:"):  # fmt: skip
        hold(work)
        st.rerun()
    right.markdown(
        f"{plans:,} plans on {contest.n:,} samples each: about {_about(seconds)} on this machine. "
        "What is measured is remembered."
    )


def _about(seconds: float) -> str:
    return duration(max(1.0, seconds))


def _show(work: ContestWork, contest: Contest) -> None:
    table, task = contest.table, work.session.bench.task
    ready = [name for name in contest.criteria if (table["criterion"] == name).any()]
    labels = {name: CRITERIA[name].label for name in ready}
    left, right = st.columns([8, 3])
    figure = figures.contest(table[table["seed"].isna()], labels, score=task.word, scale=task.scale)
    left.plotly_chart(figure, key="criteria-contest", config={"displayModeBar": False})
    right.caption(
        f"{contest.n:,} samples; bands: 95 %, those of random over its {contest.seeds:,} seeds. "
        f"{len(contest.layers)} layers or groups are cut; locked ones stay whole."
    )
    right.caption(_CURSE)
    st.markdown("**Which criterion is best here, and is the difference real?**")
    if contest.verdicts:
        show_verdicts(contest, labels)
    else:
        st.caption("No sparsity has been measured for all of them yet.")
    if not work.running:
        st.download_button(
            "Download all points (CSV)", csv_text(table),
            f"{work.session.name}-criteria.csv", "text/csv", key="criteria-csv",
            icon=":material/download:",
        )  # fmt: skip


part(main)()
