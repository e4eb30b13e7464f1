"""Does the ledger say of real networks what was asked for, what stays, and what is compared?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from pruneviz.measuring.cost import Cost, planned_sparsity
from pruneviz.measuring.latency import Timing
from pruneviz.measuring.ledger import Footprint, RuntimeCost
from pruneviz.measuring.sizes import FileSize
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench


@pytest.mark.slow
def test_what_is_asked_is_over_all_units_or_weights(benches: Callable[[str], Workbench]) -> None:
    bench = benches("lenet5")
    sizes = {name: layer.size for name, layer in bench.layer_of.items()}
    asked = planned_sparsity(bench.prune(Plan(sparsity={"fc1": 0.5, "conv1": 0.2})))
    expected = 0.5 * sizes["fc1"] + 0.2 * sizes["conv1"]
    assert asked == pytest.approx(expected / sum(sizes.values()))
    units = planned_sparsity(bench.prune(Plan("l2", "neuron", sparsity={"fc1": 0.5, "fc2": 0.25})))
    # 6 and 16 filters, 120, 84 and 10 neurons; the last cannot be removed, but masked
    assert units == pytest.approx((60 + 21) / (6 + 16 + 120 + 84 + 10))
    bench = benches("vit")
    heads = bench.prune(Plan("l2", "head", sparsity={"blocks.0.attn.qkv": 0.5}))
    assert planned_sparsity(heads) == pytest.approx(2 / 16)


@pytest.mark.slow
@pytest.mark.usefixtures("no_runtime")
def test_what_stays_as_zeros_is_told(benches: Callable[[str], Workbench]) -> None:
    bench = benches("vit")
    fixed = bench.cost(Plan("l2", "neuron", sparsity={"blocks.0.attn.proj": 0.5}))
    assert fixed.shrunk is not None
    assert fixed.shrunk.params == fixed.dense.params > fixed.kept
    stay = fixed.dense.params - fixed.kept
    assert f"{stay:,} masked ones cannot be removed and stay" in " ".join(fixed.table["note"])
    gone = bench.cost(Plan("l2", "neuron", sparsity={"blocks.0.mlp.fc1": 0.5}))
    assert gone.shrunk is not None
    assert gone.shrunk.params == gone.kept
    assert "cannot be removed" not in " ".join(gone.table["note"])


@pytest.mark.usefixtures("no_runtime")
def test_the_workbench_says_why_nothing_was_removed(benches: Callable[[str], Workbench]) -> None:
    cost = benches("lenet5").cost(Plan(sparsity={"fc1": 0.5}))
    assert cost.shrunk is None
    assert "'weight'" in cost.why_not_shrunk


def test_onnx_runtime_is_compared_with_itself_on_the_dense_network() -> None:
    """Torch's 2 ms are no measure of a runtime that takes 1 ms for the same network."""
    spent = Footprint(10, 0, 10, 100, 90, 64, Timing(0.002, 0.002, 0.002, 5))
    there = RuntimeCost("shrunk", 50, 0.0, *(Timing(t, t, t, 5) for t in (0.0005, 0.001)))
    cost = Cost(
        0.5,
        5,
        5,
        spent,
        spent,
        spent,
        there,
        FileSize(1, 0, 1),
        FileSize(1, 0, 1),
        batch=8,
        threads=1,
    )
    speed = cost.table.set_index("quantity").loc["speed"]
    assert speed["onnx runtime"] == pytest.approx(2.0)
    assert "against the dense network there" in speed["note"]
    alone = replace(cost, onnx=replace(there, dense=None)).table.set_index("quantity").loc["speed"]
    assert math.isnan(alone["onnx runtime"])
    assert "nothing is compared there" in alone["note"]
