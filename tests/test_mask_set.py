"""Does what is cut stay exactly zero at every step, whatever trains and whatever cuts?"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.sources import Source
from pruneviz.training import Moment, Trained, Training, train
from pruneviz.training.mask_set import MaskSet
from pruneviz.training.run import Run
from pruneviz.workbench import Workbench
from tests.cases import slow_but

Benches = Callable[[str], Workbench]
WEIGHTS = Plan(sparsity={"fc1": 0.9, "fc2": 0.8})
FEW = {"epochs": 2, "samples": 96, "batch": 16, "every": 3}


class Witness:
    """Looks at the run before each step: is what is cut zero, in weights and optimiser alike?"""

    def __init__(self) -> None:
        self.run: Run | None = None
        self.steps, self.masks = 0, []

    def watch(self, moment: Moment) -> None:
        self.run = moment.run
        self.masks.append({n: m.clone() for n, m in moment.run.masks.parameters.items()})

    def progress(self, label: str, done: float) -> None:
        assert self.run is not None
        self.steps += 1
        parameters = dict(self.run.network.named_parameters(remove_duplicate=False))
        for name, mask in self.run.masks.parameters.items():
            assert not parameters[name].detach()[~mask].any(), (name, label)
            for key, value in self.run.optimizer.state.get(parameters[name], {}).items():
                if isinstance(value, Tensor) and value.shape == mask.shape:
                    assert not value[~mask].any(), (name, key, label)


def witnessed(bench: Workbench, plan: Plan, **settings: object) -> tuple[Trained, Witness]:
    witness = Witness()
    training = Training(**{**FEW, **settings})
    trained = train(bench, plan, training, progress=witness.progress, watch=witness.watch)
    assert witness.steps
    for name, mask in trained.masks.items():
        layer = bench.layer_of[name]
        weight = trained.model.get_parameter(layer.weight)
        # A negative zero is a zero, but makes a file larger.
        assert not torch.signbit(weight[weight == 0]).any(), name
        if trained.model.get_parameter(layer.weight).shape == layer.shape:
            assert not trained.model.get_parameter(layer.weight)[~mask].any()
    return trained, witness


OPTIMIZERS = [
    {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9, "weight_decay": 0.1},
    {"optimizer": "adam", "learning_rate": 0.01, "weight_decay": 0.1},
    {"optimizer": "adamw", "learning_rate": 0.01, "weight_decay": 0.5},
]


QUICK = {
    "sgd": ("one-shot", "gradual"),
    "adam": ("one-shot", "set", "l1"),
    "adamw": ("one-shot", "rigl"),
}


@pytest.mark.parametrize(
    ("method", "optimizer"),
    slow_but(
        lambda method, optimizer: method in QUICK[optimizer["optimizer"]],
        itertools.product(["one-shot", "gradual", "set", "rigl", "l1"], OPTIMIZERS),
    ),
)
def test_no_cut_weight_ever_moves(
    benches: Benches, method: str, optimizer: dict[str, object]
) -> None:
    trained, witness = witnessed(benches("lenet300"), WEIGHTS, method=method, **optimizer)
    found = {n: 1 - float(m.float().mean()) for n, m in trained.masks.items()}
    assert found["fc1"] == pytest.approx(0.9, abs=0.01)
    assert found["fc2"] == pytest.approx(0.8, abs=0.01)  # grown ones that no gradient met are zero
    assert found["fc3"] == 0
    assert witness.steps == 12


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.AdamW])
def test_momentum_gathered_before_the_cut_does_not_revive(kind: type) -> None:
    """The defect of filter-pruning-geometric-median#47, by hand on a 2×2 weight."""
    layer = nn.Linear(2, 2, bias=False)
    more = {"momentum": 0.9} if kind is torch.optim.SGD else {}
    optimizer = kind(layer.parameters(), 0.1, weight_decay=0.1, **more)
    for _ in range(3):
        layer.weight.grad = torch.ones(2, 2)
        optimizer.step()
    held = MaskSet({"weight": torch.tensor([[True, False], [False, True]])})
    held.hold_weights_(layer)
    held.hold_momentum_(layer, optimizer)
    grip = held.grip(layer)
    for _ in range(3):
        layer.weight.grad = torch.ones(2, 2)
        grip.hold_gradients_()
        optimizer.step()  # the weights are not held here: they must not move by themselves
        assert layer.weight.detach()[0, 1] == layer.weight.detach()[1, 0] == 0
        assert layer.weight.detach()[0, 0] != 0
    assert held.count_revived(layer) == {}
    assert held.gone == 2
    with torch.no_grad():
        layer.weight[0, 1] = 1e-30
    assert held.count_revived(layer) == {"weight": 1}


def test_masks_of_a_pruning_method_only_grow(benches: Benches) -> None:
    _, witness = witnessed(benches("lenet300"), WEIGHTS, method="gradual", every=1)
    gone = [sum(int((~m).sum()) for m in masks.values()) for masks in witness.masks]
    assert len({*gone}) > 4
    assert gone == sorted(gone)
    for before, after in zip(witness.masks, witness.masks[1:], strict=False):
        assert all(not (after[n] & ~mask).any() for n, mask in before.items())


def _fits(granularity: str) -> list[str]:
    return [
        name
        for name, criterion in CRITERIA.items()
        if granularity in (criterion.granularities or (granularity,))
    ]


@pytest.mark.parametrize(
    ("criterion", "scope"),
    slow_but(
        lambda criterion, scope: scope == "layer" or criterion in ("magnitude", "taylor"),
        itertools.product(_fits("weight"), ["layer", "global"]),
    ),
)
def test_every_criterion_of_weights_cuts_exactly_while_it_trains(
    benches: Benches, criterion: str, scope: str
) -> None:
    plan = Plan(criterion, scope=scope, sparsity={"fc2": 0.75, "fc3": 0.75})
    _trained, witness = witnessed(
        benches("lenet300"), plan, method="gradual", epochs=1, samples=48, every=1, end=0.9
    )
    cut = sum(int((~witness.masks[-1][f"{n}.weight"]).sum()) for n in ("fc2", "fc3"))
    assert cut == round(0.75 * 30_000) + round(0.75 * 1_000)
    if scope == "layer":
        assert int((~witness.masks[-1]["fc3.weight"]).sum()) == 750


@pytest.mark.parametrize("criterion", slow_but(lambda name: name != "bn_scale", _fits("neuron")))
def test_every_criterion_of_units_cuts_exactly_while_it_trains(
    benches: Benches, criterion: str
) -> None:
    bench = benches("resnet20" if criterion == "bn_scale" else "lenet5")
    names = ("layer1.0.conv1", "layer2.1.conv1") if criterion == "bn_scale" else ("conv1", "fc1")
    plan = Plan(criterion, "neuron", sparsity=dict.fromkeys(names, 0.5))
    _, witness = witnessed(bench, plan, method="gradual", epochs=1, samples=48, every=2, end=0.9)
    assert witness.run is not None
    units = {n: int((~line).sum()) for n, line in witness.run.masks.units.items()}
    expected = {n: round(0.5 * bench.layer_of[n].units) for n in names}
    assert {bench.graph_cache.groups.lead(n): c for n, c in expected.items()} == units


@pytest.mark.slow
def test_heads_and_packed_projections(benches: Benches) -> None:
    bench = benches("vit")
    heads = [
        n for n in bench.layer_of if bench.graph_cache.groups.of(n) is not None and "attn" in n
    ]
    plan = Plan("l2", "head", sparsity=dict.fromkeys(heads[:1] or list(bench.layer_of)[:1], 0.5))
    few = {"epochs": 1, "samples": 24, "batch": 8, "end": 0.9, "every": 1}
    if heads:
        witnessed(bench, plan, method="gradual", **few)
    every = Plan(sparsity=dict.fromkeys([*bench.layer_of][:-1], 0.8))
    trained, _witness = witnessed(bench, every, method="rigl", **few)
    for name in every.sparsity:
        count = int((~trained.masks[name]).sum())
        assert count >= round(0.8 * bench.layer_of[name].size) - 1


def test_n_of_m(benches: Benches) -> None:
    plan = Plan(granularity="2:4", sparsity={"fc1": 0.5, "fc2": 0.5})
    trained, _ = witnessed(benches("lenet300"), plan, method="gradual")
    for name in plan.sparsity:
        assert (trained.masks[name].reshape(-1, 4).sum(1) == 2).all()


def test_what_is_pinned_by_hand_stays_as_it_is(benches: Benches) -> None:
    pinned = {"fc2": {"0:2,0:300": True, "5:6,0:300": False}}
    plan = Plan(sparsity={"fc2": 0.9}, pinned=pinned)
    _, witness = witnessed(benches("lenet300"), plan, method="gradual", every=1)
    for masks in witness.masks[2:]:
        assert masks["fc2.weight"][:2].all()
        assert not masks["fc2.weight"][5].any()
    assert int((~witness.masks[-1]["fc2.weight"]).sum()) == 27_000


def test_the_plan_that_comes_out_gives_the_same_masks(benches: Benches) -> None:
    bench = benches("lenet5")
    for plan, method in (
        (Plan(sparsity={"conv2": 0.7, "fc1": 0.9}), "rigl"),
        (Plan("l2", "neuron", sparsity={"conv1": 0.3, "fc1": 0.5}), "gradual"),
    ):
        trained, _ = witnessed(bench, plan, method=method)
        after = Workbench(trained.source("after"))
        masks = after.prune(trained.plan).masks
        assert all(torch.equal(masks[n], trained.masks[n]) for n in masks)
        assert after.evaluate(trained.plan).accuracy == trained.table["accuracy"].iloc[-1]


class Tied(nn.Module):
    """A table of words whose weight is that of the last layer too."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.head = nn.Embedding(20, 8), nn.Linear(8, 20, bias=False)
        self.head.weight = self.words.weight

    def forward(self, words: Tensor) -> Tensor:
        return self.head(self.words(words).mean(1).relu())


@pytest.mark.parametrize("method", ["one-shot", "gradual", "rigl"])
def test_a_tied_weight_is_held_and_counted_once(method: str) -> None:
    data = Data(torch.randint(0, 20, (32, 4)), torch.arange(32) % 20)
    names = tuple(map(str, range(20)))
    bench = Workbench(Source("tied", Tied().eval(), data, data, names, training=data))
    plan = Plan(sparsity=dict.fromkeys(bench.layer_of, 0.75))
    few = {"samples": 32, "batch": 8, "every": 1, "optimizer": "sgd", "learning_rate": 0.5}
    trained, _ = witnessed(bench, plan, method=method, **few)
    left = int(trained.model.head.weight.count_nonzero())
    assert trained.model.head.weight is trained.model.words.weight
    assert 30 <= left <= 40
    assert trained.table["size"].iloc[-1] == 160
    if method != "rigl":
        assert trained.table["params"].iloc[-1] == left == 40
