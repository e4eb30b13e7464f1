"""Does the page show what a plan costs, while it is measured and after?"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pruneviz.measuring import cost as cost_module
from pruneviz.plan import Plan
from pruneviz.ui.session import start
from pruneviz.ui.workbench.ledger import LedgerWork, measure
from pruneviz.workbench import Workbench
from tests.page import Page

PATIENCE = 120.0


@pytest.fixture
def no_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is exported to ONNX: that takes most of the time of a ledger."""

    def missing(*_: object) -> None:
        raise ValueError("ONNX Runtime is not here")

    monkeypatch.setattr(cost_module, "in_onnx_runtime", missing)


@pytest.fixture(scope="module")
def opened() -> Page:
    """lenet5, measured, with the ledger in sight."""
    return Page(model="lenet5").finish().choose("tabs", "Ledger")


def books(page: Page) -> LedgerWork:
    found = page.app.session_state["LedgerWork"]
    assert isinstance(found, LedgerWork)
    return found


def wait(page: Page) -> Page:
    """Let the ledger be measured, and draw it."""
    job = books(page).job
    assert job is not None
    job.wait(PATIENCE)
    assert not job.running
    return page.run()


def words(page: Page) -> str:
    return "\n".join(block.value for block in page.app.caption)


def press(page: Page, key: str) -> Page:
    page.app.button(key=key).click()
    return page.run()


@pytest.mark.slow
def test_an_empty_ledger_says_what_to_do(opened: Page) -> None:
    opened.settle(conv2=0.11)
    assert "The ledger of this plan is still empty. Measure it" in words(opened)
    assert opened.app.button(key="ledger-measure").label == "Measure size, memory and speed"


@pytest.mark.usefixtures("no_runtime")
def test_a_ledger_is_measured_and_stays_with_its_plan(opened: Page) -> None:
    plan = opened.settle(conv2=0.5).finish().plan
    wait(press(opened, "ledger-measure"))
    cost = books(opened).costs[plan]
    table = opened.app.dataframe[-1].value
    assert table["masked"].tolist() == cost.readable["masked"].tolist()
    assert not table.isin(["None", "nan"]).to_numpy().any()
    for note in cost.table["note"]:
        assert note in words(opened)
    assert opened.app.button(key="ledger-measure").label == "Measure again"

    opened.settle(conv2=0.6)
    assert "The ledger of this plan is still empty" in words(opened)
    opened.ask("undo")
    assert opened.plan == plan
    assert "The ledger of this plan is still empty" not in words(opened)
    assert opened.app.dataframe[-1].value.equals(table)


@pytest.mark.slow
def test_what_is_stopped_says_so_and_keeps_what_there_was(opened: Page) -> None:
    plan = opened.settle(conv2=0.7).finish().plan
    press(opened, "ledger-measure")
    job = books(opened).job
    if job is not None:
        job.cancel()
        wait(opened)
        assert plan not in books(opened).costs
        assert any("Stopped" in block.value for block in opened.app.warning)
    assert opened.app.button(key="ledger-measure").label == "Measure size, memory and speed"


@pytest.mark.slow
def test_while_it_is_measured_there_is_progress_and_a_way_out(opened: Page) -> None:
    plan = opened.settle(conv2=0.8).finish().plan
    press(opened, "ledger-measure")
    job = books(opened).job
    assert job is not None
    opened.run()
    if books(opened).job is not None:
        press(opened, "ledger-cancel")
        assert job.cancelled or plan in books(opened).costs  # it may have ended just before
        job.wait(PATIENCE)
        opened.run()
    assert books(opened).job is None


def test_an_error_is_shown_with_its_words(opened: Page) -> None:
    plan = opened.settle(conv2=0.9).finish().plan
    measure(books(opened), Plan(sparsity={"nosuch": 0.5})).wait(PATIENCE)
    books(opened).plan = plan
    opened.run()
    said = [block.value for block in opened.app.warning]
    assert any("could not be measured" in text and "'nosuch'" in text for text in said)
    assert "The ledger of this plan is still empty" in words(opened)
    opened.settle(conv2=0.1)
    assert not any("nosuch" in block.value for block in opened.app.warning)


@pytest.mark.usefixtures("no_runtime")
def test_measured_in_the_background_is_what_the_library_measures(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("lenet300")
    found = LedgerWork(start(bench))
    plan = Plan(sparsity={"fc1": 0.9})
    job = measure(found, plan)
    job.wait(PATIENCE)
    assert job.error is None
    assert job.done > 0.5
    once, again = found.costs[plan].as_dict(), bench.cost(plan).as_dict()
    assert once["bitmask"] == again["bitmask"]
    assert once["kept"] == again["kept"]


@pytest.mark.usefixtures("no_runtime")
def test_the_newest_ledgers_are_kept(benches: Callable[[str], Workbench]) -> None:
    bench = benches("lenet300")
    found = LedgerWork(start(bench))
    cost = bench.cost(Plan())
    plans = [Plan(seed=seed) for seed in range(201)]
    for plan in plans:
        found.enter(plan, cost)
    assert list(found.costs) == plans[1:]
    found.enter(plans[5], cost)
    assert list(found.costs)[-1] == plans[5]
