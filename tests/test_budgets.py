"""Is what a plan takes away counted as the ledger counts it?"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pruneviz.allocation.budgets import BUDGETS, find_budget, prices
from pruneviz.measuring.layer_times import layer_times
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench

Benches = Callable[[str], Workbench]


def test_single_weights_by_hand(benches: Benches) -> None:
    bench, plan = benches("lenet5"), Plan(sparsity={"conv1": 0.5, "fc1": 0.25})
    removed = {
        name: find_budget(name, "weight").removed for name in ("parameters", "macs", "bytes")
    }
    assert removed["parameters"](bench, plan) == 75 + 12000
    assert removed["macs"](bench, plan) == 117600 / 2 + 48000 / 4
    # 4 bytes for each weight that goes, less one bit for each weight of the two layers.
    assert removed["bytes"](bench, plan) == 4 * 12075 - -(-150 // 8) - 48000 // 8


def test_whole_units_take_along_what_is_removed_with_them(benches: Benches) -> None:
    bench = benches("lenet5")
    plan = Plan(granularity="neuron", sparsity={"fc2": 0.5})
    # 42 neurons of 120 weights and a bias, and as many inputs of each of ten outputs.
    assert BUDGETS["parameters"].removed(bench, plan) == 42 * (120 + 1 + 10)
    assert BUDGETS["macs"].removed(bench, plan) == 42 * (120 + 10)
    assert BUDGETS["bytes"].removed(bench, plan) == pytest.approx(4 * 42 * 131)


def test_the_shrunk_network_has_lost_as_much(benches: Benches) -> None:
    bench = benches("resnet20")
    first = bench.sliders(Plan(granularity="neuron"))[1]
    plan = first.raise_to(Plan(granularity="neuron"), 0.5)
    small, dense = bench.prune(plan).shrink(), bench.source.model
    lost = sum(p.numel() for p in dense.parameters()) - sum(p.numel() for p in small.parameters())
    assert BUDGETS["parameters"].removed(bench, plan) == lost


def test_latency_is_estimated_from_each_layers_own(benches: Benches) -> None:
    bench = benches("lenet5")
    times = layer_times(bench.source.model, bench.layer_of, bench.source.validation)
    assert set(times) == set(bench.layer_of)
    assert all(seconds > 0 for seconds in times.values())
    assert layer_times(bench.source.model, bench.layer_of, bench.source.validation) is times
    plan = Plan(granularity="neuron", sparsity={"conv1": 0.5})
    gained = BUDGETS["latency"].removed(bench, plan)
    # Three of six filters, and their inputs in the next layer.
    assert gained == pytest.approx(times["conv1"] / 2 + times["conv2"] / 2)


def test_the_projections_of_an_attention_share_its_time(benches: Benches) -> None:
    bench = benches("vit")
    times = layer_times(bench.source.model, bench.layer_of, bench.source.validation)
    assert set(times) == set(bench.layer_of)


def test_prices_are_of_each_slider_alone(benches: Benches) -> None:
    bench, plan = benches("lenet5"), Plan()
    found = prices(bench, BUDGETS["parameters"], plan, bench.sliders(plan))
    assert found == {name: layer.size for name, layer in bench.layer_of.items()}


def test_prices_leave_out_what_goes_already(benches: Benches) -> None:
    bench, plan = benches("lenet5"), Plan(sparsity={"fc3": 0.5})
    free = [slider for slider in bench.sliders(plan) if slider.name != "fc3"]
    found = prices(bench, BUDGETS["parameters"], plan, free)
    assert found == {each.name: bench.layer_of[each.name].size for each in free}


def test_what_cannot_be_counted_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown budget 'watts'; known are parameters, macs"):
        find_budget("watts", "weight")
    with pytest.raises(ValueError, match="masks alone make nothing faster"):
        find_budget("latency", "weight")


def test_numbers_read_as_what_they_are() -> None:
    found = {name: (budget.number(1234.5), budget.unit) for name, budget in BUDGETS.items()}
    assert found["parameters"] == ("1,234", "parameters")
    assert (BUDGETS["latency"].number(0.00123), found["latency"][1]) == ("1.23", "ms (estimated)")
