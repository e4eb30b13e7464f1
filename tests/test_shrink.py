"""Is the smaller network really smaller, and does it answer as the masked one does?"""

from __future__ import annotations

import copy
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
from tests.zoo import ALIKE, SMALL

RATIOS = (0.1, 0.3, 0.5, 0.7)
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
        [((n, c, s),) for n in NETWORKS for c in ("l2", "random") for s in ("layer", "global")],
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


# -- other networks ------------------------------------------------------------------------


@pytest.fixture(
    scope="module", params=slow_but(lambda name: name not in (*ALIKE, "BERT", "GPT-2"), SMALL)
)
def small_bench(request: pytest.FixtureRequest, benches: Callable[[str], Workbench]) -> Workbench:
    return benches(request.param)


def test_small_networks_of_many_kinds(small_bench: Workbench) -> None:
    inputs = small_bench.source.validation.inputs
    dense = parameters(small_bench.source.model)
    assert small_bench.groups.groups
    plan = Plan("random", "neuron", "layer", dict.fromkeys(small_bench.groups.groups, 0.5))
    pruned = small_bench.prune(plan)
    small = pruned.shrink()
    assert close(answers(small, inputs), answers(pruned.model, inputs))
    counts = small_bench.counts(plan)
    assert parameters(small) == counts.params_shrunk == counts.params_kept < dense


class Corners(nn.Module):
    """Parts by name, and what is done with them."""

    def __init__(self, does: Callable[[Corners, Tensor], Tensor], **parts: nn.Module) -> None:
        super().__init__()
        self.does = does
        for name, part in parts.items():
            self.add_module(name, part)
        self.scale = nn.Parameter(torch.rand(8, 1, 1))
        self.register_buffer("shift", torch.rand(8))

    def forward(self, x: Tensor) -> Tensor:
        return self.does(self, x)


def mixed(x: Tensor) -> Tensor:
    n, channels, height, width = x.shape
    x = x.view(n, 2, channels // 2, height, width).transpose(1, 2)
    return x.reshape(n, channels, height, width)


def twice(m: Corners, x: Tensor) -> Tensor:
    x = m.norm(m.b(m.a(x))).relu()
    return m.head(m.norm(m.b(x)).relu().mean((2, 3)))


def densely(m: Corners, x: Tensor) -> Tensor:
    a = m.a(x).relu()
    b = m.b(a).relu()
    joined = m.norm(torch.cat([a, b], 1)).relu()
    return m.head(m.c(joined).relu().mean((2, 3)))


def own_scale(m: Corners, x: Tensor) -> Tensor:
    scaled = m.a(x).relu() * m.scale + m.shift.view(1, -1, 1, 1)
    return m.head(m.b(scaled).relu().mean((2, 3)))


def shuffled(m: Corners, x: Tensor) -> Tensor:
    left, right = m.a(x).relu().chunk(2, 1)
    return m.head(mixed(torch.cat([left, m.depth(right)], 1)).mean((2, 3)))


def recurrent(m: Corners, x: Tensor) -> Tensor:
    states, _ = m.gru(x[:, 0])
    return m.head(m.hidden(states[:, -1]).relu())


CORNERS: dict[str, Callable[[], nn.Module]] = {
    "a layer that runs twice": lambda: Corners(
        twice,
        a=nn.Conv2d(1, 8, 3, padding=1),
        b=nn.Conv2d(8, 8, 3, padding=1),
        norm=nn.BatchNorm2d(8),
        head=nn.Linear(8, 2),
    ),
    "joined and normalised together": lambda: Corners(
        densely,
        a=nn.Conv2d(1, 4, 3, padding=1),
        b=nn.Conv2d(4, 4, 3, padding=1),
        norm=nn.BatchNorm2d(8),
        c=nn.Conv2d(8, 6, 3),
        head=nn.Linear(6, 2),
    ),
    "a scale and a buffer of its own": lambda: Corners(
        own_scale, a=nn.Conv2d(1, 8, 3), b=nn.Conv2d(8, 6, 3), head=nn.Linear(6, 2)
    ),
    "channels shuffled": lambda: Corners(
        shuffled,
        a=nn.Conv2d(1, 8, 1),
        depth=nn.Conv2d(4, 4, 3, groups=4, padding=1),
        head=nn.Linear(8, 2),
    ),
    "transposed in groups": lambda: nn.Sequential(
        *(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.ConvTranspose2d(8, 8, 2, groups=8), nn.ReLU()),
        *(nn.ConvTranspose2d(8, 4, 2, groups=2), nn.Flatten(), nn.Linear(4 * 12 * 12, 2)),
    ),
    "weight norm": lambda: nn.Sequential(
        *(nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 8, 3)), nn.ReLU()),
        *(nn.Conv2d(8, 6, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 2)),
    ),
    "recurrent": lambda: Corners(
        recurrent,
        gru=nn.GRU(12, 6, batch_first=True),
        hidden=nn.Linear(6, 10),
        head=nn.Linear(10, 2),
    ),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm.*")
@pytest.mark.parametrize("name", CORNERS)
def test_networks_with_corners(name: str) -> None:
    data = torch.randn(40, 1, 12, 12), torch.arange(40) % 2
    bench = pv.open(CORNERS[name]().eval(), data)
    assert bench.groups.groups
    assert not [why for why in bench.groups.fixed.values() if "trial" in why]
    for ratio in (0.25, 0.6):
        plan = Plan("random", "neuron", sparsity=dict.fromkeys(bench.groups.groups, ratio))
        pruned = bench.prune(plan)
        small = pruned.shrink()
        inputs = bench.source.validation.inputs
        assert close(answers(small, inputs), answers(pruned.model, inputs))
        assert parameters(small) == bench.counts(plan).params_shrunk


def test_each_module_stays_in_its_mode() -> None:
    model = nn.Sequential(
        *(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4).eval(), nn.ReLU(), nn.Flatten()),
        *(nn.Dropout(), nn.Linear(4 * 9, 2)),
    )
    bench = pv.open(model, (torch.randn(40, 1, 5, 5), torch.arange(40) % 2))
    for plan in (Plan(), Plan("l2", "neuron", sparsity={"0": 0.5})):
        small = bench.prune(plan).shrink()
        assert [m.training for m in small.modules()] == [m.training for m in model.modules()]
    assert model.training
    assert not model[1].training


def test_every_answer_of_several_keeps_its_shape() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.head = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 2)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            features = self.one(x).relu()
            return self.head(self.two(features).relu()), features

    bench = pv.open(Two().eval(), (torch.randn(40, 6), torch.arange(40) % 2))
    assert list(bench.groups.groups) == ["two"]
    assert bench.groups.fixed["one"] == "it is the network's answer"
    small = bench.prune(Plan("l2", "neuron", sparsity={"two": 0.5})).shrink()
    assert [t.shape for t in small(torch.randn(3, 6))] == [(3, 2), (3, 8)]


# -- rounding ------------------------------------------------------------------------------


class Rough(nn.Module):
    """Blows its own rounding up, so that no short number can tell a mistake from it."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.head = nn.Linear(4, 64), nn.Linear(64, 32), nn.Linear(32, 3)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.head((self.two(self.one(x).relu()) * 3e3).sin())
        return answer


@pytest.fixture(
    params=slow_but(
        lambda dtype: dtype == torch.bfloat16, [torch.float32, torch.bfloat16, torch.float16]
    ),
    ids=str,
)
def rough(request: pytest.FixtureRequest) -> Workbench:
    torch.manual_seed(0)
    return pv.open(Rough().to(request.param).eval(), torch.randn(40, 4))


def test_where_rounding_hides_the_proof_it_is_made_in_double(rough: Workbench) -> None:
    pruned = rough.prune(Plan("l2", "neuron", sparsity={"one": 0.5}))
    proof = pruned.removal().proof
    assert proof is not None
    assert proof.precision == "double"
    assert proof.difference < 1e-9
    assert "double precision" in proof.words
    small = pruned.shrink()
    assert small.one.out_features == 32
    assert small.one.weight.dtype == rough.source.model.one.weight.dtype


@pytest.mark.parametrize("places", slow_but(lambda places: places == 1, [1, 2]))
def test_a_wrong_cut_is_refused_there_too(rough: Workbench, places: int) -> None:
    """A group that forgets where its units are read, or a bias, is no rounding."""
    group = rough.groups.groups["one"]
    one = replace(group, places=group.places[:places])
    pruned = rough.prune(Plan("l2", "neuron", sparsity={"one": 0.5}))
    with pytest.raises(ValueError, match="group 'one' cannot be removed here: "):
        replace(pruned, groups=Groups({**rough.groups.groups, "one": one})).shrink()


def test_a_cut_of_one_unit_that_was_not_masked_is_refused(rough: Workbench) -> None:
    """However little it weighs: far less than a step of the network's own numbers."""
    model = copy.deepcopy(rough.source.model)
    with torch.no_grad():
        model.two.weight[:, 7] *= 1e-3
    kept = {"one": torch.arange(64) != 7}
    with pytest.raises(ValueError, match="group 'one' cannot be removed here: its answers differ"):
        shrink(model, rough.groups, kept, rough.graph.example)


def test_a_plain_network_is_proved_in_its_own_precision(bench: Workbench) -> None:
    proof = bench.prune(halved(bench)).removal().proof
    assert proof is not None
    assert proof.precision == "float32"
    assert proof.difference < 1e-5


def test_what_it_shares_is_given_away_to_nobody(bench: Workbench) -> None:
    """`removal` shares what it did not cut, `shrink` shares nothing."""
    pruned, dense = bench.prune(halved(bench)), bench.source.model
    own = {p.data_ptr() for p in dense.parameters()}
    shared = [p.data_ptr() in own for p in pruned.removal().network.parameters()]
    assert any(shared)
    assert not any(p.data_ptr() in own for p in pruned.shrink().parameters())
