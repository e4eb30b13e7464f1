"""What goes with a unit?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.network.graph import belongings
from pruneviz.network.layers import find_layers
from pruneviz.network.replica import state
from pruneviz.workbench import Workbench
from tests.test_graph import IMAGES, After, Branches, Functional, NormFirst, graph_of


def owned(model: nn.Module, layer: str, example: Tensor = IMAGES) -> set[str]:
    return set(belongings(graph_of(model, example), find_layers(model)[layer]))


class Fork(nn.Module):
    """Two batch norms that see the same convolution and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 1)
        self.one, self.other = nn.BatchNorm2d(3), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.conv(x)
        return torch.cat([self.one(maps), self.other(maps)], 1)


class TwoConsumers(nn.Module):
    """A batch norm whose output goes two ways."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3)
        self.next = nn.Conv2d(3, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.norm(self.conv(x))
        return maps + self.next(maps)


class SharedNorm(nn.Module):
    """One batch norm that sees two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Conv2d(2, 3, 1), nn.Conv2d(2, 3, 1)
        self.norm = nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.one(x)).relu() + self.norm(self.other(x)).relu()


class TwoNames(nn.Module):
    """One batch norm under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.BatchNorm2d(3)
        self.conv = nn.Conv2d(2, 3, 1)
        self.second = self.first

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.conv(x))


class Tied(nn.Module):
    """One weight in two layers, each with its own norm behind."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(3, 3, bias=False), nn.Linear(3, 3)
        self.other.weight = self.one.weight
        self.norm_other, self.norm_one = nn.BatchNorm1d(3), nn.BatchNorm1d(3)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm_other(self.other(self.norm_one(self.one(x))))


def test_the_order_of_modules_misleads_nobody() -> None:
    assert owned(NormFirst(), "one") == {"one.bias", "norm_of_one.weight", "norm_of_one.bias"}
    assert owned(NormFirst(), "two") == {"two.bias", "norm_of_two.weight", "norm_of_two.bias"}


def test_convolutions_of_one_shape_are_told_apart() -> None:
    assert owned(Branches(), "left") == {"left.bias", "norms.1.weight", "norms.1.bias"}
    assert owned(Branches(), "right") == {"right.bias", "norms.0.weight", "norms.0.bias"}


def test_a_norm_behind_a_sum_belongs_to_neither_branch() -> None:
    class Summed(Branches):
        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.norms[2](self.left(x) + self.right(x)))

    assert owned(Summed(), "left") == {"left.bias"}
    assert owned(Summed(), "right") == {"right.bias"}


def test_a_layer_with_nothing_of_its_own_has_no_belongings() -> None:
    assert owned(Branches(), "last") == set()


def test_a_functional_batch_norm_belongs() -> None:
    assert owned(Functional(), "conv") == {"gamma", "beta"}


@pytest.mark.parametrize(
    "between",
    [
        (),
        (nn.ReLU(),),
        (nn.ReLU(inplace=True),),
        (nn.Dropout(0.5), nn.GELU()),
        (nn.Hardswish(inplace=True), nn.Identity(), nn.LeakyReLU(0.1)),
    ],
    ids=["nothing", "relu", "relu in place", "dropout, gelu", "hardswish, identity, leaky"],
)
def test_elementwise_operations_let_a_norm_belong(between: tuple[nn.Module, ...]) -> None:
    assert owned(After(*between), "conv") == {"conv.bias", "norm.weight", "norm.bias"}


@pytest.mark.parametrize(
    "between", [nn.Softmax(1), nn.ChannelShuffle(3), nn.GroupNorm(1, 3)], ids=lambda m: str(m)
)
def test_operations_that_mix_units_do_not(between: nn.Module) -> None:
    assert owned(After(between), "conv") == {"conv.bias"}


def test_a_norm_without_scale_and_shift_has_nothing_to_give() -> None:
    model = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3, affine=False))
    assert owned(model, "0") == {"0.bias"}


def test_a_norm_whose_output_goes_two_ways_belongs() -> None:
    assert owned(TwoConsumers(), "conv") == {"conv.bias", "norm.weight", "norm.bias"}
    assert owned(TwoConsumers(), "next") == {"next.bias"}


def test_every_norm_that_sees_nothing_but_the_layer_belongs() -> None:
    everything = {"conv.bias", "one.weight", "one.bias", "other.weight", "other.bias"}
    assert owned(Fork(), "conv") == everything


def test_a_norm_that_sees_two_layers_belongs_to_neither() -> None:
    assert owned(SharedNorm(), "one") == {"one.bias"}
    assert owned(SharedNorm(), "other") == {"other.bias"}


def test_a_norm_over_another_dimension_than_the_units_does_not_belong() -> None:
    class OverTokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.norm = nn.Linear(4, 3), nn.BatchNorm1d(5)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(self.fc(x))

    assert owned(OverTokens(), "fc", torch.ones(2, 5, 4)) == {"fc.bias"}


def test_a_tied_weight_owns_what_follows_each_of_its_uses() -> None:
    found = owned(Tied(), "one", torch.ones(2, 3))
    norms = {f"norm_{name}.{part}" for name in ("one", "other") for part in ("weight", "bias")}
    assert found >= norms


def test_a_norm_with_two_names_is_called_by_the_one_that_can_be_masked() -> None:
    names = {name for name, _ in TwoNames().named_parameters()}
    assert owned(TwoNames(), "conv") <= names


def test_belongings_of_resnet20(benches: Callable[[str], Workbench]) -> None:
    bench = benches("resnet20")
    found = {name: set(belongings(bench.graph, layer)) for name, layer in bench.layer_of.items()}
    for name in bench.layer_of:
        norm = name.replace("conv", "bn").replace("downsample.0", "downsample.1")
        expected = {"fc.bias"} if name == "fc" else {f"{norm}.weight", f"{norm}.bias"}
        assert found[name] == expected


@pytest.mark.parametrize("name", ["lenet300", "lenet5", "vit"])
def test_without_batch_norm_only_the_bias_belongs(
    name: str, benches: Callable[[str], Workbench]
) -> None:
    bench = benches(name)
    for layer in bench.layer_of.values():
        assert belongings(bench.graph, layer) == (layer.bias,)


SILENCED = [  # network, layer, the modules whose output must be zero ("" is the network's own)
    (NormFirst, "one", ("norm_of_one",)),
    (NormFirst, "two", ("norm_of_two", "")),
    (Branches, "left", ("norms.1",)),
    (Functional, "conv", ("conv", "")),
    (lambda: After(nn.ReLU(inplace=True)), "conv", ("norm", "")),
    (TwoConsumers, "conv", ("norm",)),
    (Fork, "conv", ("one", "other")),
    (TwoNames, "conv", ("second", "")),
]


@pytest.mark.parametrize(
    ("network", "layer", "silent"), SILENCED, ids=lambda v: getattr(v, "__name__", None)
)
def test_a_pruned_unit_outputs_exactly_zero(
    network: Callable[[], nn.Module], layer: str, silent: tuple[str, ...]
) -> None:
    model = network().eval()
    for tensor in state(model).values():
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.5, 1.5)
    plan = pv.Plan(granularity="neuron", sparsity={layer: 0.4})
    pruned = pv.prune(model, plan, graph=graph_of(model))
    gone = ~pruned.masks[layer].flatten(1).any(1)
    assert int(gone.sum()) == 1
    for name in silent:
        heard: list[Tensor] = []
        masked = pruned.model
        module = masked.get_submodule(name)
        module.register_forward_hook(lambda module, given, out, heard=heard: heard.append(out))
        masked(IMAGES)
        assert not heard[0][:, gone].any(), name
        assert heard[0][:, ~gone].all(), name


def test_the_layer_that_shares_a_norm_keeps_its_own_units() -> None:
    """Cutting filters of one convolution must not silence those of the other."""
    model = SharedNorm().eval()
    plan = pv.Plan(granularity="neuron", sparsity={"one": 0.34})
    pruned = pv.prune(model, plan, graph=graph_of(model))
    masked, other = pruned.model, model.norm(model.other(IMAGES))
    torch.testing.assert_close(masked.norm(masked.other(IMAGES)), other)
