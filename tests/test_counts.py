"""Does the ledger count what is left, and of how much?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench

# Parameters and multiply-accumulates for one 28×28 image, from the shapes.
DENSE = {
    "lenet300": (784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10, 784 * 300 + 300 * 100 + 1000),
    "lenet5": (61_706, 28 * 28 * 6 * 25 + 10 * 10 * 16 * 6 * 25 + 400 * 120 + 120 * 84 + 840),
    "resnet20": (272_186, 31_021_952),
    "vit": (139_018, 7_884_416),
}


class Net(nn.Module):
    """conv 1→4 (3×3, on 6×6 gives 4×4), batch norm, linear 4→2."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.fc = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.norm(self.conv(x)).relu().mean((2, 3)))


@pytest.fixture
def net() -> Workbench:
    return pv.open(Net().eval(), (torch.randn(10, 1, 6, 6), torch.arange(10) % 2))


CONV, NORM, FC = 36 + 4, 8, 8 + 2
TOTAL = CONV + NORM + FC


def test_the_dense_network_keeps_everything(bench: Workbench) -> None:
    params, macs = DENSE[bench.name]
    cost = bench.counts(Plan())
    assert (cost.params, cost.params_kept, cost.params_shrunk) == (params, params, params)
    assert (cost.macs, cost.macs_kept) == (macs, macs)
    assert (cost.bytes_dense, cost.bytes_sparse) == (4 * params, 4 * params)


def test_macs_of_a_layer_are_those_of_its_shape(net: Workbench) -> None:
    assert net.macs == {"conv": 4 * 4 * 36, "fc": 8}


def test_macs_of_a_network_that_is_one_layer_are_that_layers() -> None:
    bench = pv.open(nn.Linear(4, 2), (torch.randn(10, 4), torch.arange(10) % 2))
    assert bench.macs == {"": 8}
    assert bench.counts(Plan(sparsity={"": 0.5})).macs_kept == 4


def test_single_weights_save_their_macs_and_bytes(net: Workbench) -> None:
    cost = net.counts(Plan(sparsity={"conv": 0.5, "fc": 0.25}))
    assert (cost.params, cost.params_kept) == (TOTAL, TOTAL - 18 - 2)
    assert (cost.macs, cost.macs_kept) == (16 * 36 + 8, 16 * 18 + 6)
    # four bytes a kept parameter, and one bit for each weight of the two layers: 36 -> 5, 8 -> 1
    assert cost.bytes_dense == 4 * TOTAL
    assert cost.bytes_sparse == 4 * (TOTAL - 20) + 5 + 1


def test_a_neuron_takes_all_that_is_its_own_along(net: Workbench) -> None:
    """Of two of four filters: weights, bias, scale, shift, and the columns that read it."""
    cost = net.counts(Plan(granularity="neuron", sparsity={"conv": 0.5}))
    assert cost.params_kept == TOTAL - 2 * (9 + 1 + 2 + 2)
    assert cost.params_shrunk == cost.params_kept
    assert cost.macs_kept == 16 * 18 + 4


def test_only_what_is_removed_for_real_is_gone_from_the_shape(net: Workbench) -> None:
    weights = net.counts(Plan(sparsity={"conv": 0.5, "fc": 0.25}))
    assert (weights.params_shrunk, weights.params_kept) == (TOTAL, TOTAL - 20)
    stays = net.counts(Plan(granularity="neuron", sparsity={"fc": 0.5}))
    assert (stays.params_shrunk, stays.params_kept) == (TOTAL, TOTAL - 5)
    both = net.counts(Plan(granularity="neuron", sparsity={"conv": 0.5, "fc": 0.5}))
    assert both.params_shrunk == TOTAL - 2 * (9 + 1 + 2 + 2)
    assert both.params_kept == TOTAL - (5 + 2 * (9 + 1 + 2) + 2)


def test_half_precision_is_half_the_bytes() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2)).bfloat16()
    bench = pv.open(model, (torch.randn(10, 4).bfloat16(), torch.arange(10) % 2))
    cost = bench.counts(Plan(sparsity={"0": 0.5}))
    assert cost.bytes_dense == 2 * cost.params
    assert cost.bytes_sparse == 2 * (cost.params - 16) + 32 // 8


def test_more_sparsity_never_costs_more(bench: Workbench) -> None:
    costs = [
        bench.counts(Plan(sparsity=dict.fromkeys(bench.layer_of, level)))
        for level in (0.3, 0.6, 0.9)
    ]
    for field in ("params_kept", "macs_kept", "bytes_sparse"):
        values = [getattr(cost, field) for cost in costs]
        assert values == sorted(values, reverse=True)
        assert len(set(values)) == 3


def test_params_kept_are_those_that_are_not_masked(bench: Workbench) -> None:
    plan = Plan("magnitude", "neuron", sparsity=dict.fromkeys(bench.layer_of, 0.5))
    masks = bench.prune(plan).parameter_masks
    gone = sum(int((~mask).sum()) for mask in masks.values())
    assert bench.counts(plan).params_kept == DENSE[bench.name][0] - gone


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_mask_that_saves_nothing_is_never_larger_than_none(cut: int) -> None:
    """Of 64 weights a mask takes 8 bytes: in float16 it pays from five of them on."""
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 2)).half()
    bench = pv.open(model, (torch.randn(10, 8), torch.arange(10) % 2))
    counts = bench.counts(Plan(sparsity={"0": cut / 64}))
    assert counts.params_kept == counts.params - cut
    assert counts.bytes_sparse == counts.bytes_dense == 2 * counts.params
    assert bench.counts(Plan(sparsity={"0": 0.5})).bytes_sparse == counts.bytes_dense - 64 + 8


def test_parameters_of_several_formats_each_count_their_own_bytes() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
    model[1].double()

    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.norm, self.two = model

        def forward(self, x: Tensor) -> Tensor:
            return self.two(self.norm(self.one(x).double()).float())

    bench = pv.open(Mixed().eval(), (torch.randn(10, 4), torch.arange(10) % 2))
    counts = bench.counts(Plan(granularity="neuron", sparsity={"one": 0.5}))
    dense = 4 * (40 + 18) + 8 * 16
    assert (counts.bytes_dense, counts.bytes_shrunk) == (dense, 4 * (20 + 10) + 8 * 8)
