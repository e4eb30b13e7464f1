"""Are recalibrated statistics those of the calibration samples, for every batch norm?"""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.network.layers import find_layers
from pruneviz.plan import Plan
from pruneviz.pruning.repair import repair
from tests.repairing import ALL, convolutions, data, group, run


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
