"""Does the page of exports make a report of what this session did, and stop when it is told to?"""

from __future__ import annotations

import re
import shutil

import pytest

from pruneviz.ui.export.report_work import ReportWork
from tests.page import Page


class Reports(Page):
    """The page of exports, reached from the workbench in the same tab."""

    PAGE, STATE = "export", "ReportWork"

    @property
    def reporting(self) -> ReportWork:
        found = self.app.session_state["ReportWork"]
        assert isinstance(found, ReportWork)
        return found

    def begin(self) -> Reports:
        """Press the button; what runs is waited for by `done`."""
        self.app.button(key="report-begin").click()
        self.run()
        return self

    def text(self) -> str:
        assert self.reporting.message is None
        assert self.reporting.path is not None
        return self.reporting.path.read_text("utf-8")

    def download(self) -> str:
        return next(
            each.proto.label
            for each in self.app.get("download_button")
            if "report" in each.proto.label
        )


def points(text: str) -> list[str]:
    """What the trade-off's table calls its plans."""
    part = re.search(r'<section id="tradeoff">.*?</section>', text, re.DOTALL)
    assert part is not None
    return re.findall(r'<tr><td class="left">(.*?)</td>', part[0])


@pytest.fixture
def page() -> Reports:
    """lenet5 after fc1 at 50 %, then back, then fc2 at 60 %."""
    found = Reports(model="lenet5")
    found.settle(fc1=0.5).finish()
    found.ask("undo").finish()
    found.settle(fc2=0.6).finish()
    return found.go()


@pytest.mark.slow
def test_a_report_shows_the_plans_of_this_session(page: Reports) -> None:
    page.begin().done()
    text = page.text()
    assert points(text) == [
        "dense",
        "Magnitude, weight: 50 % in 1 layer",
        "Magnitude, weight: 60 % in 1 layer",
    ]
    bench = page.session.bench
    assert f"<dd>{100 * bench.evaluate(page.plan).accuracy:.1f} %</dd>" in text
    assert "1 other plan was visited" in text
    assert re.fullmatch(r"Download lenet5-report\.html \(\d\.\d MB\)", page.download())
    page.session.settle(page.session.steps[0].plan)
    page.run()
    assert "an earlier plan" in page.app.info[0].value


@pytest.mark.slow
def test_its_ledger_is_that_of_the_ledger_tab(page: Reports) -> None:
    page.app.checkbox(key="report-cost").check()
    page.begin().done()
    assert "Timed at batch" in page.text()
    assert page.app.checkbox(key="report-cost").disabled, "measured once is enough"
    assert page.plan in page.app.session_state["LedgerWork"].costs


@pytest.mark.slow
def test_a_cancelled_report_leaves_nothing_and_another_can_be_made(page: Reports) -> None:
    page.begin()
    job = page.reporting.job
    assert job is not None
    job.cancel()
    page.done()
    if page.reporting.path is None:
        assert [each.value for each in page.app.warning] == ["Stopped: no report was written."]
    page.begin().done()
    assert points(page.text())


@pytest.mark.slow
def test_what_goes_wrong_is_said(page: Reports) -> None:
    page.begin().done()
    place = page.reporting.path
    assert place is not None
    shutil.rmtree(place.parent)
    page.run()
    assert not [x for x in page.app.get("download_button") if "report" in x.proto.label]
    page.begin().done()
    assert points(page.text())
