"""How does what was done in this session become one file to hand on?"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pruneviz.background import Job
from pruneviz.export import stem
from pruneviz.plan import Plan
from pruneviz.progress import Progress
from pruneviz.pruning.labels import label
from pruneviz.report import report, write_report
from pruneviz.ui.boundary import part, ticking
from pruneviz.ui.chrome import follow
from pruneviz.ui.export.export_work import size
from pruneviz.ui.session import Session
from pruneviz.ui.session.pacing import after_the_accuracy
from pruneviz.ui.session.page_work import PageWork
from pruneviz.ui.text import plain
from pruneviz.ui.workbench.ledger import LedgerWork

_TICK = 0.4
_EMPTY = (
    "One HTML file that opens offline: numbers, the plan by layer, the trade-off with every "
    "plan this session visited, who pays, the weights, sensitivity as far as it was measured, "
    "recipe and script. It is made in the background."
)


@dataclass
class ReportWork(PageWork):
    """The last report of a session: on `plan`.

    path: of the file, which is kept until the next.
    """

    plan: Plan | None = None
    path: Path | None = None


def begin(reporting: ReportWork, *, costed: bool) -> Job:
    """Start on the report of the plan settled on; costed: with a ledger, if it takes measuring."""
    session, plan = reporting.session, reporting.session.settled
    before, books = reporting.path, LedgerWork.of(session)
    place = Path(tempfile.mkdtemp(prefix="pruneviz-"))
    weakref.finalize(reporting, shutil.rmtree, place, ignore_errors=True)

    def work(tell: Progress) -> None:
        if before is not None:
            shutil.rmtree(before.parent, ignore_errors=True)
        after_the_accuracy(session, tell)
        cost = books.costs.get(plan)
        if cost is None and costed:
            cost = session.bench.cost(plan, tell)
            books.enter(plan, cost)
        diary = session.diary
        past = None if diary is None else diary.history.visits(diary.version, diary.session)
        text = report(session.bench, plan, cost=cost, progress=tell, past=past)
        path = place / f"{stem(session.bench.name)}-report.html"
        reporting.path = write_report(path, text)

    reporting.plan, reporting.path, reporting.message = plan, None, None
    reporting.job = Job(work)
    return reporting.job


def take(reporting: ReportWork) -> None:
    """Take note of work that has ended."""
    job = reporting.ended()
    if job is None:
        return
    if job.error is not None:
        reporting.message = f"There is no report: {job.error}"
    elif reporting.path is None:
        reporting.message = "Stopped: no report was written."


@part
def offer_report(session: Session) -> None:
    """The part of a page that makes the report and offers it."""
    reporting = ReportWork.of(session)
    take(reporting)
    st.markdown("#### Report")
    if reporting.running:
        _wait(reporting)
    else:
        _ask(reporting)
    if reporting.message is not None:
        st.warning(plain(reporting.message))
    _found(reporting)


def _ask(reporting: ReportWork) -> None:
    session = reporting.session
    is_measured = session.settled in LedgerWork.of(session).costs
    left, right = st.columns([1, 4], vertical_alignment="center")
    click = left.button(
        "Make a report", key="report-begin", icon=":material/article:", width="stretch"
    )
    costed = right.checkbox(
        "with the ledger: bytes, memory and milliseconds, measured",
        key="report-cost",
        disabled=is_measured,
        help="It is measured already." if is_measured else "It takes some seconds more.",
    )
    if click:
        begin(reporting, costed=costed)
        st.rerun()
    if reporting.path is None and reporting.message is None:
        st.caption(_EMPTY)


def _wait(reporting: ReportWork) -> None:
    @ticking(_TICK)
    def watch() -> None:
        follow(reporting.job, "report-cancel")

    watch()


def _found(reporting: ReportWork) -> None:
    path, plan = reporting.path, reporting.plan
    if path is None or plan is None or reporting.running or not path.is_file():
        return
    if plan != reporting.session.settled:
        st.info(
            f"This report is on a plan before ({plain(label(plan))}). Make one again to have this."
        )
    st.download_button(
        f"Download {plain(path.name)} ({size(path.stat().st_size)})",
        path.read_bytes,
        file_name=path.name,
        mime="text/html",
        key="report-download",
        icon=":material/download:",
        on_click="ignore",
    )
