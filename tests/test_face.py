"""Does the public face hold what it promises, as the README's readers write it?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
import torch
from torch import nn

import pruneviz as pv
from pruneviz import face

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def bench() -> pv.Workbench:
    return pv.open("lenet5")


@pytest.fixture(scope="module")
def plan() -> pv.Plan:
    return pv.Plan(
        criterion="magnitude", granularity="weight", scope="layer", sparsity={"conv1": 0.5}
    )


def test_the_face_is_sorted_and_has_exactly_the_names_there_are() -> None:
    assert pv.__all__ == sorted(set(pv.__all__))
    public = {n for n, v in vars(face).items() if n[0] != "_" and not isinstance(v, ModuleType)}
    assert set(pv.__all__) == public - {"open_workbench"}
    assert all(getattr(pv, name) is getattr(face, name) for name in pv.__all__)
    assert set(pv.__all__) <= set(dir(pv))
    with pytest.raises(AttributeError, match="'pruneviz' has no attribute 'nosuch'"):
        _ = pv.nosuch  # type: ignore[attr-defined]


def test_what_only_begins_loads_no_torch() -> None:
    words = "import sys, pruneviz, pruneviz.__main__; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", words], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize("name", pv.__all__)
def test_every_public_name_explains_itself(name: str) -> None:
    found = getattr(pv, name)
    if callable(found):
        assert (found.__doc__ or "").split("\n")[0].endswith(".")
    else:
        assert isinstance(found, dict)


def test_bench_layers(bench: pv.Workbench) -> None:
    assert isinstance(bench.layers, pd.DataFrame)
    columns = ["layer", "kind", "shape", "params", "macs", "group", "locked"]
    assert list(bench.layers.columns) == columns
    *first, locked = bench.layers.iloc[0]
    assert first == ["conv1", "conv2d", (6, 1, 5, 5), 156, 28 * 28 * 150, "conv1"]
    assert locked.startswith("first layer")
    assert bench.layers["layer"].tolist() == ["conv1", "conv2", "fc1", "fc2", "fc3"]


def test_the_plain_plan_is_dense() -> None:
    assert pv.Plan().is_dense


def test_bench_prune(bench: pv.Workbench, plan: pv.Plan) -> None:
    pruned = bench.prune(plan)
    assert set(pruned.masks) == set(bench.layers["layer"])
    assert pruned.masks["conv1"].dtype == torch.bool
    assert pruned.scores["conv1"].shape == (6, 1, 5, 5)
    assert pruned.sparsity["conv1"] == 0.5
    assert isinstance(pruned.model, nn.Module)
    columns = list(pruned.report.columns)
    assert columns[:5] == ["layer", "asked", "got", "kept", "total"]
    assert pruned.report.iloc[0].tolist()[:5] == ["conv1", 0.5, 0.5, 75, 150]
    assert pruned.report.iloc[1].tolist()[:5] == ["conv2", 0.0, 0.0, 2400, 2400]


def test_bench_evaluate(bench: pv.Workbench, plan: pv.Plan) -> None:
    result = bench.evaluate(plan, n=128)
    assert result.n == 128
    assert 0 <= result.low <= result.accuracy <= result.high <= 1
    assert result.delta_low <= result.delta <= result.delta_high
    assert result.loss > 0
    assert list(result.per_class) == list("0123456789")


def test_the_dense_accuracy_is_there_at_once(bench: pv.Workbench) -> None:
    assert bench.samples_measured(pv.Plan()) == 2000
    result = bench.evaluate(pv.Plan())
    assert result.n == 2000
    assert result.accuracy == bench.source.card["accuracy"]


def test_bench_cost(bench: pv.Workbench, plan: pv.Plan) -> None:
    cost = bench.counts(plan)
    assert (cost.params, cost.params_kept) == (61_706, 61_706 - 75)
    assert cost.macs_kept == cost.macs - 28 * 28 * 75
    assert cost.bytes_sparse < cost.bytes_dense


def test_whole_units_go_for_real(bench: pv.Workbench) -> None:
    assert list(bench.groups.groups) == ["conv1", "conv2", "fc1", "fc2"]
    plan = pv.Plan("l2", "neuron", sparsity={"conv1": 0.5}, pinned={"conv1": {"5": False}})
    pruned = bench.prune(plan)
    assert int(pruned.units["conv1"].sum()) == 3
    assert not pruned.units["conv1"][5]
    small = pruned.shrink()
    assert type(small) is type(bench.source.model)
    assert small.conv1.weight.shape == (3, 1, 5, 5)
    assert small.conv2.weight.shape == (16, 3, 5, 5)
    left = sum(p.numel() for p in small.parameters())
    assert left == bench.counts(plan).params_shrunk == 61_706 - 3 * (25 + 1) - 16 * 3 * 25


def test_a_model_in_hand() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    inputs, targets = torch.randn(50, 4), torch.arange(50) % 3
    for data in ((inputs, targets), pv.Data(inputs, targets)):
        bench = pv.open(model, data)
        assert bench.source.model is model
        assert bench.evaluate(pv.Plan("wanda", sparsity={"0": 0.5})).n == 35


def test_the_pure_function_below(bench: pv.Workbench) -> None:
    model, source = bench.source.model, bench.source
    layers = pv.find_layers(model)
    graph = pv.trace(model, source.validation.inputs[:2], layers)
    evidence = pv.gather(model, layers, graph, source.calibration.first(32), classes=10)
    plan = pv.Plan("taylor", "neuron", "global", {"fc1": 0.5, "fc2": 0.5})
    pruned = pv.prune(model, plan, evidence, graph)
    units = sum(int(pruned.masks[n].flatten(1).any(1).sum()) for n in ("fc1", "fc2"))
    assert units == (120 + 84) // 2
    assert pv.CRITERIA["taylor"].needs_data


def test_a_criterion_is_one_decorated_function(bench: pv.Workbench) -> None:
    @pv.criterion(
        "last_first",
        "Last first",
        formula="−i",
        symbols="i: the weight's position",
        source="this test, 2026",
    )
    def last_first(evidence: pv.Evidence) -> torch.Tensor:
        """The later a weight comes, the sooner it goes."""
        return -torch.arange(float(evidence.weight.numel())).reshape(evidence.weight.shape)

    try:
        mask = bench.prune(pv.Plan("last_first", sparsity={"conv1": 0.5})).masks["conv1"]
    finally:
        del pv.CRITERIA["last_first"]
    assert mask.flatten().tolist() == [True] * 75 + [False] * 75
