"""What does the plan cost, as the page shows it?"""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from pruneviz.background import Job
from pruneviz.measuring.ledger import Cost
from pruneviz.plan import Plan
from pruneviz.progress import Progress
from pruneviz.ui.boundary import part
from pruneviz.ui.session import Session
from pruneviz.ui.session.pacing import after_the_accuracy
from pruneviz.ui.session.page_work import PageWork
from pruneviz.ui.text import plain

_KEY = "ledger"
_TICK = 0.4
_REMEMBERED = 200
_EMPTY = (
    "Nothing of this plan is in the ledger yet. Measure it, and see side by side what the dense, "
    "the masked and the shrunk network take: parameters, multiply-accumulates, bytes in a file, "
    "memory, and milliseconds here and in ONNX Runtime. It takes some seconds, in the background."
)


@dataclass
class LedgerWork(PageWork):
    """The ledgers of one session, the work on the next one, and what went wrong with the last."""

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
            self.session.diary.costed(plan, cost)


@part
def ledger(session: Session) -> None:
    """The ledger of the plan that was settled on, redrawn by itself while it is measured."""
    books = LedgerWork.of(session)
    _take(books)
    books.redraw(_draw)


def measure(books: LedgerWork, plan: Plan) -> Job:
    """Start on the ledger of `plan`; it begins when nothing else is being measured."""
    session, bench = books.session, books.session.bench

    def work(report: Progress) -> None:
        after_the_accuracy(session, report)
        books.enter(plan, bench.cost(plan, report))

    books.plan, books.message, books.job = plan, None, Job(work)
    return books.job


def _take(books: LedgerWork) -> None:
    """Take note of work that has ended."""
    job = books.ended()
    if job is None:
        return
    if job.error is not None:
        books.message = f"The ledger could not be measured: {job.error}"
    elif job.cancelled:
        books.message = "Stopped. Nothing of this ledger was kept."


def _draw(books: LedgerWork) -> None:
    books.turn()
    plan = books.session.settled
    if books.message is not None and books.plan == plan:
        st.warning(plain(books.message))
    cost = books.costs.get(plan)
    if books.job is not None:
        _working(books, books.job, plan)
    elif st.button(
        "Measure size, memory and speed" if cost is None else "Measure again",
        key="ledger-measure",
        icon=":material/receipt_long:",
    ):
        measure(books, plan)
        st.rerun()
    if cost is not None:
        _table(cost)
    elif books.job is None:
        st.caption(_EMPTY)


def _working(books: LedgerWork, job: Job, plan: Plan) -> None:
    bar, stop = st.columns([5, 1], vertical_alignment="center")
    other = "" if books.plan == plan else " (of the plan before)"
    bar.progress(min(1.0, job.done), f"{plain(job.label or 'beginning')}{other} · {job.done:.0%}")
    if stop.button("Cancel", key="ledger-cancel", width="stretch"):
        job.cancel()


def _table(cost: Cost) -> None:
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
