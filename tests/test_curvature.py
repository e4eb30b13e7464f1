"""Is the curvature that OBS looks at that of the inputs, and what is known of whole units right?"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.data import Data
from pruneviz.network.layers import find_layers
from pruneviz.pruning import curvature
from pruneviz.pruning.curvature import DAMPING, cholesky_factor, inverse_diagonals
from pruneviz.workbench import Workbench

SAMPLES = 70


class Mixture(nn.Module):
    """A strided convolution, one in groups, a transposed one, tokens and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, stride=2, padding=1)
        self.grouped = nn.Conv2d(4, 6, (3, 2), padding=(1, 0), groups=2, bias=False)
        self.up = nn.ConvTranspose2d(6, 4, 2)
        self.token = nn.Linear(4, 5)
        self.fc = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(x))
        x = self.up(F.relu(self.grouped(x)))
        return self.fc(F.relu(self.token(x.flatten(2).transpose(1, 2))).mean(1))


def mixture() -> tuple[nn.Module, Data]:
    torch.manual_seed(0)
    return Mixture().double().eval(), Data(torch.randn(SAMPLES, 2, 6, 5).double())


def diagonals(batch: int = 64) -> dict[str, Tensor]:
    model, data = mixture()
    return inverse_diagonals(model, find_layers(model), data, batch)


def inverse(rows: Tensor) -> Tensor:
    """H⁻¹ of rows [rows, inputs], as the formula has it."""
    gram = rows.T @ rows / len(rows)
    return torch.linalg.inv(gram + DAMPING * gram.diagonal().mean() * torch.eye(len(gram)).double())


def inputs_of(model: nn.Module, data: Data) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, module in model.named_children():
        module.register_forward_pre_hook(lambda _, args, name=name: found.update({name: args[0]}))
    model(data.inputs)
    return {name: tensor.detach() for name, tensor in found.items()}


def test_the_diagonal_is_that_of_a_loop_over_places() -> None:
    model, data = mixture()
    found, given = diagonals(), inputs_of(model, data)
    padded = F.pad(given["conv"], (1, 1, 1, 1))
    places = itertools.product(range(0, 6, 2), range(0, 5, 2))
    rows = torch.cat([padded[:, :, y : y + 3, x : x + 3].flatten(1) for y, x in places])
    wanted = inverse(rows).diagonal().reshape(1, 2, 3, 3)
    torch.testing.assert_close(found["conv"], wanted)
    padded = F.pad(given["grouped"], (0, 0, 1, 1))
    for group in range(2):
        channels = slice(2 * group, 2 * group + 2)
        places = itertools.product(range(3), range(2))
        rows = torch.cat([padded[:, channels, y : y + 3, x : x + 2].flatten(1) for y, x in places])
        wanted = inverse(rows).diagonal().reshape(2, 3, 2)
        for unit in range(3 * group, 3 * group + 3):
            torch.testing.assert_close(found["grouped"][unit], wanted)
    for name in ("token", "fc"):
        wanted = inverse(given[name].reshape(-1, given[name].shape[-1])).diagonal()
        torch.testing.assert_close(found[name], wanted.unsqueeze(0))


def test_a_transposed_convolution_has_none_and_says_why() -> None:
    model, data = mixture()
    assert "up" not in diagonals()
    bench = pv.open(model.float(), (data.inputs.float(), torch.arange(SAMPLES) % 3))
    assert "transposed convolution" in bench.cannot(pv.Plan("obs"))["up"]
    with pytest.raises(ValueError, match=r"'obs': layer 'up' has no .*transposed convolution"):
        bench.prune(pv.Plan("obs", sparsity={"up": 0.5}))


def test_one_layer_at_a_time_and_small_batches_find_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(curvature, "_ROWS", 3 * SAMPLES)  # 3 places of each sample
    whole = diagonals(SAMPLES)
    monkeypatch.setattr(curvature, "_BYTES", 1)
    for name, wanted in diagonals(7).items():
        torch.testing.assert_close(whole[name], wanted)


def test_a_score_is_the_error_that_the_other_weights_cannot_make_up_for() -> None:
    torch.manual_seed(1)
    inputs = torch.randn(60, 6) @ torch.randn(6, 6)
    model = nn.Sequential(nn.Linear(6, 3)).eval()
    bench = pv.open(model, (inputs, torch.arange(60) % 3))
    scores = bench.prune(pv.Plan("obs", sparsity={"0": 0.5})).scores["0"]
    x, weight = bench.source.calibration.inputs.double(), bench.weight("0").double()  # type: ignore[union-attr]
    gram = x.T @ x / len(x)
    h = gram + DAMPING * gram.diagonal().mean() * torch.eye(6).double()
    for unit, j in itertools.product(range(3), range(6)):
        rest = [i for i in range(6) if i != j]
        change = torch.zeros(6).double()
        change[j] = -weight[unit, j]
        change[rest] = torch.linalg.solve(h[rest][:, rest], h[rest][:, j] * weight[unit, j])
        torch.testing.assert_close(scores[unit, j], change @ h @ change)


def test_inputs_that_are_always_zero_leave_no_broken_scores() -> None:
    inputs = torch.randn(60, 4)
    inputs[:, 1] = 0
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)).eval()
    with torch.no_grad():
        model[0].weight.zero_()
        model[0].bias.zero_()  # type: ignore[union-attr]
    model[0].weight.data[:, 1] = 1.0
    bench = pv.open(model, (inputs, torch.arange(60) % 2))
    scores = bench.prune(pv.Plan("obs", sparsity={"0": 0.5, "1": 0.5})).scores
    assert all(bool(torch.isfinite(one).all()) for one in scores.values())


@pytest.mark.parametrize("value", [0.0, 1e-30, float("nan")])
def test_a_matrix_without_a_factor_is_broken_and_nothing_else(value: float) -> None:
    factor = cholesky_factor(torch.full((2, 3, 3), value, dtype=torch.float64))
    assert bool(torch.isfinite(factor).all()) == (value == value)


# -- what is known of whole units ----------------------------------------------------------


def test_a_group_norm_is_that_of_both_sides_of_the_unit(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("resnet20")
    layer = bench.source.model.get_submodule("layer2.0")
    plan = pv.Plan("group_l2", "neuron", sparsity={"layer2.0.conv1": 0.5})
    scores = bench.prune(plan).scores["layer2.0.conv1"]
    own, norm, behind = (getattr(layer, name).weight for name in ("conv1", "bn1", "conv2"))
    for unit, score in enumerate(scores.square().tolist()):
        parts = (own[unit], norm[unit], behind[:, unit])
        assert score == pytest.approx(sum(float((one**2).sum()) for one in parts), rel=1e-5)


def test_a_group_norm_counts_every_layer_that_is_cut_together(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("resnet20")
    state = bench.source.model.state_dict()
    plan = pv.Plan("group_l2", "neuron", sparsity={"conv1": 0.5})
    ((lead, scores),) = bench.prune(plan).scores.items()
    group = bench.groups.groups[lead]
    makers = {name: state[f"{name}.weight"] for name in group.layers}
    norms = [state[f"{name.replace('conv', 'bn')}.weight"] for name in group.layers]
    for unit, score in enumerate(scores.square().tolist()):
        made = sum(float((one[unit] ** 2).sum()) for one in (*makers.values(), *norms))
        read = sum(float((state[f"{n}.weight"][:, unit] ** 2).sum()) for n in group.consumers)
        assert score == pytest.approx(made + read, rel=1e-5)


def test_a_consumer_norm_is_that_of_the_columns_behind(benches: Callable[[str], Workbench]) -> None:
    bench = benches("lenet5")
    plan = pv.Plan("consumer", "neuron", sparsity={"conv1": 0.5, "conv2": 0.5, "fc1": 0.5})
    scores = bench.prune(plan).scores
    conv2, fc1, fc2 = (bench.weight(name).double() for name in ("conv2", "fc1", "fc2"))
    torch.testing.assert_close(scores["conv1"], conv2.transpose(0, 1).flatten(1).norm(dim=1))
    torch.testing.assert_close(scores["fc1"], fc2.norm(dim=0))
    spread = fc1.reshape(len(fc1), conv2.shape[0], -1)  # each filter is read at 25 places
    torch.testing.assert_close(scores["conv2"], spread.transpose(0, 1).flatten(1).norm(dim=1))


def test_what_nobody_reads_is_said_so(benches: Callable[[str], Workbench]) -> None:
    bench = benches("lenet5")
    assert "no layer is known that reads" in bench.cannot(pv.Plan("consumer", "neuron"))["fc3"]
    with pytest.raises(ValueError, match="'consumer': layer 'fc3' has no 'read': no layer"):
        bench.prune(pv.Plan("consumer", "neuron", sparsity={"fc3": 0.5}))
    assert set(bench.cannot(pv.Plan("consumer", "neuron"))) == {"fc3"}


def test_by_position_the_first_units_stay(benches: Callable[[str], Workbench]) -> None:
    pruned = benches("resnet20").prune(pv.Plan("position", "neuron", sparsity={"conv1": 0.25}))
    (kept,) = pruned.units.values()
    assert kept.tolist() == [True] * 12 + [False] * 4
