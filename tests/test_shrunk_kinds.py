"""Is every kind of network shrunk, and in every number type?"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.network.groups import Groups
from pruneviz.network.shrink import shrink
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench
from tests.cases import slow_but
from tests.test_shrink import answers, close, halved, parameters
from tests.zoo import ALIKE, SMALL

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
@pytest.mark.parametrize("name", slow_but(lambda name: name != "recurrent", CORNERS))
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
