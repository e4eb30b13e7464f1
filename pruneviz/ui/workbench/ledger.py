"""What does the plan cost, as the page shows it?"""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from pruneviz.background import Job, Report
from pruneviz.measuring.ledger import Cost
from pruneviz.plan import Plan
from pruneviz.ui.boundary import fragment, part
from pruneviz.ui.session import Session
from pruneviz.ui.session.pacing import after_the_accuracy
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
class LedgerWork:
    """The ledgers of one session, the work on the next one, and what went wrong with the last."""

    session: Session
    costs: dict[Plan, Cost] = field(default_factory=dict)
    job: Job | None = None
    plan: Plan | None = None
    message: str | None = None
    drawing_page: bool = False

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
    books = books_of(session)
    running = _take(books)
    redrawn = fragment(_draw, run_every=_TICK if running else None)
    books.drawing_page = True
    try:
        redrawn(books)
    finally:
        books.drawing_page = False


def measure(books: LedgerWork, plan: Plan) -> Job:
    """Start on the ledger of `plan`; it begins when nothing else is being measured."""
    session, bench = books.session, books.session.bench

    def work(report: Report) -> None:
        after_the_accuracy(session, report)
        books.enter(plan, bench.cost(plan, report))

    books.plan, books.message, books.job = plan, None, Job(work)
    return books.job


def books_of(session: Session) -> LedgerWork:
    """The ledgers of this session; nothing of another network's."""
    books = st.session_state.get(_KEY)
    if not isinstance(books, LedgerWork) or books.session is not session:
        if isinstance(books, LedgerWork) and books.job is not None:
            books.job.cancel()
        books = st.session_state[_KEY] = LedgerWork(session)
    return books


def _take(books: LedgerWork) -> bool:
    """Take note of work that has ended; returns whether some is still running."""
    job = books.job
    if job is None or job.running:
        return job is not None
    books.job = None
    if job.error is not None:
        books.message = f"The ledger could not be measured: {job.error}"
    elif job.cancelled:
        books.message = "Stopped. Nothing of this ledger was kept."
    return False


def _draw(books: LedgerWork) -> None:
    # Work that ended while the page is drawn is noticed at the next tick.
    if not books.drawing_page and books.job is not None and not _take(books):
        st.rerun()  # the whole page, so that the ticking ends
    plan = books.session.settled
    if books.message is not None and books.plan == plan:
        st.warning(plain(books.message))
    cost = books.costs.get(plan)
    if books.job is not None:
        _working(books, books.job, plan)
    elif st.button(
        "Measure the ledger" if cost is None else "Measure again",
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
