"""Is the smaller network really smaller, and does it answer as the masked one does?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.data import Inputs
from pruneviz.network.forward_pass import call
from pruneviz.network.groups import Groups
from pruneviz.network.replica import fingerprint, replica
from pruneviz.network.shrink import shrink
from pruneviz.plan import Plan
from pruneviz.pruning.pruned import Pruned
from pruneviz.workbench import Workbench
from tests.cases import slow_but
from tests.conftest import NETWORKS

RATIOS = (0.1, 0.3, 0.5, 0.7)
SCOPES = ("layer", "global")

quick_networks = pytest.mark.parametrize(
    "bench", slow_but(lambda name: "lenet" in name, NETWORKS), indirect=True
)


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def answers(model: nn.Module, inputs: Inputs) -> Tensor:
    with torch.inference_mode():
        return call(replica(model), inputs)


def close(one: Tensor, other: Tensor) -> bool:
    return float((one - other).abs().max()) <= 1e-5 * float(other.abs().max())


@dataclass
class Shrunk:
    """One criterion and scope on one network; what it makes at each ratio is made once."""

    bench: Workbench
    plan: Plan
    done: dict[float, tuple[Pruned, nn.Module]] = field(default_factory=dict)

    def asks(self, ratio: float) -> Plan:
        leads = list(self.bench.groups.groups)
        # In one pool a layer may lose all that it has: of each one unit is kept by hand.
        pinned = {lead: {"0": True} for lead in leads if self.plan.scope == "global"}
        return replace(self.plan, sparsity=dict.fromkeys(leads, ratio), pinned=pinned)

    def at(self, ratio: float) -> tuple[Pruned, nn.Module]:
        if ratio not in self.done:
            pruned = self.bench.prune(self.asks(ratio))
            self.done[ratio] = pruned, pruned.shrink()
        return self.done[ratio]


@pytest.fixture(
    scope="module",
    params=slow_but(
        lambda case: "lenet" in case[0] or case[1:] == ("l2", "global"),
        [
            *(((n, c, s),) for n in NETWORKS[:2] for c in ("l2", "random") for s in SCOPES),
            *(((n, "l2", "global"),) for n in NETWORKS[2:]),
            *(((n, "random", "layer"),) for n in NETWORKS[2:]),
        ],
    ),
    ids="-".join,
)
def case(request: pytest.FixtureRequest, benches: Callable[[str], Workbench]) -> Shrunk:
    name, criterion, scope = request.param
    return Shrunk(benches(name), Plan(criterion, "neuron", scope))


# -- laws ----------------------------------------------------------------------------------


def test_more_is_removed_the_more_is_asked(case: Shrunk) -> None:
    sizes = [parameters(case.bench.source.model), *(parameters(case.at(r)[1]) for r in RATIOS)]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == len(sizes)


def test_it_answers_as_the_masked_network_does(case: Shrunk) -> None:
    inputs = case.bench.source.validation.inputs[:32]
    for ratio in RATIOS:
        pruned, small = case.at(ratio)
        assert close(answers(small, inputs), answers(pruned.model, inputs)), ratio


def test_its_parameters_are_those_that_were_counted(case: Shrunk) -> None:
    for ratio in RATIOS:
        _, small = case.at(ratio)
        counts = case.bench.counts(case.asks(ratio))
        assert parameters(small) == counts.params_shrunk == counts.params_kept


def test_it_is_the_users_own_class_with_its_keys(case: Shrunk) -> None:
    dense = case.bench.source.model
    _, small = case.at(0.5)
    assert type(small) is type(dense)
    assert list(small.state_dict()) == list(dense.state_dict())
    assert [type(m) for m in small.modules()] == [type(m) for m in dense.modules()]
    assert not any(isinstance(m, nn.utils.parametrize.ParametrizationList) for m in small.modules())


def test_the_units_that_are_left_are_those_of_the_dense_network(case: Shrunk) -> None:
    pruned, small = case.at(0.3)
    for lead, kept in pruned.units.items():
        group = case.bench.groups.groups[lead]
        layer = case.bench.layer_of[lead]
        rows = kept[group.rows[lead]]
        columns = small.get_parameter(layer.weight).shape[1]
        assert small.get_parameter(layer.weight).shape[0] == int(rows.sum())
        if columns == layer.shape[1]:
            dense = case.bench.source.model.get_parameter(layer.weight)
            assert torch.equal(small.get_parameter(layer.weight), dense[rows])


# -- one network of its own ----------------------------------------------------------------


def halved(bench: Workbench) -> Plan:
    return Plan("l2", "neuron", sparsity=dict.fromkeys(bench.groups.groups, 0.5))


@quick_networks
def test_twice_in_one_process_gives_the_same(bench: Workbench) -> None:
    one, other = (bench.prune(halved(bench)).shrink() for _ in range(2))
    assert one is not other
    assert fingerprint(one) == fingerprint(other)
    again = pv.prune(bench.source.model, halved(bench), graph=bench.graph).shrink()
    assert fingerprint(again) == fingerprint(one)


@quick_networks
def test_training_it_touches_neither_the_dense_nor_the_masked(bench: Workbench) -> None:
    before = fingerprint(bench.source.model)
    pruned = bench.prune(halved(bench))
    masked = fingerprint(pruned.model)
    small = pruned.shrink().train().requires_grad_(True)
    bench.prune(halved(bench)).shrink()
    optimiser = torch.optim.SGD(small.parameters(), lr=0.1)
    inputs, targets = bench.source.validation.inputs[:8], bench.source.validation.targets[:8]
    loss = nn.functional.cross_entropy(small(inputs), targets)
    loss.backward()
    optimiser.step()
    assert all(p.grad is not None for p in small.parameters())
    assert fingerprint(bench.source.model) == before
    assert fingerprint(pruned.model) == masked
    assert fingerprint(small) != fingerprint(pruned.shrink())


def test_it_is_switched_as_the_dense_network_is() -> None:
    data = torch.randn(40, 4), torch.arange(40) % 2
    for training in (True, False):
        model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 2)).train(training)
        bench = pv.open(model, data)
        small = bench.prune(Plan("l2", "neuron", sparsity={"0": 0.5})).shrink()
        assert small.training is training
        assert small[1].training is training


def test_of_a_dense_plan_it_is_a_copy(bench: Workbench) -> None:
    small = bench.prune(Plan(granularity="neuron")).shrink()
    assert fingerprint(small) == fingerprint(bench.source.model)
    assert small is not bench.source.model
    assert all(
        one.data_ptr() != other.data_ptr()
        for one, other in zip(small.parameters(), bench.source.model.parameters(), strict=True)
    )


@pytest.mark.slow
def test_heads_and_neurons_can_go_one_after_the_other(benches: Callable[[str], Workbench]) -> None:
    bench = benches("vit")
    heads = {name: 0.5 for name in bench.layer_of if name.endswith("qkv")}
    pruned = bench.prune(Plan("l2", "head", sparsity=heads))
    small = pruned.shrink()
    inputs = bench.source.validation.inputs[:8]
    assert close(answers(small, inputs), answers(pruned.model, inputs))
    second = pv.open(small, (bench.source.validation.inputs, bench.source.validation.targets))
    assert {g.units for g in second.groups.groups.values() if g.word == "head"} == {2}
    again = second.prune(Plan("l2", "neuron", sparsity={"blocks.0.mlp.fc1": 0.5}))
    assert close(answers(again.shrink(), inputs), answers(again.model, inputs))


def test_units_that_must_stay_are_zero_in_it(benches: Callable[[str], Workbench]) -> None:
    bench = benches("vit")
    plan = Plan("l2", "neuron", sparsity={"patch_embed": 0.5, "blocks.0.mlp.fc1": 0.5})
    pruned = bench.prune(plan)
    small, counts = pruned.shrink(), bench.counts(plan)
    weight = small.get_parameter("patch_embed.weight")
    assert torch.equal(weight.flatten(1).any(1), pruned.units["patch_embed"])
    assert parameters(small) == counts.params_shrunk > counts.params_kept
    inputs = bench.source.validation.inputs[:8]
    assert close(answers(small, inputs), answers(pruned.model, inputs))


# -- what is refused -----------------------------------------------------------------------


def test_a_group_of_which_nothing_would_be_left_is_named(
    benches: Callable[[str], Workbench],
) -> None:
    pruned = benches("resnet20").prune(Plan("l2", "neuron", sparsity={"layer1.1.conv2": 1.0}))
    words = r"group 'conv1' \(conv1, layer1.0.conv2, .*\) loses all its 16 units; one must stay"
    with pytest.raises(ValueError, match=words):
        pruned.shrink()


@pytest.mark.parametrize("granularity", ["weight", "2:4"])
def test_single_weights_cannot_be_removed(bench: Workbench, granularity: str) -> None:
    plan = Plan("magnitude", granularity, sparsity=dict.fromkeys(bench.layer_of, 0.5))
    with pytest.raises(ValueError, match=f"'{granularity}' leaves the shape of a network as it is"):
        bench.prune(plan).shrink()


def test_a_mismatch_is_an_error_that_names_the_group(benches: Callable[[str], Workbench]) -> None:
    """A network that is not masked where it is cut answers otherwise than the smaller one."""
    bench = benches("lenet300")
    kept = {"fc2": torch.arange(100) > 50}
    with pytest.raises(ValueError, match=r"group 'fc2' cannot be removed here: its answers differ"):
        shrink(bench.source.model, bench.groups, kept, bench.graph.example)
    groups = bench.groups.groups
    short = replace(groups["fc2"], places=groups["fc2"].places[:1])
    wrong = Groups({**groups, "fc2": short})
    pruned = bench.prune(Plan("l2", "neuron", sparsity={"fc1": 0.1, "fc2": 0.5}))
    with pytest.raises(ValueError, match="group 'fc2' cannot be removed here: "):
        replace(pruned, groups=wrong).shrink()
