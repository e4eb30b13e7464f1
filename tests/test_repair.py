"""Do repairs touch nothing else, and do they bring real networks back?"""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import pruneviz as pv
from pruneviz.data import Data
from pruneviz.network.forward_pass import call
from pruneviz.network.groups import masks_of
from pruneviz.network.layers import find_layers
from pruneviz.network.replica import fingerprint, state
from pruneviz.plan import REPAIRS as NAMES
from pruneviz.plan import Plan
from pruneviz.pruning.repair import REPAIRS, repair
from pruneviz.workbench import Workbench
from tests.repairing import ALL, chain, convolutions, data, group, run, traced

# -- the table -------------------------------------------------------------------------------


def test_the_table_has_what_a_plan_may_ask_for() -> None:
    assert set(REPAIRS) == set(NAMES)
    for name, row in REPAIRS.items():
        assert row.name == name
        assert all((row.label, row.meaning, row.formula, row.source))
    assert list(REPAIRS) == list(NAMES), "in the order in which they are made"


# -- laws ------------------------------------------------------------------------------------


def test_the_dense_network_is_untouched_and_the_result_always_the_same() -> None:
    model, samples = convolutions(), data(70, 2, 6, 6)
    model.train()
    model.eval()
    before, modes = fingerprint(model), [m.training for m in model.modules()]
    groups = group(model, "0", "3", "1")
    first, _, _ = run(model, groups, {"0": [1]}, samples, *ALL)
    second, _, _ = run(model, groups, {"0": [1]}, samples, *ALL)
    assert fingerprint(model) == before
    assert [m.training for m in model.modules()] == modes
    assert set(first) == {
        "3.weight",
        *(f"{i}.running_{s}" for i in "14" for s in ("mean", "var")),
    }
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_nothing_cut_changes_nothing() -> None:
    model, samples = convolutions(), data(8, 2, 6, 6)
    found, _, _ = run(model, group(model, "0", "3", "1"), {"0": []}, samples, *ALL)
    assert found == {}


def test_what_is_cut_stays_cut_and_does_not_matter() -> None:
    model, samples = convolutions(), data(70, 2, 6, 6)
    groups = group(model, "0", "3", "1")
    _, tensors, _ = run(model, groups, {"0": [1, 3]}, samples, *ALL)
    assert not tensors["3.weight"][:, [1, 3]].any()
    with torch.no_grad():
        expected = call(model, samples.inputs, tensors)
        noisy = tensors | {"1.running_mean": tensors["1.running_mean"].clone()}
        noisy["1.running_mean"][[1, 3]] += 100
        torch.testing.assert_close(call(model, samples.inputs, noisy), expected)


def test_progress_rises_to_one_and_may_stop_it() -> None:
    model, samples = convolutions(), data(70, 2, 6, 6)
    groups, layers = group(model, "0", "3", "1"), find_layers(model)
    units = {"0": torch.tensor([True, False, True, True])}
    masks: dict[str, Tensor] = {}
    masks_of(groups.groups["0"], units["0"], state(model), masks)
    plan = Plan(granularity="neuron", sparsity={"0": 0.25}, repair=ALL)
    graph = traced(model, samples.inputs)
    seen: list[float] = []
    repair(model, layers, groups, graph, plan, masks, units, samples, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1

    def stop(done: float) -> None:
        raise KeyboardInterrupt

    before = fingerprint(model)
    with pytest.raises(KeyboardInterrupt):
        repair(model, layers, groups, graph, plan, masks, units, samples, progress=stop)
    assert fingerprint(model) == before


# -- real networks ---------------------------------------------------------------------------


def accuracies(name: str, level: float, *repairs: tuple[str, ...]) -> list[float]:
    """Accuracy with this part of the units of each unlocked layer gone, by repairs."""
    bench = pv.open(name)
    levels = {layer: level for layer in bench.layer_of if layer not in bench.locks}
    plans = (pv.Plan("l2", "neuron", sparsity=levels, repair=names) for names in repairs)
    return [bench.evaluate(plan, 500).accuracy for plan in plans]


@pytest.mark.slow
def test_recalibration_brings_resnet20_back() -> None:
    raw, recalibrated = accuracies("resnet20", 0.25, (), ("recalibrate",))
    assert recalibrated > raw + 0.2
    assert recalibrated > 0.9


@pytest.mark.slow
def test_reconstruction_brings_lenet5_back() -> None:
    raw, reconstructed, every = accuracies("lenet5", 0.5, (), ("reconstruct",), ALL)
    assert reconstructed > raw + 0.1
    assert reconstructed > 0.95
    assert every == reconstructed, "nothing is left to fold, and there are no batch norms"


@pytest.mark.parametrize("name", ["lenet5", pytest.param("resnet20", marks=pytest.mark.slow)])
def test_masked_and_shrunk_agree_when_repaired(
    benches: Callable[[str], Workbench], name: str
) -> None:
    bench = benches(name)
    able = [layer for layer in bench.layer_of if layer not in bench.locks]
    levels = dict.fromkeys(
        able[-4:], 0.5
    )  # each layer is fitted on its own, the longer the earlier
    pruned = bench.prune(pv.Plan("l2", "neuron", sparsity=levels, repair=ALL))
    inputs = bench.source.validation.first(16).inputs
    with torch.no_grad():
        expected = call(copy.deepcopy(bench.source.model), inputs, pruned.tensors)
        torch.testing.assert_close(call(pruned.shrink(), inputs), expected, atol=1e-4, rtol=1e-4)


def test_empty_calibration_data_is_refused() -> None:
    model = chain()
    plan = Plan(granularity="neuron", sparsity={"0": 0.5}, repair=("fold",))
    with pytest.raises(ValueError, match="calibration data is empty"):
        repair(model, find_layers(model), None, None, plan, {}, {}, Data(torch.zeros(0, 4)))
