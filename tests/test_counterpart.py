"""Do a plan of single weights and one of whole units leave as many parameters?"""

from __future__ import annotations

import pytest
import torch
from torch import nn

import pruneviz as pv
from pruneviz.workbench import Workbench
from tests.page import Page


@pytest.fixture(scope="module")
def bench() -> Workbench:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 12), nn.ReLU(), nn.Linear(12, 3)
    )
    return pv.open(model.eval(), (torch.randn(60, 10), torch.arange(60) % 3))


def left(bench: Workbench, plan: pv.Plan) -> int:
    return bench.counts(plan).params_kept


@pytest.mark.parametrize("criterion", ["magnitude", "lamp", "wanda"])
@pytest.mark.parametrize("levels", [{"0": 0.5, "2": 0.5}, {"0": 0.9}, {"0": 0.2, "2": 0.7}])
def test_units_leave_as_many_as_weights_to_within_one_unit(
    bench: Workbench, criterion: str, levels: dict[str, float]
) -> None:
    plan = pv.Plan(criterion, sparsity=levels)
    units = bench.studies.counterpart(plan, ["4"])
    assert units.granularity == "neuron"
    assert units.criterion == ("l2" if criterion == "lamp" else criterion)
    assert "4" not in {name for name, level in units.sparsity.items() if level}
    smallest = 10 + 1 + 12, 20 + 1 + 3  # weights and bias of a unit, and what reads it
    assert abs(left(bench, units) - left(bench, plan)) <= min(smallest)

    back = bench.studies.counterpart(units, ["4"])
    assert back.granularity == "weight"
    assert left(bench, back) == left(bench, units), "single weights meet it exactly"


def test_a_layer_that_lost_more_loses_more(bench: Workbench) -> None:
    units = bench.studies.counterpart(pv.Plan(sparsity={"0": 0.1, "2": 0.8}), ["4"])
    assert units.sparsity.get("0", 0.0) < units.sparsity["2"]


def test_where_nothing_is_cut_there_is_nothing_to_match(bench: Workbench) -> None:
    with pytest.raises(ValueError, match="nothing is cut"):
        bench.studies.counterpart(pv.Plan())


@pytest.mark.slow
def test_one_click_settles_on_it_and_both_are_points() -> None:
    page = Page(model="lenet300")
    page.settle(fc1=0.8)
    weights, bench = page.plan, page.session.bench
    page.ask("match").arrive().finish()
    units = page.plan
    assert (weights.granularity, units.granularity) == ("weight", "neuron")
    assert abs(left(bench, units) - left(bench, weights)) < 784 + 1 + 100
    numbers = f"single weights {left(bench, weights):,}, whole units {left(bench, units):,}"
    assert numbers in (page.session.message or "")
    assert page.session.chart is not None
    page.run()
    assert len(page.session.chart.keys) == 3
    assert page.ask("undo").plan == weights
