"""What does each repair bring back, and how long does it take?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

import pandas as pd
import streamlit as st

from pruneviz.background import Job
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan, repairs_for
from pruneviz.progress import Progress, ShareDone
from pruneviz.pruning.repair import REPAIRS
from pruneviz.pruning.repair.verdict import mend
from pruneviz.sensitivity.pieces import in_pieces
from pruneviz.ui.job_bar import job_bar
from pruneviz.ui.session import Session
from pruneviz.ui.session.countdown import after_the_accuracy
from pruneviz.ui.session.jobs import so_far
from pruneviz.ui.session.page_work import PageWork
from pruneviz.ui.text import as_sentence, plain
from pruneviz.workbench import Workbench

_HELP = "Measures the plan without repair, with each one alone, and with all of them."


@dataclass(frozen=True)
class RepairRow:
    """One way to repair a plan. seconds: of the repair alone."""

    label: str
    plan: Plan
    result: Evaluation
    seconds: float


@dataclass
class RepairWork(PageWork):
    """The rows of one plan, as far as they are known, and the work on the others."""

    page: ClassVar[str] = "Workbench"

    plan: Plan = field(init=False)
    rows: list[RepairRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.plan = self.session.settled

    def fits(self, session: Session) -> bool:
        """Whether the plan settled on has the same ways to be repaired."""
        return super().fits(session) and ways(self.plan) == ways(session.settled)


def ways(plan: Plan) -> dict[str, Plan]:
    """Label -> the plan without repair, with each one that there is for it, and with all."""
    can = repairs_for(plan.granularity)
    plans = {"raw": replace(plan, repair=())}
    plans |= {REPAIRS[name].label: replace(plan, repair=(name,)) for name in can}
    return plans | ({"all together": replace(plan, repair=can)} if len(can) > 1 else {})


def measure_rows(bench: Workbench, plan: Plan, report: Progress) -> Iterator[RepairRow]:
    """The rows of a plan one after the other, on all validation samples (a slow network's probe).

    report: called with a label and the fraction done; it may raise to stop.
    """
    every = ways(plan)
    samples = bench.probe if bench.slow else len(bench.source.validation)
    for place, (label, way) in enumerate(every.items()):
        begun = place

        def progress(done: float, label: str = label, begun: int = begun) -> None:
            report(label, (begun + min(done, 1.0)) / len(every))

        progress(0.0)
        seconds = _seconds(bench, way, progress)
        evaluation = in_pieces(
            bench, way, samples, lambda _, done: progress(0.5 + done / 2), label, bench.probe
        )
        yield RepairRow(label, way, evaluation, seconds)


def _seconds(bench: Workbench, plan: Plan, progress: ShareDone) -> float:
    """How long the repairs of a plan take, done once more: what the workbench has is kept."""
    if not plan.repair:
        return 0.0
    raw = bench.prune(replace(plan, repair=()))
    start = time.perf_counter()
    mend(
        bench.source.model, bench.layer_of, raw.groups, raw.graph, plan, raw.parameter_masks,
        raw.units, bench.source.calibration, batch=bench.block,
        progress=lambda done: progress(done / 2),
    )  # fmt: skip
    return time.perf_counter() - start


def compare(session: Session) -> None:
    """A button that measures every repair for the plan settled on, and a table of the result."""
    RepairWork.of(session).redraw(_draw)


def _start(repair_work: RepairWork) -> Job:
    session, rows = repair_work.session, repair_work.rows
    rows.clear()

    def work(report: Progress) -> None:
        after_the_accuracy(session, report)
        rows.extend(measure_rows(session.bench, repair_work.plan, report))

    repair_work.message, repair_work.job = None, Job(work)
    return repair_work.job


def _draw(work: RepairWork) -> None:
    work.turn()
    ended = work.take_ended()
    if ended is not None:
        work.message = ended.error
    job, plan = work.job, work.plan
    if plan.is_dense:
        st.caption("Nothing is cut yet: there is nothing to repair.")
        return
    if plan.repair and so_far(work.session.bench, plan) is not None:  # its masks are there
        for note in work.session.bench.prune(plan).notes:
            st.warning(as_sentence(note))
    if job is not None:
        job_bar(job, "compare-cancel", width=3)
    elif st.button("Compare repairs", key="compare", width="stretch", help=_HELP):
        _start(work)
        st.rerun()
    elif work.message is not None:
        st.warning(plain(work.message))
    if work.rows:
        st.dataframe(
            table(work.rows),
            hide_index=True,
            height="content",
            key="compare-table",
            column_config={
                "repair": st.column_config.TextColumn(width=170),
                "seconds": st.column_config.TextColumn(width=70, alignment="right"),
            },
        )
        st.caption(f"Measured on {work.rows[0].result.n:,} validation samples.")


def table(rows: list[RepairRow]) -> pd.DataFrame:
    """The rows as people read them."""
    return pd.DataFrame(
        [
            {
                "repair": row.label,
                f"{row.result.task.word} (95 %)": f"{100 * row.result.accuracy:.1f} % "
                f"({100 * row.result.low:.1f}–{100 * row.result.high:.1f})",
                "seconds": f"{row.seconds:.2f}" if row.plan.repair else "–",
            }
            for row in rows
        ]
    )
