"""What does the plan cost, as the page shows it?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import streamlit as st

from pruneviz.background import Job
from pruneviz.measuring.ledger import Cost
from pruneviz.plan import Plan
from pruneviz.progress import Progress
from pruneviz.ui.boundary import part
from pruneviz.ui.job_bar import job_bar
from pruneviz.ui.session import Session
from pruneviz.ui.session.countdown import after_the_accuracy
from pruneviz.ui.session.page_work import PageWork
from pruneviz.ui.text import plain
from pruneviz.workbench import Workbench
from pruneviz.workbench.lineage import ledger_words

_KEY = "ledger"
_TICK = 0.4
_REMEMBERED = 200
_EMPTY = (
    "The ledger of this plan is still empty. Measure it to see, side by side, what the dense, "
    "the masked and the shrunk network take: parameters, multiply-accumulates, bytes in a file, "
    "memory, and milliseconds here and in ONNX Runtime. It takes some seconds, in the background."
)


@dataclass
class LedgerWork(PageWork):
    """The ledgers of one session, the work on the next one, and what went wrong with the last."""

    page: ClassVar[str] = "Workbench"

    costs: dict[Plan, Cost] = field(default_factory=dict)
    plan: Plan | None = None

    def enter(self, plan: Plan, cost: Cost) -> None:
        """Keep the newest ledger of each plan, of the plans that were measured last; and for good
        in the history.
        """
        self.costs.pop(plan, None)
        self.costs[plan] = cost
        for old in list(self.costs)[:-_REMEMBERED]:
            del self.costs[old]
        if self.session.diary is not None:
            self.session.diary.record_cost(plan, cost)


@part
def ledger(session: Session) -> None:
    """The ledger of the plan that was settled on, redrawn by itself while it is measured."""
    work = LedgerWork.of(session)
    _take(work)
    work.redraw(_draw)


def measure(work: LedgerWork, plan: Plan) -> Job:
    """Start on the ledger of `plan`; it begins when nothing else is being measured."""
    session, bench = work.session, work.session.bench

    def run(report: Progress) -> None:
        after_the_accuracy(session, report)
        work.enter(plan, bench.cost(plan, report))

    work.plan, work.message, work.job = plan, None, Job(run)
    return work.job


def _take(work: LedgerWork) -> None:
    """Take note of work that has ended."""
    job = work.take_ended()
    if job is None:
        return
    if job.error is not None:
        work.message = f"The ledger could not be measured: {job.error}"
    elif job.cancelled:
        work.message = "Stopped. Nothing of this ledger was kept."


def _draw(work: LedgerWork) -> None:
    work.turn()
    plan = work.session.settled
    if work.message is not None and work.plan == plan:
        st.warning(plain(work.message))
    cost = work.costs.get(plan)
    if work.job is not None:
        _show_progress(work, work.job, plan)
    elif st.button(
        "Measure size, memory and speed" if cost is None else "Measure again",
        key="ledger-measure",
        icon=":material/receipt_long:",
    ):
        measure(work, plan)
        st.rerun()
    if cost is not None:
        _table(cost, work.session.bench)
    elif work.job is None:
        st.caption(_EMPTY)


def _show_progress(work: LedgerWork, job: Job, plan: Plan) -> None:
    job_bar(job, "ledger-cancel", of="" if work.plan == plan else "the plan before: ", width=5)


def _table(cost: Cost, bench: Workbench) -> None:
    if words := ledger_words(bench):
        st.caption(plain(words))
    table = cost.readable
    right = st.column_config.TextColumn(alignment="right")
    st.dataframe(
        table.drop(columns="note"),
        hide_index=True,
        height="content",
        key="ledger-table",
        column_config=dict.fromkeys(("dense", "masked", "shrunk", "onnx runtime"), right),
    )
    pairs = zip(table["quantity"], table["note"], strict=True)
    st.caption("\n".join(f"- **{plain(quantity)}** — {plain(note)}" for quantity, note in pairs))
