"""Does a session come back from the history, to its owner alone?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pruneviz.history import History
from pruneviz.plan import Plan
from pruneviz.ui.session import Session, arrive, first_plan, start
from pruneviz.ui.session.branch import return_to
from pruneviz.ui.session.diary import Diary
from pruneviz.ui.workbench import trade_off
from pruneviz.workbench import Workbench
from tests.page import Page, links

Benches = Callable[[str], Workbench]


def opened(bench: Workbench, history: History) -> Session:
    """A new tab."""
    session = start(bench)
    session.diary = Diary(bench, bench.name, history)
    return session


def with_cut(session: Session, **levels: float) -> Plan:
    return Plan(sparsity=dict(session.settled.sparsity) | levels)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with_file = History(tmp_path)
    yield with_file
    with_file.close()


def test_plans_numbers_and_names_come_back(history: History, benches: Benches) -> None:
    bench = benches("lenet300")
    ann = opened(bench, history.of("ann"))
    assert ann.diary is not None
    half, most = with_cut(ann, fc1=0.5), with_cut(ann, fc1=0.9)
    for plan in (half, most):
        bench.evaluate(plan)
        ann.settle(plan)
        ann.diary.record_measurement(plan)
    ann.diary.name_branch(half, "before the cliff")
    numbers = trade_off.visits(bench, ann.visited, ann.facts).table
    way = ann.diary.visits

    again = opened(bench, history.of("ann"))
    assert again.diary is not None
    assert return_to(again, way[most])
    assert again.visited == ann.visited
    assert again.snapshots == {"before the cliff": half}
    assert again.diary.visits == way
    assert {**again.facts.past[most], "key": "", "returns": True} == {
        **numbers.iloc[2].to_dict(), "key": "",
    }  # fmt: skip
    again.settle(most)
    again.settle(with_cut(ann, fc1=0.7))
    table = history.visits()
    assert table["session"].nunique() == 1, "the tree goes on"
    assert table["parent"].tolist()[1:] == [way[ann.visited[0]], way[half], way[most]]


def test_the_way_to_a_plan_can_be_undone_again(history: History, benches: Benches) -> None:
    bench = benches("lenet300")
    ann = opened(bench, history)
    assert ann.diary is not None
    for level in (0.5, 0.9):
        ann.settle(with_cut(ann, fc1=level))
    ann.travel(-1)
    half = ann.settled
    ann.settle(with_cut(ann, fc2=0.4))
    again = opened(bench, history)
    assert return_to(again, ann.diary.visits[ann.settled])
    arrive(again, ann.settled)
    assert [step.plan for step in again.steps] == [first_plan(bench), half, ann.settled]
    again.travel(-1)
    assert (again.settled, again.locked) == (half, dict(bench.locks))
    again.travel(-1)
    assert again.settled.is_dense

    back = opened(bench, history)
    assert return_to(back, ann.diary.visits[first_plan(bench)])
    assert (back.settled, back.at) == (first_plan(bench), 0)


def test_steps_that_need_other_evidence_are_not_brought_back(
    history: History, benches: Benches
) -> None:
    ann = opened(benches("lenet300"), history)
    assert ann.diary is not None
    for plan in (
        with_cut(ann, fc1=0.5),
        replace(with_cut(ann, fc1=0.5), criterion="wanda"),
        with_cut(ann, fc1=0.6),
        with_cut(ann, fc1=0.7),
    ):
        ann.settle(plan)
    again = opened(benches("lenet300"), history)
    assert return_to(again, ann.diary.visits[ann.settled])
    arrive(again, ann.settled)
    assert [step.plan.sparsity["fc1"] for step in again.steps] == [0.6, 0.7]


def test_points_measured_before_stand_on_the_chart_of_a_new_server(
    history: History, benches: Benches, new_bench: Benches
) -> None:
    ann = opened(benches("lenet300"), history)
    assert ann.diary is not None
    plan = with_cut(ann, fc2=0.5)
    ann.bench.evaluate(plan)
    ann.settle(plan)
    ann.diary.record_measurement(plan)
    bench = new_bench("lenet300")
    bench.evaluate(Plan(), 64)
    again = opened(bench, history)
    assert return_to(again, ann.diary.visits[plan])
    table = trade_off.visits(bench, again.visited, again.facts).table
    assert table["n"].tolist() == [64, len(bench.source.validation)]
    assert trade_off.plan_at(again, table["key"].iloc[1]) == plan
    bench.evaluate(plan, 64)
    assert trade_off.visits(bench, again.visited, again.facts).table["n"].iloc[1] > 64


@pytest.mark.parametrize("owner", ["bob", "ann"])
def test_what_is_not_ones_own_or_of_another_network_stays_away(
    history: History, benches: Benches, owner: str
) -> None:
    ann = opened(benches("lenet300"), history.of("ann"))
    assert ann.diary is not None
    ann.settle(with_cut(ann, fc1=0.5))
    bench = benches("lenet300" if owner == "bob" else "lenet5")
    other = opened(bench, history.of(owner))
    assert other.diary is not None
    before, visit = list(other.visited), ann.diary.visits[ann.settled]
    session = other.diary.session
    for number in (visit, visit + 1_000):
        assert not return_to(other, number)
    assert other.visited == before
    assert other.diary.session == session != ann.diary.session
    assert not other.diary.visits


def test_the_address_names_the_branch_and_a_link_does_not() -> None:
    page = Page(model="lenet300").settle(fc1=0.5).settle(fc1=0.8)
    assert page.session.diary is not None
    assert page.address["branch"] == str(page.session.diary.visits[page.plan])
    assert "branch" not in links(page.app)[0]
    again = Page(**page.address)
    assert again.session.visited == page.session.visited
    assert again.address == page.address
    bare = Page(**{**page.address, "branch": "nonsense"})
    assert bare.plan == page.plan
    assert bare.session.visited == [page.session.visited[0], page.plan]
