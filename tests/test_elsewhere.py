"""Is work in the background to be seen on the other pages?"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import streamlit as st

from pruneviz.background import Job
from pruneviz.progress import Progress
from pruneviz.ui import elsewhere
from pruneviz.ui.allocate.scan_work import ScanWork
from pruneviz.ui.export.export_work import ExportWork
from pruneviz.ui.pages import PAGES
from pruneviz.ui.session.page_work import PageWork
from tests.page import new_app, path_of


@pytest.fixture
def endless() -> Iterator[Job]:
    """A job that is at a third until the test has ended."""
    reached, end = threading.Event(), threading.Event()

    def run(report: Progress) -> None:
        report("conv1", 1 / 3)
        reached.set()
        end.wait(60)

    job = Job(run)
    assert reached.wait(60)
    yield job
    end.set()
    job.wait(60)


def works(job: Job | None) -> dict[str, PageWork]:
    """What a session holds whose scan and export are at this job."""
    every: dict[str, PageWork] = {}
    for kind in (ExportWork, ScanWork):
        work = object.__new__(kind)
        work.job = job
        every[kind.__name__] = work
    return every


def test_what_another_page_shows_is_told_in_the_order_of_pages(
    endless: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "session_state", {**works(endless), "else": 3})
    assert [work.page for work in elsewhere.work_beside("Train")] == ["Sensitivity", "Export"]
    assert [work.page for work in elsewhere.work_beside("Export")] == ["Sensitivity"]
    monkeypatch.setattr(st, "session_state", works(None))
    assert elsewhere.work_beside("Train") == []


def test_every_kind_of_work_has_a_page() -> None:
    def kinds(kind: type[PageWork]) -> Iterator[type[PageWork]]:
        for each in kind.__subclasses__():
            yield each
            yield from kinds(each)

    assert {kind.page for kind in kinds(PageWork)} <= {*PAGES}


def test_a_page_says_how_far_the_work_of_another_is(endless: Job) -> None:
    app = new_app()
    app.session_state["ScanWork"] = works(endless)["ScanWork"]
    app.run()
    app.switch_page(path_of("manual")).run()
    labels = [link.proto.label for link in app.get("page_link")]
    assert labels[: len(PAGES)] == [*PAGES], "the bar on top"
    assert labels[len(PAGES) :] == ["Sensitivity is at work: conv1 · 33%"]
