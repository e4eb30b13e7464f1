"""Does one workbench serve many users, keep what it found, and refuse what does not fit?"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.data import Data
from pruneviz.measuring.answers import BLOCK
from pruneviz.plan import Plan
from pruneviz.sources import Source
from pruneviz.workbench import Workbench
from tests.cases import slow_but

X, Y = torch.linspace(-1, 1, 160).reshape(40, 4), torch.arange(40) % 2


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))


# -- opening -------------------------------------------------------------------------------


def test_a_model_in_hand_calibrates_on_other_samples_than_it_is_measured_on() -> None:
    bench = pv.open(model(), (X, Y))
    calibration, validation = bench.source.calibration, bench.source.validation
    assert (len(calibration), len(validation)) == (12, 28)
    rows = torch.cat([calibration.inputs, validation.inputs])
    assert torch.equal(rows[rows[:, 0].argsort()], X)
    again = pv.open(model(), (X, Y))
    assert torch.equal(again.source.calibration.inputs, calibration.inputs)


def test_a_model_in_hand_is_neither_copied_nor_switched() -> None:
    mine = model().train()
    bench = pv.open(mine, (X, Y))
    bench.evaluate(Plan("taylor", "neuron", sparsity={"0": 0.5}))
    assert bench.source.model is mine
    assert all(module.training for module in mine.modules())
    assert all(p.requires_grad and p.grad is None for p in mine.parameters())


def test_dropout_and_batch_norm_are_measured_in_eval_mode() -> None:
    noisy = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(0.9), nn.Linear(6, 2))
    bench = pv.open(noisy.train(), (X, Y))
    with torch.no_grad():
        outputs = noisy.eval()(bench.source.validation.inputs)
    noisy.train()
    assert torch.equal(bench.evaluate(Plan()).predicted, outputs.argmax(1))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("lenet6",), "unknown model 'lenet6'; registered are .*lenet5"),
        ((3,), "expected a model's name, a Source or an nn.Module, got 3"),
        ((nn.Linear(4, 2),), "what Linear takes is not known.*pass data"),
        ((nn.ReLU(), (X, Y)), "ReLU has no layer that can be pruned"),
        ((nn.Linear(4, 2), (X, Y[:-1])), "40 inputs but 39 targets"),
        ((nn.Linear(4, 2), (X[:0], Y[:0])), "validation data is empty"),
        ((nn.Linear(4, 2), (X[:1], Y[:1])), "validation data is empty"),
        ((nn.Linear(4, 2), (X,)), r"\(inputs, targets\)"),
    ],
    ids=["unknown", "no model", "no data", "no layer", "unequal", "empty", "one sample", "half"],
)
def test_what_cannot_be_opened_is_named(given: tuple[object, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        pv.open(*given)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("where", ["0.weight", "0.bias", "1.running_var"])
def test_broken_weights_are_named(value: float, where: str) -> None:
    if value == -float("inf") and "running" in where:
        pytest.skip("masks that are kept as buffers hold it")
    broken = nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2))
    with torch.no_grad():
        broken.state_dict()[where].view(-1)[1] = value
    with pytest.raises(ValueError, match=f"weights '{where}' hold NaN or infinite values"):
        pv.open(broken, (X, Y))


def test_empty_calibration_data_is_refused_when_it_is_needed() -> None:
    data = Data(X, Y)
    bench = pv.open(Source("bare", model(), data.first(0), data, ("a", "b")))
    assert bench.evaluate(Plan(sparsity={"0": 0.5})).n == 40
    with pytest.raises(ValueError, match="calibration data is empty"):
        bench.prune(Plan("wanda", sparsity={"0": 0.5}))


# -- keeping -------------------------------------------------------------------------------


def test_evidence_is_gathered_once_and_only_when_needed(
    new_bench: Callable[[str], Workbench],
) -> None:
    bench = new_bench("lenet5")
    for criterion in ("magnitude", "lamp", "random"):
        bench.prune(Plan(criterion, sparsity={"fc1": 0.5}))
    assert not bench.has_evidence()
    bench.prune(Plan("wanda", sparsity={"fc1": 0.5}))
    assert bench.has_evidence("activity")
    assert not bench.has_evidence("gradients")
    norm = bench.evidence("activity")["fc1"].input_norm
    bench.prune(Plan("taylor", sparsity={"fc1": 0.5}))
    assert bench.has_evidence("activity", "gradients")
    assert bench.evidence("gradients")["fc1"].input_norm is norm
    done: list[float] = []
    assert bench.evidence("activity", progress=done.append) is bench.evidence("gradients")
    assert done == []


def test_what_was_pruned_last_is_kept(bench: Workbench) -> None:
    plan = Plan(sparsity=dict.fromkeys(bench.layer_of, 0.37))
    one, other = bench.prune(plan), bench.prune(replace(plan))
    assert all(one.masks[name] is other.masks[name] for name in bench.layer_of)


def test_levels_do_not_change_the_ranking(bench: Workbench) -> None:
    name = next(iter(bench.layer_of))
    one, other = (bench.rankings(Plan(sparsity={name: level}))[name] for level in (0.1, 0.8))
    assert one.rank is other.rank


def test_many_threads_may_prune_at_once(new_bench: Callable[[str], Workbench]) -> None:
    alone, shared = new_bench("lenet5"), new_bench("lenet5")
    plans = [
        Plan(criterion, "neuron", scope, dict.fromkeys(shared.layer_of, level))
        for criterion in ("taylor", "fpgm", "random", "synflow")
        for scope in ("layer", "global")
        for level in (0.3, 0.7)
    ]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(shared.prune, plans))
    for plan, pruned in zip(plans, found, strict=True):
        expected = alone.prune(plan).parameter_masks
        assert all(torch.equal(pruned.parameter_masks[n], expected[n]) for n in expected)


def test_the_probe_is_whole_blocks_within_the_data(benches: Callable[[str], Workbench]) -> None:
    probe = benches("lenet5").probe
    assert BLOCK <= probe <= 128
    assert probe % BLOCK == 0


# -- looking inside ------------------------------------------------------------------------


def test_feature_maps_are_the_activations_of_the_masked_network(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("lenet5")
    plan = Plan("magnitude", "weight", sparsity={"conv1": 0.5, "conv2": 0.3})
    net, image = bench.prune(plan).model, bench.source.validation.inputs[7:8]
    with torch.no_grad():
        first = net.conv1(image).relu()
        second = net.conv2(nn.functional.max_pool2d(first, 2)).relu()
    assert torch.equal(bench.feature_maps(plan, "conv1", 7), first[0])
    assert torch.equal(bench.feature_maps(plan, "conv2", 7), second[0])
    assert bench.feature_maps(Plan(), "fc3", 0).shape == (10,)


def test_feature_maps_pass_the_batch_norm(benches: Callable[[str], Workbench]) -> None:
    bench = benches("resnet20")
    net, image = bench.source.model, bench.source.validation.inputs[:1]
    with torch.no_grad():
        expected = net.bn1(net.conv1(image)).relu()[0]
    assert torch.equal(bench.feature_maps(Plan(), "conv1", 0), expected)


@pytest.mark.parametrize(
    ("layer", "sample", "words"),
    [("nope", 0, "no layer 'nope'"), ("fc1", 128, "sample.*128"), ("fc1", -1, "sample.*-1")],
)
def test_feature_maps_that_are_not_there_are_refused(
    benches: Callable[[str], Workbench], layer: str, sample: int, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        benches("lenet5").feature_maps(Plan(), layer, sample)


def test_layers_tell_their_parameters_and_macs(bench: Workbench) -> None:
    table = bench.layers.set_index("layer")
    assert list(table.index) == list(bench.layer_of)
    assert (table["macs"] > 0).all()
    modules = {name: bench.source.model.get_submodule(name) for name in bench.layer_of}
    for name, module in modules.items():
        assert table.loc[name, "params"] == sum(p.numel() for p in module.parameters())
    every = sum(p.numel() for p in bench.source.model.parameters())
    assert table["params"].sum() + bench.never["params"].sum() == every


@pytest.mark.parametrize(
    ("dtype", "criterion"),
    slow_but(
        lambda dtype, criterion: (
            criterion == "taylor" or (criterion == "magnitude" and dtype == torch.bfloat16)
        ),
        itertools.product(
            [torch.float64, torch.bfloat16],
            ["magnitude", "wanda", "taylor", "snip", "fisher", "synflow"],
        ),
    ),
)
def test_any_precision_will_do(criterion: str, dtype: torch.dtype) -> None:
    bench = pv.open(model().to(dtype), (X.to(dtype), Y))
    plan = Plan(criterion, "weight", "global", {"0": 0.5, "2": 0.5})
    pruned = bench.prune(plan)
    assert sum(int((~mask).sum()) for mask in pruned.masks.values()) == 18
    assert all(p.dtype == dtype for p in pruned.model.parameters())
    assert bench.evaluate(plan).n == 28


class TiedLayers(nn.Module):
    """One weight in two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.out = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)
        self.b.weight = self.a.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.b(self.a(x).relu()).relu())


class TiedTable(nn.Module):
    """One weight in a layer and, under its first name, in an embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.a, self.out = nn.Embedding(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)
        self.a.weight = self.table.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.a(x).relu() + self.table((x[:, 0] > 0).long()))


@pytest.mark.parametrize(
    ("network", "criterion"),
    slow_but(
        lambda network, criterion: network is TiedTable or criterion in ("magnitude", "taylor"),
        itertools.product(
            [TiedLayers, TiedTable], [c.name for c in pv.CRITERIA.values() if c.allows("weight")]
        ),
    ),
)
def test_a_tied_weight_is_judged_and_cut_as_one(
    network: Callable[[], nn.Module], criterion: str
) -> None:
    bench = pv.open(network(), (X, Y))
    plan = Plan(criterion, sparsity={"a": 0.5})
    if network is TiedTable and set(pv.CRITERIA[criterion].needs) - {"scale"}:
        with pytest.raises(ValueError, match="the table 'table'"):  # which it would not see
            bench.prune(plan)
        return
    masked = bench.prune(plan).model.eval()
    tied = masked.b.weight if network is TiedLayers else masked.table.weight
    assert masked.a.weight is tied
    assert int((tied == 0).sum()) == 8
    with torch.no_grad():
        expected = masked(bench.source.validation.inputs).argmax(1)
    assert torch.equal(bench.evaluate(plan).predicted, expected)
