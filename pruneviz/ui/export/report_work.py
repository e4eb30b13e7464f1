"""How does what was done in this session become one file to hand on?"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

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
from pruneviz.ui.session.countdown import after_the_accuracy
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

    page: ClassVar[str] = "Export"

    plan: Plan | None = None
    path: Path | None = None


def begin(work: ReportWork, *, costed: bool) -> Job:
    """Start on the report of the plan settled on; costed: with a ledger, if it takes measuring."""
    session, plan = work.session, work.session.settled
    before, ledger_work = work.path, LedgerWork.of(session)
    place = Path(tempfile.mkdtemp(prefix="pruneviz-"))
    weakref.finalize(work, shutil.rmtree, place, ignore_errors=True)

    def run(tell: Progress) -> None:
        if before is not None:
            shutil.rmtree(before.parent, ignore_errors=True)
        after_the_accuracy(session, tell)
        cost = ledger_work.costs.get(plan)
        if cost is None and costed:
            cost = session.bench.cost(plan, tell)
            ledger_work.enter(plan, cost)
        diary = session.diary
        past = None if diary is None else diary.history.visits(diary.version, diary.session)
        text = report(session.bench, plan, cost=cost, progress=tell, past=past)
        path = place / f"{stem(session.bench.name)}-report.html"
        work.path = write_report(path, text)

    work.plan, work.path, work.message = plan, None, None
    work.job = Job(run)
    return work.job


def take(work: ReportWork) -> None:
    """Take note of work that has ended."""
    job = work.take_ended()
    if job is None:
        return
    if job.error is not None:
        work.message = f"There is no report: {job.error}"
    elif work.path is None:
        work.message = "Stopped: no report was written."


@part
def offer_report(session: Session) -> None:
    """The part of a page that makes the report and offers it."""
    work = ReportWork.of(session)
    take(work)
    st.markdown("#### Report")
    if work.running:
        _wait(work)
    else:
        _ask(work)
    if work.message is not None:
        st.warning(plain(work.message))
    _show_report(work)


def _ask(work: ReportWork) -> None:
    session = work.session
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
        begin(work, costed=costed)
        st.rerun()
    if work.path is None and work.message is None:
        st.caption(_EMPTY)


def _wait(work: ReportWork) -> None:
    @ticking(_TICK)
    def watch() -> None:
        follow(work.job, "report-cancel")

    watch()


def _show_report(work: ReportWork) -> None:
    path, plan = work.path, work.plan
    if path is None or plan is None or work.running or not path.is_file():
        return
    if plan != work.session.settled:
        st.info(
            f"This report shows an earlier plan ({plain(label(plan))}). Make a new one for the "
            "plan on the screen."
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
