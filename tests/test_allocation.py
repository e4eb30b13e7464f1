"""Are the allocations those of the papers?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from pruneviz.allocation.methods import ALLOCATIONS, density_of, tame_bounds
from pruneviz.network.layers import Layer
from pruneviz.plan import Plan
from pruneviz.pruning.sliders import Slider
from pruneviz.workbench import Workbench

Benches = Callable[[str], Workbench]


def test_the_table_is_whole() -> None:
    assert list(ALLOCATIONS) == [
        "uniform",
        "uniform+",
        "global",
        "erk",
        "lamp",
        "owl",
        "sensitivity",
    ]
    for name, allocation in ALLOCATIONS.items():
        assert allocation.name == name
        texts = (allocation.label, allocation.meaning, allocation.formula, allocation.source)
        assert all(texts)


def test_densities_by_hand() -> None:
    conv = Layer("conv", "conv2d", (16, 6, 5, 5), True)
    linear = Layer("fc", "linear", (10, 84), True)
    layers = {"conv": conv, "fc": linear}
    assert density_of(Slider("conv", ("conv",), 16), layers) == pytest.approx(32 / 2400)
    assert density_of(Slider("fc", ("fc",), 10), layers) == pytest.approx(94 / 840)
    both = density_of(Slider("conv", ("conv", "fc"), 10), layers)
    assert both == pytest.approx((32 + 94) / (2400 + 840))


def test_uniform_plus_bounds_the_first_convolution_and_the_last_linear(benches: Benches) -> None:
    assert tame_bounds(benches("lenet5").layer_of) == {
        "conv1": 0.0,
        "fc3": pytest.approx(0.8),
    }
    assert tame_bounds(benches("lenet300").layer_of) == {"fc3": pytest.approx(0.8)}


def test_global_is_the_pool_of_the_engine(bench: Workbench) -> None:
    """The same weights go as with scope "global"."""
    plan = bench.allocate("global", 0.8)
    pooled = Plan(scope="global", sparsity=dict.fromkeys(bench.layer_of, 0.8))
    ours, theirs = bench.masks(plan), bench.masks(pooled)
    assert all(torch.equal(ours.masks[name], theirs.masks[name]) for name in bench.layer_of)


def test_lamp_is_the_published_score_in_one_pool(bench: Workbench) -> None:
    """The masks of magnitude at LAMP's counts are those of LAMP's own scores, ranked globally."""
    plan = bench.allocate("lamp", 0.9)
    pooled = Plan("lamp", scope="global", sparsity=dict.fromkeys(bench.layer_of, 0.9))
    ours, theirs = bench.masks(plan).sparsity, bench.masks(pooled).sparsity
    sizes = {name: layer.size for name, layer in bench.layer_of.items()}
    apart = sum(abs(ours[name] - theirs[name]) * sizes[name] for name in sizes)
    assert apart <= 2, "two equal scores may stand in either order"


def test_lamp_by_hand() -> None:
    """Two layers, [1, 2, 3] and [1, 1]: LAMP scores 1/14, 4/13, 1 and 1/2, 1."""

    class Two(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = torch.nn.Linear(3, 1, bias=False), torch.nn.Linear(1, 2, bias=False)
            with torch.no_grad():
                self.a.weight.copy_(torch.tensor([[1.0, 2.0, 3.0]]))
                self.b.weight.copy_(torch.tensor([[1.0], [1.0]]))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.b(self.a(x))

    import pruneviz as pv

    data = pv.Data(torch.randn(64, 3), torch.randint(0, 2, (64,)))
    bench = pv.open(Two(), data)
    assert dict(bench.allocate("lamp", 0.2).sparsity) == pytest.approx({"a": 1 / 3, "b": 0.0})
    assert dict(bench.allocate("lamp", 0.4).sparsity) == pytest.approx({"a": 2 / 3, "b": 0.0})
    assert dict(bench.allocate("lamp", 0.6).sparsity) == pytest.approx({"a": 2 / 3, "b": 0.5})
