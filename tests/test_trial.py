"""Is a group only there when cutting it was tried, and why not where it is not?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.network.groups import Group, Groups, Place
from pruneviz.network.likeness import difference, tolerance
from pruneviz.network.replica import fingerprint
from pruneviz.network.trial import parameter_masks, prove
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench

DATA = torch.linspace(-1, 1, 160).reshape(40, 4), torch.arange(40) % 2


class Net(nn.Module):
    """Three layers, and code of its own between the first two."""

    def __init__(self, between: Callable[[Net, Tensor], Tensor]) -> None:
        super().__init__()
        self.between = between
        self.one, self.two, self.head = nn.Linear(4, 6), nn.Linear(6, 5), nn.Linear(5, 2)
        self.width = 6

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.two(self.between(self, self.one(x))).relu())


def opened(between: Callable[[Net, Tensor], Tensor]) -> Workbench:
    return pv.open(Net(between).eval(), DATA)


def test_a_network_that_computes_with_its_width_keeps_it() -> None:
    bench = opened(lambda m, x: x * x.shape[1])
    why = bench.groups.fixed["one"]
    assert why.startswith("its trial cut failed: its answers differ by ")
    assert why.endswith(" from those of the masked network")
    assert list(bench.groups.groups) == ["two"]
    pruned = bench.prune(Plan("l2", "neuron", sparsity={"one": 0.5, "two": 0.4}))
    small = pruned.shrink()
    assert (small.one.out_features, small.two.out_features) == (6, 3)
    inputs = bench.source.validation.inputs
    torch.testing.assert_close(small(inputs), pruned.model(inputs))


def test_code_that_knows_the_width_by_heart_says_what_it_said() -> None:
    bench = opened(lambda m, x: x.reshape(-1, m.width).relu())
    why = bench.groups.fixed["one"]
    assert why.startswith("its trial cut failed: ")
    assert "shape '[-1, 6]' is invalid" in why
    assert list(bench.groups.groups) == ["two"]


def test_code_that_checks_its_width_is_heard() -> None:
    def strict(m: Net, x: Tensor) -> Tensor:
        if x.shape[1] != 6:
            raise TypeError("I am six wide")
        return x.relu()

    assert opened(strict).groups.fixed["one"] == "its trial cut failed: I am six wide"


def test_a_mean_over_units_written_as_code_is_found_out() -> None:
    bench = opened(lambda m, x: F.softmax(x, 1) * 6)
    assert "softmax" in bench.groups.fixed["one"]


def hand_made(*names: str) -> Groups:
    """The groups of `Net` as somebody might claim them; "wrong" forgets the bias."""
    every = torch.arange
    places = {
        "one": (("one.weight", 0, 6), ("one.bias", 0, 6), ("two.weight", 1, 6)),
        "two": (("two.weight", 0, 5), ("two.bias", 0, 5), ("head.weight", 1, 5)),
        "wrong": (("one.weight", 0, 6), ("two.weight", 1, 6)),
    }
    groups = {}
    for name in names:
        layer, units = ("one", 6) if name == "wrong" else (name, places[name][0][2])
        where = tuple(Place(tensor, dim, every(n)) for tensor, dim, n in places[name])
        rows = {layer: every(units)}
        groups[layer] = Group(layer, (layer,), units, "neuron", rows, (), where)
    return Groups(groups, {"head": "it is the network's answer"})


def test_a_claim_that_holds_is_left_as_it_is() -> None:
    model = Net(lambda m, x: x.relu()).eval()
    before = fingerprint(model)
    found = prove(model, hand_made("one", "two"), torch.randn(2, 4))
    assert list(found.groups) == ["one", "two"]
    assert found.fixed == {"head": "it is the network's answer"}
    assert fingerprint(model) == before


def test_a_claim_that_does_not_hold_is_refused_and_the_others_stay() -> None:
    model = Net(lambda m, x: x.relu()).eval()
    found = prove(model, hand_made("wrong", "two"), torch.randn(2, 4))
    assert list(found.groups) == ["two"]
    assert found.fixed["one"].startswith("its trial cut failed: ")
    assert found.fixed["head"] == "it is the network's answer"


def test_weights_of_zero_hide_no_mistake() -> None:
    """A bias that is forgotten does no harm while it is zero; training would bring it out."""

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(4, 6, bias=False), nn.Linear(6, 2)
            nn.init.zeros_(self.two.weight)

        def forward(self, x: Tensor) -> Tensor:
            y = self.one(x)
            return self.two(y * y.shape[1])

    bench = pv.open(Scaled().eval(), DATA)
    assert "trial cut failed" in bench.groups.fixed["one"]


def test_masks_of_parameters_leave_buffers_out() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2)).eval()
    bench = pv.open(model, DATA)
    kept = torch.tensor([True, False, True])
    masks = parameter_masks(model, bench.groups, {"0": kept})
    assert set(masks) == {"0.weight", "0.bias", "1.weight", "1.bias", "2.weight"}
    assert masks["1.bias"].tolist() == kept.tolist()


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [([2.0, -4.0], [2.0, -4.0], 0), ([2.0, -4.0], [2.0, -3.0], 0.25), ([0.0], [0.0], 0)],
)
def test_differences_are_relative_to_the_largest_answer(
    one: list[float], other: list[float], apart: float
) -> None:
    assert difference(torch.tensor(one), torch.tensor(other)) == apart


def test_short_formats_are_given_more_room() -> None:
    assert tolerance(torch.float64) == tolerance(torch.float32) == 1e-5
    assert tolerance(torch.bfloat16) == 4 * torch.finfo(torch.bfloat16).eps
