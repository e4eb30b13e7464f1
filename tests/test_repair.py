"""Do the repairs compute what their formulas say, and touch nothing else?"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.data import Data
from pruneviz.network.forward_pass import call
from pruneviz.network.graph import Graph, trace
from pruneviz.network.groups import Group, Groups, Place, masks_of
from pruneviz.network.layers import find_layers
from pruneviz.network.replica import apply_masks, fingerprint, state
from pruneviz.plan import REPAIRS as NAMES
from pruneviz.plan import Plan
from pruneviz.pruning.repair import REPAIRS, repair
from pruneviz.pruning.repair.reconstruction import RIDGE
from pruneviz.pruning.repair.verdict import RepairResult, mend
from pruneviz.workbench import Workbench
from tests.cases import slow_but

ALL = ("fold", "reconstruct", "recalibrate")


def data(*shape: int, seed: int = 0) -> Data:
    return Data(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)))


def traced(model: nn.Module, inputs: Tensor) -> Graph:
    return trace(model.eval(), inputs[:2], find_layers(model))


def group(model: nn.Module, lead: str, consumer: str, norm: str = "", each: int = 1) -> Groups:
    """One group: the units of `lead`, a batch norm, and a consumer with `each` columns a unit."""
    layers = find_layers(model)
    units = torch.arange(layers[lead].units)
    places = [Place(layers[lead].weight, 0, units)]
    tensors = state(model)
    per_unit = [f"{norm}.{n}" for n in ("weight", "bias", "running_mean", "running_var")]
    owned = [f"{lead}.bias", *(per_unit if norm else ())]
    places += [Place(name, 0, units) for name in owned if name in tensors]
    places.append(Place(f"{consumer}.weight", 1, units.repeat_interleave(each)))
    found = Group(lead, (lead,), len(units), "neuron", {lead: units}, (consumer,), tuple(places))
    return Groups({lead: found})


def run(
    model: nn.Module,
    groups: Groups,
    cut: dict[str, list[int]],
    calibration: Data,
    *names: str,
    **settings: int,
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """What was repaired; all tensors of the pruned network with it and without."""
    tensors = state(model)
    masks: dict[str, Tensor] = {}
    units = {}
    for lead, which in cut.items():
        units[lead] = torch.ones(groups.groups[lead].units, dtype=torch.bool)
        units[lead][which] = False
        masks_of(groups.groups[lead], units[lead], tensors, masks)
    masks = {name: mask for name, mask in masks.items() if "running" not in name}
    layers = find_layers(model)
    levels = {lead: len(which) / len(units[lead]) for lead, which in cut.items()}
    plan = Plan(granularity="neuron", sparsity=levels, repair=names)
    assert isinstance(calibration.inputs, Tensor)
    graph = traced(model, calibration.inputs)
    found = repair(model, layers, groups, graph, plan, masks, units, calibration, **settings)
    for name, tensor in found.items():
        assert tensor.shape == tensors[name].shape
        assert tensor.dtype == tensors[name].dtype
        assert tensor.isfinite().all()
    whole = tensors | found
    return found, whole | apply_masks(whole, masks), tensors | apply_masks(tensors, masks)


def chain() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).eval()


def convolutions(bias: bool = False, **settings: int) -> nn.Sequential:
    torch.manual_seed(1)
    return _settled(
        nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1, bias=bias),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 4, 3, bias=bias, **settings),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(16, 3),
        )
    )


def _settled(model: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                for tensor in (module.weight, module.bias, module.running_mean):
                    tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.2)
    return model.eval()


# -- the table -------------------------------------------------------------------------------


def test_the_table_has_what_a_plan_may_ask_for() -> None:
    assert set(REPAIRS) == set(NAMES)
    for name, row in REPAIRS.items():
        assert row.name == name
        assert all((row.label, row.meaning, row.formula, row.source))
    assert list(REPAIRS) == list(NAMES), "in the order in which they are made"


# -- folding ---------------------------------------------------------------------------------


def test_a_mean_is_folded_by_hand() -> None:
    model = chain()
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(4)[:3])
        model[0].bias.zero_()
        model[2].weight.copy_(torch.tensor([[1.0, 2.0, 3.0], [-1.0, 0.5, 4.0]]))
        model[2].bias.copy_(torch.tensor([10.0, 20.0]))
    inputs = torch.tensor([[1.0, 2.0, 3.0, 9.0], [5.0, 6.0, -7.0, 9.0]])  # ReLU: 3 and 0
    found, _, _ = run(model, group(model, "0", "2"), {"0": [1, 2]}, Data(inputs), "fold")
    # mean of unit 1: 4, of unit 2: 1.5
    assert found["2.bias"].tolist() == [10 + 2 * 4 + 3 * 1.5, 20 + 0.5 * 4 + 4 * 1.5]
    assert list(found) == ["2.bias"]


def test_a_constant_unit_is_folded_without_loss() -> None:
    model = chain()
    with torch.no_grad():
        model[0].weight[1] = 0
        model[0].bias[1] = 0.7
    samples = data(50, 4)
    found, tensors, raw = run(model, group(model, "0", "2"), {"0": [1]}, samples, "fold", batch=16)
    assert list(found) == ["2.bias"]
    torch.testing.assert_close(call(model, samples.inputs, tensors), model(samples.inputs))
    assert not torch.allclose(call(model, samples.inputs, raw), model(samples.inputs))


def test_without_a_bias_the_running_mean_takes_it() -> None:
    model, samples = convolutions(), data(6, 2, 5, 5)
    with torch.no_grad():
        model[1].weight[2] = 0
        model[1].bias[2] = 0.9
    found, tensors, _ = run(model, group(model, "0", "3", "1"), {"0": [2]}, samples, "fold")
    assert list(found) == ["4.running_mean"]
    torch.testing.assert_close(call(model, samples.inputs, tensors), model(samples.inputs))


def test_with_neither_bias_nor_norm_nothing_can_be_folded() -> None:
    model = chain()
    model[2].bias = None
    found, _, _ = run(model, group(model, "0", "2"), {"0": [1]}, data(9, 4), "fold")
    assert found == {}


def test_the_mean_output_stays_with_padding_and_a_transposed_convolution() -> None:
    torch.manual_seed(3)
    for second in (
        nn.Conv2d(4, 3, 3, padding=1, stride=2, dilation=2),
        nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1),
    ):
        model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), second).eval()
        samples = data(7, 2, 6, 6)
        groups = group(model, "0", "2")
        if second.transposed:
            places = (*groups.groups["0"].places[:2], Place("2.weight", 0, torch.arange(4)))
            old = groups.groups["0"]
            groups = Groups({"0": Group("0", ("0",), 4, "filter", old.rows, ("2",), places)})
        for names in (("fold",), ("fold", "reconstruct"))[: 1 + second.transposed]:
            found, tensors, _ = run(model, groups, {"0": [0, 3]}, samples, *names, batch=3)
            assert list(found) == ["2.bias"]
            torch.testing.assert_close(
                call(model, samples.inputs, tensors).mean((0, 2, 3)),
                model(samples.inputs).mean((0, 2, 3)),
            )


# -- reconstruction --------------------------------------------------------------------------


def test_a_twin_takes_over_its_twins_weights() -> None:
    model = chain()
    with torch.no_grad():
        model[0].weight[2] = model[0].weight[0]
        model[0].bias[2] = model[0].bias[0]
    samples = data(20_000, 4)
    groups = group(model, "0", "2")
    found, tensors, _ = run(model, groups, {"0": [2]}, samples, "reconstruct", samples=len(samples))
    expected = model[2].weight[:, 0] + model[2].weight[:, 2]
    torch.testing.assert_close(found["2.weight"][:, 0], expected, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(
        call(model, samples.inputs, tensors), model(samples.inputs), atol=1e-3, rtol=1e-3
    )


def least_squares(
    inputs: Tensor, outputs: Tensor, before: Tensor, samples: int, *, intercept: bool
) -> Tensor:
    """[outputs, inputs] nearest to `outputs` [rows, outputs], by torch's own solver.

    The ridge is so many more equations, which ask for the weights as they were before.
    """
    x, y = inputs.double(), outputs.double()
    if intercept:
        x, y = x - x.mean(0), y - y.mean(0)
    ridge = (x.square().sum() * RIDGE / samples).sqrt() * torch.eye(x.shape[1]).double()
    rows, wanted = torch.cat([x, ridge]), torch.cat([y, ridge @ before.double().T])
    return torch.linalg.lstsq(rows, wanted, driver="gelsd").solution.T.float()


@pytest.mark.parametrize("bias", [True, False])
def test_weights_are_those_of_least_squares(bias: bool) -> None:
    model, samples = chain(), data(300, 4)
    if not bias:
        model[2].bias = None
    found, _, _ = run(model, group(model, "0", "2"), {"0": [1]}, samples, "reconstruct")
    with torch.no_grad():
        hidden = model[1](model[0](samples.inputs))[:, [0, 2]]
        wanted = model(samples.inputs)
        before = model[2].weight[:, [0, 2]]
    expected = least_squares(hidden, wanted, before, 300, intercept=bias)
    torch.testing.assert_close(found["2.weight"][:, [0, 2]], expected)
    if bias:
        constant = wanted.mean(0) - expected @ hidden.mean(0)
        torch.testing.assert_close(found["2.bias"], constant)


@pytest.mark.parametrize(
    "settings",
    [{}, {"padding": 1, "stride": 2}, {"dilation": 2, "padding": 2}],
    ids=str,
)
@pytest.mark.parametrize("bias", slow_but(lambda bias: bias, [True, False]))
def test_convolutions_come_as_near_as_least_squares_can(
    settings: dict[str, int], bias: bool
) -> None:
    model, samples = convolutions(bias, **settings), data(20, 2, 7, 7)
    groups = group(model, "0", "3", "1")
    found, _, raw = run(model, groups, {"0": [1]}, samples, "reconstruct")
    assert set(found) == {"3.weight", "3.bias" if bias else "4.running_mean"}
    seen = copy.deepcopy(model)
    seen.load_state_dict({**seen.state_dict(), **raw})
    stay = [0, 2, 3]
    with torch.no_grad():
        inputs, wanted = seen[:3](samples.inputs)[:, stay], model[:4](samples.inputs)
        rows = F.unfold(inputs, 3, **settings).transpose(1, 2).flatten(0, 1)
        target = wanted.flatten(2).transpose(1, 2).flatten(0, 1)
        before = model[3].weight[:, stay].flatten(1)
        expected = least_squares(rows, target, before, 20, intercept=True)
        constant = target.mean(0) - expected @ rows.mean(0)
    close = {"atol": 1e-4, "rtol": 1e-4}
    torch.testing.assert_close(found["3.weight"][:, stay].flatten(1), expected, **close)
    if bias:
        torch.testing.assert_close(found["3.bias"], constant, **close)
    else:  # what is added to the outputs is taken off their mean
        torch.testing.assert_close(
            found["4.running_mean"], model[4].running_mean - constant, **close
        )


def test_grouped_convolutions_are_fitted_group_by_group() -> None:
    model, samples = convolutions(bias=True, groups=2), data(2000, 2, 5, 5)
    units = torch.tensor([0, 1, 0, 1])  # unit u: channel u of both groups
    old = group(model, "0", "3", "1").groups["0"]
    places = [Place(place.tensor, 0, units) for place in old.places[:-1]]
    places.append(Place("3.weight", 1, torch.arange(2)))
    groups = Groups({"0": Group("0", ("0",), 2, "filter", {"0": units}, ("3",), tuple(places))})
    with torch.no_grad():  # the two channels of each group are twins
        for tensor in (*model[0].parameters(), *model[1].parameters(), model[1].running_mean):
            tensor[1], tensor[3] = tensor[0], tensor[2]
    found, tensors, _ = run(model, groups, {"0": [1]}, samples, "reconstruct", samples=2000)
    assert "3.weight" in found
    torch.testing.assert_close(
        call(model, samples.inputs, tensors), model(samples.inputs), atol=1e-3, rtol=1e-3
    )


def test_positions_are_drawn_where_there_are_very_many() -> None:
    torch.manual_seed(7)
    model = nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.Conv2d(3, 2, 3, padding=1)).eval()
    with torch.no_grad():
        for tensor in model[0].parameters():
            tensor[2] = tensor[1]
    samples = data(4000, 2, 4, 4)  # 64,000 positions
    groups = group(model, "0", "2")
    found, tensors, _ = run(model, groups, {"0": [2]}, samples, "reconstruct", samples=4000)
    assert set(found) == {"2.weight", "2.bias"}
    torch.testing.assert_close(
        call(model, samples.inputs, tensors), model(samples.inputs), atol=1e-3, rtol=1e-3
    )


def test_behind_a_flatten_a_unit_has_many_inputs() -> None:
    model, samples = convolutions(), data(200, 2, 6, 6)
    groups = group(model, "3", "8", "4", each=4)
    found, tensors, raw = run(model, groups, {"3": [2]}, samples, "reconstruct", "fold")
    assert set(found) == {"8.weight", "8.bias"}
    dense = model(samples.inputs)

    def error(with_: dict[str, Tensor]) -> float:
        return float((call(model, samples.inputs, with_) - dense).square().mean().detach())

    _, folded, _ = run(model, groups, {"3": [2]}, samples, "fold")
    assert error(tensors) < error(folded) < error(raw)


class Attending(nn.Module):
    """torch's attention: tokens come first in what its projections are given."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 6)
        self.attention = nn.MultiheadAttention(6, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        output, _ = self.attention(y, y, y)
        assert isinstance(output, Tensor)
        return output


def test_packed_projections_are_fitted_each() -> None:
    torch.manual_seed(4)
    model, samples = Attending().eval(), data(4000, 5, 4)
    with torch.no_grad():
        model.first.weight[5], model.first.bias[5] = model.first.weight[0], model.first.bias[0]
    old = group(model, "first", "first").groups["first"]
    places = (*old.places[:2], Place("attention.in_proj_weight", 1, torch.arange(6)))
    consumers = tuple(f"attention.{part}" for part in "qkv")
    groups = Groups({"first": Group("first", ("first",), 6, "neuron", old.rows, consumers, places)})
    found, tensors, _ = run(model, groups, {"first": [5]}, samples, "reconstruct", samples=4000)
    assert set(found) == {"attention.in_proj_weight", "attention.in_proj_bias"}
    with torch.no_grad():
        expected = model(samples.inputs)
        torch.testing.assert_close(
            call(model, samples.inputs, tensors), expected, atol=1e-3, rtol=1e-3
        )


class Twice(nn.Module):
    """One layer used two times."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.again = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        output = self.again(torch.relu(self.again(torch.relu(self.first(x)))))
        assert isinstance(output, Tensor)
        return output


def test_a_weight_that_is_used_twice_is_left_as_it_is() -> None:
    torch.manual_seed(5)
    model = Twice().eval()
    found, _, _ = run(model, group(model, "first", "again"), {"first": [1]}, data(30, 4), *ALL)
    assert found == {}


# -- batch norms -----------------------------------------------------------------------------


def momentum_none(model: nn.Module, tensors: dict[str, Tensor], inputs: Tensor) -> nn.Module:
    """torch's own way: in training mode, cumulative averages, the tensors baked in."""
    other = copy.deepcopy(model)
    other.load_state_dict({**other.state_dict(), **tensors})
    for module in other.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.reset_running_stats()
            module.momentum = None
            module.train()
    with torch.no_grad():
        for part in inputs.split(64):
            other(part)
    return other.eval()


@pytest.mark.parametrize("samples", [64, 128])
def test_statistics_are_those_of_torchs_cumulative_average(samples: int) -> None:
    model, calibration = convolutions(), data(samples, 2, 6, 6)
    groups = group(model, "0", "3", "1")
    found, _, raw = run(model, groups, {"0": [1]}, calibration, "recalibrate")
    expected = momentum_none(model, raw, calibration.inputs).state_dict()
    assert set(found) == {f"{i}.running_{s}" for i in "14" for s in ("mean", "var")}
    stay = [0, 2, 3]
    for name, tensor in found.items():
        which = stay if name.startswith("1.") else [0, 1, 2, 3]
        # torch averages the batches' variances, which leaves out how their means differ.
        close = 1e-5 if samples == 64 or "mean" in name else 0.05
        torch.testing.assert_close(tensor[which], expected[name][which], atol=close, rtol=close)
    for name in ("1.running_mean", "1.running_var"):
        assert found[name][1] == raw[name][1], "what is cut keeps its statistics"


def test_statistics_are_those_of_all_samples() -> None:
    torch.manual_seed(6)
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 4), nn.Linear(4, 2)).eval()
    calibration = Data(data(101, 3).inputs * torch.tensor([1.0, 5.0, 0.1]) + 3)
    groups = group(model, "1", "2")
    found, _, _ = run(model, groups, {"1": [1]}, calibration, "recalibrate", batch=40)
    torch.testing.assert_close(found["0.running_mean"], calibration.inputs.mean(0))
    torch.testing.assert_close(found["0.running_var"], calibration.inputs.var(0))


def test_only_the_first_samples_count() -> None:
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 4), nn.Linear(4, 2)).eval()
    calibration, groups = data(50, 3), group(model, "1", "2")
    found, _, _ = run(model, groups, {"1": [1]}, calibration, "recalibrate", samples=20)
    torch.testing.assert_close(found["0.running_mean"], calibration.inputs[:20].mean(0))


def norms() -> list[tuple[nn.Module, tuple[int, ...]]]:
    return [
        (nn.BatchNorm1d(4), (6, 4, 5)),
        (nn.BatchNorm2d(4, affine=False), (6, 4, 5, 5)),
        (nn.BatchNorm3d(4), (6, 4, 2, 3, 2)),
        (nn.SyncBatchNorm(4), (6, 4, 5, 5)),
    ]


@pytest.mark.parametrize(("norm", "shape"), norms(), ids=lambda x: type(x).__name__)
def test_every_kind_of_batch_norm(norm: nn.Module, shape: tuple[int, ...]) -> None:
    model = nn.Sequential(norm, nn.Flatten(), nn.LazyLinear(3), nn.Dropout(0.9), nn.Linear(3, 2))
    calibration = data(*shape)
    model(calibration.inputs) if not isinstance(norm, nn.SyncBatchNorm) else model.eval()(
        calibration.inputs
    )
    model.eval()
    masks = {"2.weight": torch.ones_like(model[2].weight, dtype=torch.bool)}
    masks["2.weight"][0, 0] = False
    plan = Plan(sparsity={"2": 0.01}, repair=("recalibrate",))
    layers = find_layers(model)
    found = repair(model, layers, None, None, plan, masks, {}, calibration)
    dims = [0, *range(2, len(shape))]
    torch.testing.assert_close(found["0.running_mean"], calibration.inputs.mean(dims))
    torch.testing.assert_close(found["0.running_var"], calibration.inputs.var(dims))


def test_a_norm_without_statistics_is_left_alone() -> None:
    model = nn.Sequential(
        nn.BatchNorm1d(3, track_running_stats=False), nn.Linear(3, 4), nn.Linear(4, 2)
    ).eval()
    found, _, _ = run(model, group(model, "1", "2"), {"1": [1]}, data(9, 3), *ALL[:1:-1])
    assert found == {}


def test_one_sample_gives_means_and_no_variance() -> None:
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 4), nn.Linear(4, 2)).eval()
    calibration, groups = data(2, 3), group(model, "1", "2")
    found, _, _ = run(model, groups, {"1": [1]}, calibration, "recalibrate", samples=1)
    torch.testing.assert_close(found["0.running_mean"], calibration.inputs[0])
    assert "0.running_var" not in found


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


# -- judging ---------------------------------------------------------------------------------


def mended(
    model: nn.Module, cut: list[int], calibration: Data, *names: str
) -> tuple[RepairResult, dict[str, Tensor]]:
    """What is kept of repairs of a chain of which units of the first layer are cut."""
    plan = Plan(granularity="neuron", sparsity={"0": 0.5}, repair=names)
    assert isinstance(calibration.inputs, Tensor)
    graph, groups = traced(model, calibration.inputs), group(model, "0", "2")
    units = {"0": torch.ones(groups.groups["0"].units, dtype=torch.bool)}
    units["0"][cut] = False
    masks: dict[str, Tensor] = {}
    masks_of(groups.groups["0"], units["0"], state(model), masks)
    given = (model, find_layers(model), groups, graph, plan, masks, units, calibration)
    return mend(*given), repair(*given)


def test_a_repair_that_makes_it_worse_is_not_kept_and_says_so() -> None:
    """One sample in five is far out: its mean, folded, moves the four others away."""
    model = chain()
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(4)[:3])
        model[0].bias.zero_()
        model[2].weight.copy_(torch.tensor([[1.0, 0.0, 1.0], [1.0, 0.0, -1.0]]))
    inputs = torch.tensor([[1.0, 2.0, 0.0, 0.0]]).repeat(5, 1)
    inputs[2, 2] = 100.0
    found, raw = mended(model, [2], Data(inputs), "fold")
    assert raw["2.bias"][0] == model[2].bias[0] + 20
    assert found.tensors == {}
    assert len(found.notes) == 1
    assert found.notes[0].startswith("repair 'fold' was not kept: on 5 calibration samples ")
    # Without: 100² for the one sample. With: 25² for each of four, and 100² for the one.
    assert float(found.notes[0].split("error ")[1].split(" ")[0]) == pytest.approx(
        1.25 * float(found.notes[0].rstrip(")").split(" ")[-1]), rel=0.05
    )


def test_what_helps_is_what_all_samples_give() -> None:
    model = chain()
    with torch.no_grad():
        model[0].bias += 3
    found, raw = mended(model, [1], data(400, 4), "fold")
    assert found.notes == ()
    assert set(found.tensors) == set(raw)
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in raw.items())


def test_a_single_sample_judges_nothing_and_says_so() -> None:
    found, raw = mended(chain(), [1], data(1, 4), "fold")
    assert set(found.tensors) == set(raw)
    assert found.notes == ("repair 'fold' was judged by nothing: one calibration sample",)


@pytest.mark.parametrize("samples", slow_but(lambda n: n in (12, 60), [6, 12, 20, 60, 200]))
def test_few_samples_do_no_harm(samples: int) -> None:
    """On samples that nobody has seen, what is kept is no worse than none, or than `repair`."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 5)).eval()
    fresh = data(2000, 20, seed=7)
    found, raw = mended(model, list(range(0, 64, 2)), data(samples, 20), "reconstruct")
    masks = {f"0.{name}": torch.arange(64) % 2 == 1 for name in ("weight", "bias")}
    masks["0.weight"] = masks["0.weight"].unsqueeze(1).expand(64, 20)

    @torch.no_grad()
    def error(tensors: Mapping[str, Tensor]) -> float:
        whole = state(model) | dict(tensors)
        answers = call(model, fresh.inputs, whole | apply_masks(whole, masks))
        return float((answers - model(fresh.inputs)).square().mean())

    assert error(found.tensors) <= 1.02 * error({})
    assert error(found.tensors) <= 1.1 * error(raw)


def test_the_bench_says_which_repair_was_not_kept() -> None:
    model = chain()
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(4)[:3])
        model[0].bias.zero_()
    inputs = torch.tensor([[1.0, 2.0, 0.0, 0.0]]).repeat(5, 1)
    inputs[2, 2] = 100.0
    source = replace(pv.open(model, inputs.repeat(4, 1)).source, calibration=Data(inputs))
    plan = pv.Plan(
        "l2", "neuron", sparsity={"0": 1 / 3}, pinned={"0": {"2": False}}, repair=("fold",)
    )
    pruned = pv.Workbench(source).prune(plan)
    assert pruned.units["0"].tolist() == [True, True, False]
    assert pruned.repaired == {}
    assert pruned.notes[0].startswith("repair 'fold' was not kept: ")
