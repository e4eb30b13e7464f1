"""How much does each layer bear?"""

from __future__ import annotations

import streamlit as st

from pruneviz import figures
from pruneviz.glossary import TERMS, help_on
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.repair import REPAIRS
from pruneviz.sensitivity.curves import Curves
from pruneviz.storage.faults import public
from pruneviz.storage.spreadsheets import csv_text
from pruneviz.ui.allocate.scan_work import (
    ScanWork,
    cells,
    start,
    table,
    take,
    work_left,
)
from pruneviz.ui.boundary import fragment, part
from pruneviz.ui.chrome import complain, heading, wait_for_choice
from pruneviz.ui.job_bar import job_bar
from pruneviz.ui.look import tight
from pruneviz.ui.session import Session
from pruneviz.ui.text import plain
from pruneviz.ui.thresholds import ask_loss
from pruneviz.ui.wording import duration
from pruneviz.ui.workbench import address
from pruneviz.ui.workbench.live import listen

_TICK = 0.5
_MOST = 48  # small charts; more would take seconds to draw
_VIEWS = {"apart": "Side by side", "together": "Overlaid", "heat": "Heatmap"}


def main() -> None:
    """The page from top to bottom."""
    tight()
    session = address.here()
    listen(session)
    work = ScanWork.of(session)
    take(work)
    work.seen = True
    _head(session)
    if session.next_change is not None:
        wait_for_choice(session)
        return
    _choose(work)
    busy = work.running
    fragment(_live, run_every=_TICK if busy else None)(work, busy)


@part
def _head(session: Session) -> None:
    heading(
        session,
        "Sensitivity",
        label(session.settled),
        "Each layer, or group of layers that must be cut together, is cut alone at eleven "
        "sparsities while all others stay whole. Criterion, granularity and repair are those of "
        "the workbench.",
    )
    complain(session)


def label(plan: Plan) -> str:
    """The choices of a plan in a few words."""
    repairs = [REPAIRS[name].label.lower() for name in plan.repair]
    mended = f", repair: {', '.join(repairs)}" if repairs else ""
    return f"{CRITERIA[plan.criterion].label}, {plan.granularity}{mended}"


@part
def _choose(work: ScanWork) -> None:
    """What counts as a loss, how long to measure, and which chart."""
    columns = st.columns([2, 2, 3, 3], vertical_alignment="bottom")
    scale = work.session.bench.task.scale
    work.lose = ask_loss(
        columns[0],
        "Points that count as a loss" if scale.share else "What counts as a loss",
        scale,
        work.lose,
        key="scan_lose",
        least=0.005,
        most=0.1,
        tip="A layer is robust up to the highest sparsity at which, with 95 % confidence, it "
        "loses no more than this. The dotted line.",
    )
    work.limit = columns[1].number_input(
        "Stop after (seconds)",
        0.0,
        None,
        work.limit,
        10.0,
        key="scan_limit",
        format="%.0f",
        disabled=work.running,
        help="A budget: as many samples as this machine answers in so many seconds. 0: until "
        "every interval is narrow enough. A stopped scan can be continued.",
    )
    view = columns[2].segmented_control(
        "Chart",
        list(_VIEWS),
        default=work.view,
        key="scan_view",
        required=True,
        format_func=_VIEWS.__getitem__,
        help=help_on("curve"),
    )
    work.view = str(view)
    with columns[3]:
        st.caption(
            "Intervals: 95 %, paired with the uncut network.", help=TERMS["delta"].as_markdown()
        )


def _live(work: ScanWork, busy: bool) -> None:
    """All that changes while the scan runs."""
    if busy and not work.running:
        st.rerun()
    session = work.session
    try:
        curves = work.curves(session.settled)
    except ValueError as error:
        st.error(f"These choices can't be scanned: {plain(public(error))}")
        return
    if work.running:
        _progress(work, curves)
    else:
        _begin(work, curves)
    if work.message and not work.running:
        st.warning(plain(work.message))
    if not any(curve.points or curve.no_op for curve in curves.curves):
        return
    if any(curve.points for curve in curves.curves):
        _draw(work, curves)
    _table(work, curves)


def _progress(work: ScanWork, curves: Curves) -> None:
    if work.job is not None:
        other = "" if work.plan == curves.plan else f"{label(work.plan)}: "
        job_bar(work.job, "scan-cancel", of=other, left=work.left)


def _begin(work: ScanWork, curves: Curves) -> None:
    """The button, with what it will cost; nothing where there is nothing to measure."""
    bench = work.session.bench
    sliders = [curve for curve in curves.curves if not curve.no_op]
    if curves.complete:
        st.caption(plain(curves.words))
        return
    begun = any(curve.points for curve in sliders)
    samples, seconds = work_left(bench, curves)
    budget, limit_words = None, ""
    if 0 < work.limit < seconds:
        more = max(bench.block, round(work.limit / bench.seconds_per_sample))
        budget = curves.spent + more
        limit_words = f" It stops after {more:,} of them, about {duration(work.limit)}."
    left, right = st.columns([1, 6], vertical_alignment="center")
    if left.button(
        "Go on" if begun else "Scan",
        key="scan-start",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
    ):
        start(work, budget)
        st.rerun()
    cost = f"about {samples:,} samples, {duration(seconds)} on this machine.{limit_words}"
    if begun:
        right.markdown(f"{plain(curves.words)} To finish: {plain(cost)}")
    else:
        right.markdown(
            f"Nothing was scanned yet with these choices. **Scan** cuts each of {len(sliders)} "
            f"layers or groups alone, at eleven sparsities: {cost} You may go to other pages "
            "meanwhile."
        )


def _draw(work: ScanWork, curves: Curves) -> None:
    lose, scale = work.lose, work.session.bench.task.scale
    line = scale.factor * lose
    if work.view == "heat":
        figure = figures.curves_heat(*cells(curves, scale), scale=scale)
    elif work.view == "together":
        figure = figures.curves_together(curves.table, lose=line, scale=scale)
    else:
        names = [curve.slider.name for curve in curves.curves]
        if len(names) > _MOST:
            first = {curve.slider.name for curve in curves.ranked(lose)[:_MOST]}
            st.caption(f"The {len(first)} most sensitive of {len(names)}; the table has all.")
            names = [name for name in names if name in first]
        words = {name: curves.words_of(name, lose) for name in names}
        figure = figures.curves_apart(curves.table, words, lose=line, scale=scale)
    st.plotly_chart(figure, key=f"scan-chart-{work.view}", config={"displayModeBar": False})
    if work.view == "heat":
        st.caption(
            f"{plain(scale.change_axis.replace('c', 'C', 1))}; orange: lost, blue: gained. "
            "*no-op*: nothing is cut at this level. *·*: not measured yet."
        )


def _table(work: ScanWork, curves: Curves) -> None:
    rows = table(curves, work.lose)
    st.dataframe(
        rows if any(curve.no_op for curve in curves.curves) else rows.drop(columns="why not"),
        hide_index=True,
        height="content",
        key="scan-table",
        column_config={
            "rank": st.column_config.NumberColumn(width=50),
            "knee": st.column_config.TextColumn(
                help="Where the curve bends most (Satopaa et al. 2011, Kneedle)."
            ),
            "robust to": st.column_config.TextColumn(
                help="The highest sparsity up to which, with 95 % confidence, it loses no more "
                "than what counts as a loss."
            ),
            "certain loss from": st.column_config.TextColumn(
                help="The lowest sparsity from which, with 95 % confidence, it loses more."
            ),
        },
    )
    if not work.running:
        st.download_button(
            "Download all points (CSV)",
            csv_text(curves.table),
            f"{work.session.name}-sensitivity.csv",
            "text/csv",
            key="scan-csv",
            icon=":material/download:",
        )


part(main)()
