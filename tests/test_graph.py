"""Is what belongs to a layer read from what feeds what, however the modules are ordered?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.network.graph import Graph, activation_of, norm_scale, trace
from pruneviz.network.layers import find_layers
from pruneviz.network.replica import replica, state
from pruneviz.workbench import Workbench

IMAGES = torch.linspace(-1, 1, 4 * 2 * 6 * 6).reshape(4, 2, 6, 6)


def graph_of(model: nn.Module, example: Tensor = IMAGES) -> Graph:
    return trace(model.eval(), example, find_layers(model))


class NormFirst(nn.Module):
    """The batch norm of the second convolution is defined first, and all shapes are alike."""

    def __init__(self) -> None:
        super().__init__()
        self.norm_of_two = nn.BatchNorm2d(2)
        self.two = nn.Conv2d(2, 2, 3, padding=1)
        self.one = nn.Conv2d(2, 2, 3, padding=1)
        self.norm_of_one = nn.BatchNorm2d(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm_of_two(self.two(self.norm_of_one(self.one(x)).relu()))


class Branches(nn.Module):
    """Two convolutions of one shape, each with its own norm, summed; a third after the sum."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(2, 3, 1), nn.Conv2d(2, 3, 1)
        self.last = nn.Conv2d(3, 3, 1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(3) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        summed = self.norms[1](self.left(x)) + self.norms[0](self.right(x))
        return self.last(self.norms[2](summed))


class Functional(nn.Module):
    """A batch norm that is no module."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 1, bias=False)
        self.gamma, self.beta = nn.Parameter(torch.rand(3)), nn.Parameter(torch.rand(3))
        self.register_buffer("mean", torch.rand(3))
        self.register_buffer("var", torch.rand(3) + 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(self.conv(x), self.mean, self.var, self.gamma, self.beta)


class After(nn.Module):
    """A batch norm behind whatever stands between it and the convolution."""

    def __init__(self, *between: nn.Module) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3)
        self.between = nn.Sequential(*between)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.between(self.conv(x)))


# -- norm scale, activation ----------------------------------------------------------------


def test_the_scale_is_that_of_the_norm_behind() -> None:
    def scale(model: nn.Module, layer: str) -> str | None:
        return norm_scale(graph_of(model), find_layers(model)[layer])

    assert scale(NormFirst(), "one") == "norm_of_one.weight"
    assert scale(Branches(), "right") == "norms.0.weight"
    assert scale(Branches(), "last") is None
    assert scale(Functional(), "conv") == "gamma"


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        ((nn.ReLU(inplace=True),), lambda m, y: y.relu()),
        ((nn.Tanh(), nn.ReLU()), lambda m, y: y.tanh()),
        ((), lambda m, y: m.norm(y)),
        ((nn.Softmax(1),), lambda m, y: y),
    ],
    ids=["relu in place", "the first of two", "norm only", "something else"],
)
def test_the_activation_is_the_first_behind_the_layer(
    between: tuple[nn.Module, ...], expected: Callable[[nn.Module, Tensor], Tensor]
) -> None:
    model = After(*between).eval()
    nn.init.normal_(model.norm.weight)
    output = model.conv(IMAGES).detach()
    before = output.clone()
    activate = activation_of(graph_of(model), find_layers(model)["conv"], state(model))
    assert torch.equal(activate(output), expected(model, output))
    assert torch.equal(output, before), "the layer's output is somebody else's"


# -- tracing -------------------------------------------------------------------------------


class Undecided(nn.Module):
    """Which way the data goes depends on the data."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x) if x.sum() > 0 else self.fc(-x)


def test_a_network_that_cannot_be_traced_is_named_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"Undecided cannot be traced: .+") as refused:
        graph_of(Undecided(), torch.ones(2, 3))
    assert "\n" not in str(refused.value)


def test_a_network_that_cannot_be_traced_still_loses_single_weights() -> None:
    data = (torch.randn(20, 3), torch.arange(20) % 2)
    bench = pv.open(Undecided(), data)
    assert bench.evaluate(pv.Plan("taylor", sparsity={"fc": 0.5})).n == 14
    with pytest.raises(ValueError, match="Undecided cannot be traced"):
        bench.prune(pv.Plan(granularity="neuron", sparsity={"fc": 0.5}))


def test_tracing_leaves_the_model_alone() -> None:
    model = After(nn.ReLU()).train()
    before = {name: tensor.clone() for name, tensor in state(model).items()}
    trace(replica(model), IMAGES, find_layers(model))
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in state(model).items())


def test_every_layer_of_the_samples_is_called_once(bench: Workbench) -> None:
    assert {name: len(calls) for name, calls in bench.graph.calls.items()} == dict.fromkeys(
        bench.layer_of, 1
    )
