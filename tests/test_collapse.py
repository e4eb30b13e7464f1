"""Is a network that no longer depends on its input named, at the right layer?"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.data import Data
from pruneviz.measuring.collapse import cut_in_two
from pruneviz.network.layers import find_layers
from pruneviz.network.replica import fingerprint
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench

INPUTS = torch.linspace(-1, 1, 80).reshape(40, 2)
TARGETS = torch.arange(40) % 2


class Chain(nn.Module):
    """Two hidden units; the second layer listens to the unit that the first one loses."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2)
        with torch.no_grad():
            self.fc1.weight.copy_(torch.tensor([[5.0, 6.0], [0.1, 0.2]]))
            self.fc2.weight.copy_(torch.tensor([[0.1, 5.0], [0.2, 6.0]]))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc3(self.fc2(self.fc1(x)).tanh())


class Shortcut(Chain):
    """The same behind a branch that can be lost without harm: a shortcut leads around it."""

    def __init__(self) -> None:
        super().__init__()
        self.branch = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x + self.branch(x))


CUT = {"fc1": 0.5, "fc2": 0.5}


def warnings(model: nn.Module, sparsity: dict[str, float]) -> dict[str, str]:
    return pv.open(model.eval(), (INPUTS, TARGETS)).warnings(Plan(sparsity=sparsity))


def test_a_layer_of_which_nothing_is_left_is_named(bench: Workbench) -> None:
    name = list(bench.layer_of)[1]
    found = bench.warnings(Plan(sparsity={name: 1.0}))
    assert f"nothing is left of '{name}'" in found[name]
    assert found[name].startswith("collapse")
    report = bench.prune(Plan(sparsity={name: 1.0})).report.set_index("layer")
    assert report.loc[name, "collapse"] == found[name]
    assert (report.drop(name)["collapse"] == "").all()


def test_a_healthy_network_is_not_named(bench: Workbench) -> None:
    assert bench.warnings(Plan()) == {}
    assert bench.warnings(Plan(sparsity=dict.fromkeys(bench.layer_of, 0.3))) == {}


def test_a_network_cut_in_two_is_named_where_the_cut_is() -> None:
    found = warnings(Chain(), CUT)
    assert list(found) == ["fc2"]
    assert "the network is cut in two at 'fc2'" in found["fc2"]


def test_one_of_the_two_holes_alone_cuts_nothing() -> None:
    assert warnings(Chain(), {"fc1": 0.5}) == {}
    assert warnings(Chain(), {"fc2": 0.5}) == {}


def test_losing_a_branch_beside_a_shortcut_is_no_cut() -> None:
    assert list(warnings(Shortcut(), {"branch": 1.0})) == ["branch"]


def test_the_cut_is_not_mistaken_for_a_branch_that_died_before_it() -> None:
    found = warnings(Shortcut(), {**CUT, "branch": 1.0})
    assert "cut in two" in found.get("fc2", "")


def test_the_cut_is_the_first_in_the_order_of_running_not_of_definition() -> None:
    class Backwards(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last, self.first = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.first(x))

    model = Backwards().eval()
    tensors = {"first.weight": torch.zeros(2, 2)}
    assert cut_in_two(model, tensors, find_layers(model), Data(INPUTS)) == "first"


def test_a_cut_outside_the_layers_is_named_at_the_output() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).eval()
    tensors = {"1.weight": torch.zeros(2)}
    assert cut_in_two(model, tensors, find_layers(model), Data(INPUTS)) == "the output"


def test_samples_that_are_alike_prove_no_cut() -> None:
    model = Chain().eval()
    alike = Data(INPUTS[:1].repeat(4, 1))
    tensors = {"fc1.weight": model.fc1.weight.detach() * torch.tensor([[1.0, 0.0], [1.0, 1.0]])}
    assert cut_in_two(model, tensors, find_layers(model), alike) is None


def test_one_sample_proves_no_cut() -> None:
    tensors = {"fc1.weight": torch.zeros(2, 2)}
    model = Chain().eval()
    assert cut_in_two(model, tensors, find_layers(model), Data(INPUTS[:1])) is None


def test_a_sample_network_without_any_weight_left_names_every_layer(bench: Workbench) -> None:
    before = fingerprint(bench.source.model)
    found = bench.warnings(Plan(sparsity=dict.fromkeys(bench.layer_of, 1.0)))
    assert set(found) == set(bench.layer_of)
    assert fingerprint(bench.source.model) == before


def test_a_group_cut_whole_is_named_in_every_member(benches: Callable[[str], Workbench]) -> None:
    bench = benches("resnet20")
    plan = Plan("l2", "neuron", sparsity={"layer2.1.conv2": 1.0})
    found = bench.warnings(plan)
    for name in bench.groups.members("layer2.1.conv2"):
        assert found[name].startswith(f"collapse: nothing is left of {name!r}")
        assert "lower its sparsity" in found[name]


def test_a_layer_that_reads_nothing_any_more_is_named_with_the_reason(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("lenet300")
    found = bench.warnings(Plan("l2", "neuron", sparsity={"fc1": 1.0}))
    assert "lower its sparsity" in found["fc1"]
    assert "nothing is left of 'fc2': all that it reads is cut" in found["fc2"]
    assert "fc3" not in found
