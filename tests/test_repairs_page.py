"""Do the repair switches change the plan, and does the comparison tell what each one brings?"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pruneviz.background import CancelledError
from pruneviz.plan import Plan, repairs_for
from pruneviz.ui.compare.repair_work import RepairWork, measure_rows, table, ways
from pruneviz.ui.workbench.repairs import values
from pruneviz.workbench import Workbench
from tests.cases import slow_but
from tests.page import Page

PLAN = Plan(granularity="neuron", sparsity={"fc1": 0.5})


@pytest.fixture
def page() -> Page:
    """Whole neurons of lenet5, half of one layer gone."""
    return Page(model="lenet5").choose("ask_granularity", "neuron").settle(fc1=0.5)


# -- what there is -----------------------------------------------------------------------------


@pytest.mark.parametrize("granularity", ["neuron", "head"])
def test_whole_units_have_repairs_of_their_own(granularity: str) -> None:
    assert repairs_for(granularity) == ("fold", "reconstruct", "recalibrate")


@pytest.mark.parametrize("granularity", ["weight", "2:4"])
def test_single_weights_are_updated_and_recalibrated(granularity: str) -> None:
    assert repairs_for(granularity) == ("update", "recalibrate")


def test_widgets_show_the_plan() -> None:
    shown = values(Plan(granularity="neuron", repair=("fold",), aggregate="max"))
    assert shown == {
        "ask_fold": True, "ask_reconstruct": False, "ask_update": False,
        "ask_recalibrate": False, "ask_aggregate": "max",
    }  # fmt: skip


# -- switches ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", slow_but(lambda name: name == "fold", ["fold", "reconstruct", "recalibrate"])
)
def test_a_switch_changes_the_plan_and_back(page: Page, name: str) -> None:
    before = page.plan
    page.choose(f"ask_{name}", True)
    assert page.plan.repair == (name,)
    assert page.plan.sparsity == before.sparsity
    page.ask("undo")
    assert page.plan == before
    assert page.app.toggle(key=page.key(f"ask_{name}")).value is False


@pytest.mark.slow
def test_the_effect_is_measured(page: Page) -> None:
    page.settle(fc1=0.9)
    raw = page.finish().result()
    page.choose("ask_reconstruct", True).finish()
    repaired = page.result()
    assert repaired.n == raw.n
    assert repaired.accuracy > raw.accuracy


@pytest.mark.slow
@pytest.mark.parametrize("aggregate", slow_but(lambda name: name == "max", ["sum", "max"]))
def test_the_group_score_is_a_choice(page: Page, aggregate: str) -> None:
    page.choose("ask_aggregate", aggregate)
    assert page.plan.aggregate == aggregate


@pytest.mark.slow
@pytest.mark.parametrize("granularity", slow_but(lambda name: name == "weight", ["weight", "N:M"]))
def test_what_does_not_fit_a_granularity_is_switched_off_and_said(
    page: Page, granularity: str
) -> None:
    page.choose("ask_fold", True).choose("ask_recalibrate", True)
    page.choose("ask_granularity", granularity)
    assert page.plan.repair == ("recalibrate",)
    assert "Fold means into biases" in (page.session.message or "")
    assert page.app.toggle(key=page.key("ask_fold")).disabled
    assert page.app.toggle(key=page.key("ask_reconstruct")).disabled
    assert not page.app.toggle(key=page.key("ask_recalibrate")).disabled


@pytest.mark.slow
def test_a_link_carries_the_repairs(page: Page) -> None:
    page.choose("ask_fold", True).choose("ask_aggregate", "sum")
    other = Page(**page.address)
    assert other.plan == page.plan
    assert other.app.toggle(key=other.key("ask_fold")).value is True


# -- comparison ----------------------------------------------------------------------------------


def test_ways_are_raw_each_and_all() -> None:
    found = ways(PLAN)
    assert [way.repair for way in found.values()] == [
        (), ("fold",), ("reconstruct",), ("recalibrate",), ("fold", "reconstruct", "recalibrate"),
    ]  # fmt: skip
    assert [way.repair for way in ways(Plan()).values()] == [
        (), ("update",), ("recalibrate",), ("update", "recalibrate"),
    ]  # fmt: skip


@pytest.mark.slow
def test_every_row_is_what_the_workbench_measures(benches: Callable[[str], Workbench]) -> None:
    bench, told = benches("lenet5"), list[float]()
    rows = list(measure_rows(bench, PLAN, lambda label, done: told.append(done)))
    assert [row.plan for row in rows] == list(ways(PLAN).values())
    for row in rows:
        assert row.result.accuracy == bench.evaluate(row.plan).accuracy
        assert (row.seconds > 0) == bool(row.plan.repair)
    assert told == sorted(told)
    assert told[-1] <= 1
    shown = table(rows)
    assert list(shown["repair"]) == list(ways(PLAN))
    assert shown["seconds"].iloc[0] == "–"


def test_a_comparison_can_be_stopped(benches: Callable[[str], Workbench]) -> None:
    def stop(label: str, done: float) -> None:
        if done > 0:
            raise CancelledError

    with pytest.raises(CancelledError):
        list(measure_rows(benches("lenet5"), PLAN, stop))


@pytest.mark.slow
def test_the_button_fills_the_table(page: Page) -> None:
    page.finish().app.button(key="compare").click()
    page.run()
    found = page.app.session_state["RepairWork"]
    assert isinstance(found, RepairWork)
    assert found.job is not None
    found.job.wait(120)
    page.run()
    assert (found.job, found.message, len(found.rows)) == (None, None, 5)
    shown = [frame.value for frame in page.app.dataframe if "repair" in frame.value]
    assert list(shown[0]["repair"]) == list(ways(page.plan))
    page.settle(fc1=0.6)
    assert page.app.session_state["RepairWork"].rows == [], "another plan, another comparison"
