"""Does the page of curves scan, stop, go on, and say what was found and what was not?"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pruneviz.background import Job
from pruneviz.plan import Plan
from pruneviz.progress import Progress
from pruneviz.sensitivity.curves import Curves
from pruneviz.storage.home import VARIABLE
from pruneviz.ui.allocate.scan_work import ScanWork, start, work_left
from pruneviz.ui.session import cached
from pruneviz.ui.wording import duration
from tests.page import PATIENCE, Page, few_validated

N = 400  # validation samples


class Sensitivity(Page):
    """The page of curves, reached from the workbench in the same tab."""

    PAGE, STATE = "sensitivity", "ScanWork"

    @property
    def scanning(self) -> ScanWork:
        found = self.app.session_state["ScanWork"]
        assert isinstance(found, ScanWork)
        return found

    @property
    def curves(self) -> Curves:
        return self.session.bench.studies.known_curves(self.plan)


@pytest.fixture(scope="module", autouse=True)
def _few() -> Iterator[None]:
    with few_validated(N):
        yield


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sensitivity:
    """lenet300, of which nothing was measured before."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "home"))
    cached.bench.clear()
    found = Sensitivity(model="lenet300")
    found.finish()
    return found.go()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Curves]:
    """A home where the curves of lenet300 were measured, and these."""
    home = tmp_path_factory.mktemp("measured")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(home))
        return home, cached.open_workbench("lenet300").studies.curves(Plan())


@pytest.fixture
def scanned(
    whole: tuple[Path, Curves], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Sensitivity:
    """lenet300, of which the curves were measured when the app ran before."""
    shutil.copytree(whole[0], tmp_path / "home")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "home"))
    cached.bench.clear()
    return Sensitivity(model="lenet300").go()


def test_before_a_scan_the_page_says_what_it_will_cost(page: Sensitivity) -> None:
    assert "Nothing was scanned yet" in page.texts()
    assert "**Scan** cuts each of 3 layers" in page.texts()
    samples, seconds = work_left(page.session.bench, page.curves)
    assert samples == round(33 * 0.45 * N)
    assert seconds == pytest.approx(samples * page.session.bench.seconds_per_sample)
    assert f"about {samples:,} samples" in page.texts()
    assert not page.app.dataframe


def test_a_scan_fills_the_table(page: Sensitivity) -> None:
    memory = page.session.bench.studies.memory
    version = memory.version
    page.press("scan-start").done()
    curves = page.curves
    assert curves.complete
    assert memory.version > version
    assert page.scanning.message is None
    rows = page.app.dataframe[0].value
    order = [curve.slider.name for curve in curves.ranked()]
    assert list(rows["layer"]) == order
    assert list(rows["rank"]) == [1, 2, 3]
    assert list(rows["in words"]) == [curves.words_of(name) for name in order]
    assert curves.words in page.texts()
    assert "scan-start" not in page.buttons(), "there is nothing left to measure"
    assert work_left(page.session.bench, curves) == (0, 0.0)


@pytest.mark.slow
def test_what_counts_as_a_loss_is_a_choice_that_stays(scanned: Sensitivity) -> None:
    page = scanned
    page.app.number_input(key="scan_lose").set_value(10.0)
    page.run()
    rows = page.app.dataframe[0].value.set_index("layer")
    for curve in page.curves.curves:
        robust = curve.robust(0.1)
        assert robust is not None
        assert rows.loc[curve.slider.name, "robust to"] == f"{100 * robust:.0f} %"
    page.back().go()
    assert page.app.number_input(key="scan_lose").value == 10.0


@pytest.mark.slow
def test_every_chart_draws_and_stays_chosen(scanned: Sensitivity) -> None:
    for view in ("heat", "together", "apart"):
        scanned.choose("scan_view", view)
        assert scanned.scanning.view == view
        scanned.back().go()
        assert scanned.scanning.view == view


@pytest.mark.slow
def test_a_budget_stops_it_and_go_on_ends_with_the_same_numbers(
    page: Sensitivity, whole: tuple[Path, Curves]
) -> None:
    start(page.scanning, 2_000)
    page.done()
    part = page.curves
    assert not part.complete
    assert 0 < part.spent <= 2_000
    assert "not finished" in page.texts()
    assert page.app.button(key="scan-start").label == "Go on"
    page.press("scan-start").done()
    assert page.curves == whole[1]


@pytest.mark.slow
def test_seconds_to_spend_are_told_as_samples(page: Sensitivity) -> None:
    page.app.number_input(key="scan_limit").set_value(1.0)
    page.run()
    bench = page.session.bench
    samples = max(bench.block, round(1 / bench.seconds_per_sample))
    if work_left(bench, page.curves)[1] > 1:
        assert f"It stops after {samples:,} of them, about {duration(1.0)}." in page.texts()
    page.back().go()
    assert page.app.number_input(key="scan_limit").value == 1.0
    page.app.number_input(key="scan_limit").set_value(0.0)
    page.run()
    assert "It stops" not in page.texts()


@pytest.mark.slow
def test_cancel_keeps_what_was_measured(page: Sensitivity) -> None:
    page.press("scan-start")
    job = page.scanning.job
    assert job is not None
    end = time.monotonic() + PATIENCE
    while not page.curves.spent and job.running:
        assert time.monotonic() < end
        time.sleep(0.001)
    job.cancel()
    page.done()
    if not page.curves.complete:  # it may have been faster
        assert "Stopped. What was measured until now is kept." in page.texts()
        assert page.curves.spent > 0
        page.press("scan-start").done()
    assert page.curves.complete


@pytest.mark.slow
def test_it_goes_on_while_another_page_is_shown(page: Sensitivity) -> None:
    page.press("scan-start")
    job = page.scanning.job
    page.back()
    assert page.scanning.job is job
    assert job is not None
    assert not job.cancelled
    job.wait(PATIENCE)
    page.go()
    assert page.curves.complete
    assert len(page.app.dataframe[0].value) == 3


@pytest.mark.slow
def test_what_is_known_from_disk_is_there_at_once(
    scanned: Sensitivity, whole: tuple[Path, Curves]
) -> None:
    assert scanned.curves == whole[1]
    assert list(scanned.app.dataframe[0].value["rank"]) == [1, 2, 3]
    assert "scan-start" not in scanned.buttons()


@pytest.mark.slow
def test_other_choices_have_curves_of_their_own(scanned: Sensitivity) -> None:
    page = scanned
    page.back().choose("ask_granularity", "neuron")
    page.go()
    assert "Nothing was scanned yet" in page.texts()
    page.press("scan-start").done()
    assert page.curves.plan.granularity == "neuron"
    assert len(page.app.dataframe[0].value) == len(page.curves.curves)


@pytest.mark.slow
def test_where_nothing_can_be_cut_each_layer_says_why(page: Sensitivity) -> None:
    page.back().choose("ask_granularity", "head")
    page.go()
    rows = page.app.dataframe[0].value
    assert set(rows["in words"]) == {"nothing could be cut"}
    assert all(rows["why not"])
    assert "scan-start" not in page.buttons()


@pytest.mark.slow
def test_trouble_with_the_file_is_told_and_stops_nothing(
    page: Sensitivity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "taken"))
    cached.bench.clear()
    broken = Sensitivity(model="lenet300")
    broken.go()
    assert "Measurements cannot be kept in" in broken.texts()
    broken.press("scan-start").done()
    assert broken.curves.complete


@pytest.mark.slow
def test_a_scan_goes_on_behind_another_network(page: Sensitivity) -> None:
    first, name, end = page.scanning, page.session.name, threading.Event()

    def work(report: Progress) -> None:
        report("fc1", 0.5)
        end.wait(PATIENCE)

    first.job = Job(work)
    page.back()
    page.choose("ask_model", "lenet5").go()
    assert page.scanning is not first
    assert first.running
    assert not first.job.cancelled
    labels = [link.proto.label for link in page.app.get("page_link")]
    assert f"Sensitivity is at work on {name}: fc1 · 50%" in labels
    page.back()
    page.choose("ask_model", name).go()
    assert page.scanning is first, "one finds it where it is"
    assert first.session is page.session
    end.set()
    page.done()
