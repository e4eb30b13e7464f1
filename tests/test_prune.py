"""Does a plan cut exactly what it asks for, whatever the criterion, scope and granularity?"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.pruned import Pruned
from pruneviz.workbench import Workbench
from tests.cases import slow_but

NETWORKS = ("lenet300", "lenet5", "resnet20", "vit")


# -- a toy whose output is known -----------------------------------------------------------


@pytest.fixture
def toy() -> nn.Module:
    """Weights 0..9, so that inputs of one give the sum of the weights that are kept."""
    model = nn.Linear(10, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.arange(10.0).unsqueeze(0))
    return model


@pytest.mark.parametrize(
    ("sparsity", "output"),
    [(0.0, 45), (0.1, 45), (0.2, 44), (0.25, 44), (0.35, 39), (0.5, 35), (0.9, 9), (1.0, 0)],
)
def test_the_toy_answers_the_sum_of_what_is_kept(
    toy: nn.Module, sparsity: float, output: int
) -> None:
    pruned = pv.prune(toy, Plan(sparsity={"": sparsity}))
    assert pruned.model(torch.ones(1, 10)).item() == output
    assert toy(torch.ones(1, 10)).item() == 45


@pytest.mark.parametrize(
    ("granularity", "output"),
    [("2:4", 2 + 3 + 6 + 7 + 8 + 9), ("1:5", 4 + 9), ("1:2", 1 + 3 + 5 + 7 + 9)],
)
def test_the_toy_under_a_pattern(toy: nn.Module, granularity: str, output: int) -> None:
    pruned = pv.prune(toy, Plan(granularity=granularity, sparsity={"": 0.5}))
    assert pruned.model(torch.ones(1, 10)).item() == output


def test_the_toy_loses_negative_weights_by_their_size(toy: nn.Module) -> None:
    with torch.no_grad():
        toy.weight[0, 9] = -9
    pruned = pv.prune(toy, Plan(sparsity={"": 0.9}))
    assert pruned.model(torch.ones(1, 10)).item() == -9


def test_the_report_tells_asked_and_got(toy: nn.Module) -> None:
    report = pv.prune(toy, Plan(sparsity={"": 0.25})).report
    assert list(report.columns) == ["layer", "asked", "got", "kept", "total", "collapse"]
    assert report.iloc[0].tolist() == ["", 0.25, pytest.approx(0.2), 8, 10, ""]


# -- laws over criteria, scopes and granularities on the sample networks --------------------


@dataclass
class Case:
    """One combination on one network; what it prunes at each level is worked out once."""

    bench: Workbench
    plan: Plan
    layers: tuple[str, ...]
    done: dict[float, Pruned] = field(default_factory=dict)

    def at(self, level: float) -> Pruned:
        """All of the layers at one sparsity."""
        if level not in self.done:
            self.done[level] = self.bench.prune(self.asks(level))
        return self.done[level]

    def asks(self, level: float) -> Plan:
        return replace(self.plan, sparsity=dict.fromkeys(self.layers, level))

    def kept(self, level: float) -> dict[str, Tensor]:
        """Items kept: weights, or whole units."""
        pruned = self.at(level)
        if self.plan.granularity != "neuron":
            return {name: pruned.masks[name] for name in self.layers}
        if self.asks(level).is_dense:
            return {lead: torch.ones(self.units(lead), dtype=torch.bool) for lead in self.leads}
        return {lead: pruned.units[lead] for lead in self.leads}

    @property
    def leads(self) -> list[str]:
        """Coupled layers are one by the name of the first."""
        return list(dict.fromkeys(self.bench.groups.lead(name) for name in self.layers))

    def units(self, lead: str) -> int:
        group = self.bench.groups.of(lead)
        return self.bench.layer_of[lead].units if group is None else group.units

    def pools(self, level: float) -> Iterator[tuple[Tensor, Tensor]]:
        """(scores, kept) of the items that compete with each other."""
        kept, scores = self.kept(level), self.at(level).scores
        pairs = [(scores[name].flatten(), items.flatten()) for name, items in kept.items()]
        if self.plan.scope == "layer":
            yield from pairs
        else:
            yield torch.cat([s for s, _ in pairs]), torch.cat([k for _, k in pairs])


# -- combinations that are refused ---------------------------------------------------------


@pytest.mark.parametrize(
    ("criterion", "granularity"),
    [
        (c.name, g)
        for c in CRITERIA.values()
        for g in ("weight", "neuron", "2:4")
        if not c.allows(g)
    ],
)
def test_a_criterion_undefined_for_a_granularity_is_refused(
    benches: Callable[[str], Workbench], criterion: str, granularity: str
) -> None:
    plan = Plan(criterion, granularity, sparsity={"fc1": 0.5})
    with pytest.raises(ValueError, match=f"'{criterion}' is not defined .*'{granularity}'"):
        benches("lenet5").prune(plan)


def test_batch_norm_scale_is_refused_where_there_is_none(bench: Workbench) -> None:
    last = "head" if bench.name == "vit" else list(bench.layer_of)[-1]
    plan = Plan("bn_scale", "neuron", sparsity={last: 0.5})
    with pytest.raises(ValueError, match=f"'bn_scale': layer '{last}' has no 'scale': no batch"):
        bench.prune(plan)


@pytest.mark.parametrize("criterion", [c.name for c in CRITERIA.values() if c.needs])
def test_a_criterion_without_its_evidence_is_refused(
    benches: Callable[[str], Workbench], criterion: str
) -> None:
    granularity = next(filter(CRITERIA[criterion].allows, ("weight", "neuron", "block")))
    blocks = granularity == "block"
    bench, name = (benches("vit"), "blocks.0.attn.qkv") if blocks else (benches("lenet5"), "fc3")
    plan = Plan(criterion, granularity, sparsity={name: 1.0 if blocks else 0.5})
    # The last layer: what reads the others is known.
    with pytest.raises(ValueError, match=f"criterion '{criterion}': layer '{name}' has no "):
        pv.prune(bench.source.model, plan, graph=bench.graph)


@pytest.mark.parametrize("granularity", ["neuron", "head"])
def test_whole_units_are_refused_without_a_graph(granularity: str) -> None:
    with pytest.raises(ValueError, match=f"granularity '{granularity}' needs the network's graph"):
        pv.prune(nn.Linear(4, 3), Plan(granularity=granularity, sparsity={"": 0.5}))


def test_the_only_unit_of_a_layer_is_refused(toy: nn.Module) -> None:
    with pytest.raises(ValueError, match="layer '' cannot be pruned so: it has one neuron only"):
        pv.prune(toy, Plan(granularity="neuron", sparsity={"": 0.5}))


@pytest.mark.parametrize("level", [0.0, 0.5])
def test_an_unknown_layer_is_refused_with_those_there_are(bench: Workbench, level: float) -> None:
    first = next(iter(bench.layer_of))
    with pytest.raises(ValueError, match=f"no layer 'nope' to prune; there are {first}"):
        bench.prune(Plan(sparsity={"nope": level}))


def test_an_unknown_criterion_is_refused_even_where_nothing_is_asked(toy: nn.Module) -> None:
    with pytest.raises(ValueError, match="unknown criterion 'nope'; known are magnitude"):
        pv.prune(toy, Plan("nope"))


def test_nan_weights_are_refused_by_layer(toy: nn.Module) -> None:
    with torch.no_grad():
        toy.weight[0, 3] = float("nan")
    with pytest.raises(ValueError, match=r"not finite in layer ''; look for NaN"):
        pv.prune(toy, Plan(sparsity={"": 0.5}))


# -- ties ----------------------------------------------------------------------------------


@pytest.mark.parametrize("bench", slow_but(lambda name: "lenet" in name, NETWORKS), indirect=True)
def test_counts_are_exact_when_all_scores_tie(bench: Workbench) -> None:
    model = copy.deepcopy(bench.source.model)
    for layer in bench.layer_of.values():
        nn.init.constant_(model.get_parameter(layer.weight), 0.5)
    tied = Workbench(replace(bench.source, model=model))
    for granularity, scope in itertools.product(("weight", "neuron"), ("layer", "global")):
        case = Case(tied, Plan("magnitude", granularity, scope), tuple(bench.layer_of))
        for level in (0.1, 0.5, 0.77):
            for scores, kept in case.pools(level):
                assert int((~kept).sum()) == round(level * len(scores)), case.plan
    pattern = Case(tied, Plan("magnitude", "2:4"), tuple(bench.layer_of))
    for name, mask in pattern.at(0.5).masks.items():
        fan_in = bench.layer_of[name].size // bench.layer_of[name].units
        assert int((~mask).sum()) == bench.layer_of[name].units * (fan_in // 4) * 2


# -- the same plan, the same masks ---------------------------------------------------------


@pytest.mark.parametrize("name", slow_but(lambda name: name == "lenet5", NETWORKS))
def test_a_fresh_workbench_makes_the_same_masks(
    benches: Callable[[str], Workbench], new_bench: Callable[[str], Workbench], name: str
) -> None:
    bench, fresh = benches(name), new_bench(name)
    assert fresh.fingerprint == bench.fingerprint
    for criterion in CRITERIA.values():
        granularity = next(filter(criterion.allows, ("weight", "neuron", "block")))
        out = bench.cannot(Plan(criterion.name, granularity))
        layers = [name for name in bench.layer_of if name not in out]
        plan = Plan(criterion.name, granularity, "global", dict.fromkeys(layers, 0.5), seed=3)
        one, other = (b.prune(plan).parameter_masks for b in (bench, fresh))
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one), criterion.name


@pytest.mark.parametrize(
    "bench", slow_but(lambda name: name in ("lenet5", "vit"), NETWORKS), indirect=True
)
def test_the_pure_function_makes_the_workbenchs_masks(bench: Workbench) -> None:
    for criterion, granularity, scope in (
        ("magnitude", "weight", "layer"),
        ("taylor", "weight", "global"),
        ("wanda", "2:4", "layer"),
        ("fpgm", "neuron", "layer"),
        ("activation", "neuron", "global"),
    ):
        plan = Plan(criterion, granularity, scope, dict.fromkeys(bench.layer_of, 0.4))
        pure = pv.prune(bench.source.model, plan, bench.evidence(), bench.graph)
        kept = bench.prune(plan)
        assert pure.parameter_masks.keys() == kept.parameter_masks.keys()
        for name, mask in pure.parameter_masks.items():
            assert torch.equal(mask, kept.parameter_masks[name]), (criterion, name)


def test_another_seed_draws_another_mask(benches: Callable[[str], Workbench]) -> None:
    plans = [Plan("random", sparsity={"fc1": 0.5}, seed=seed) for seed in (0, 1)]
    one, other = (benches("lenet5").prune(plan).masks["fc1"] for plan in plans)
    assert not torch.equal(one, other)


def test_one_layers_level_does_not_move_anothers_mask(bench: Workbench) -> None:
    first, second = list(bench.layer_of)[:2]
    for criterion in ("magnitude", "random"):
        one = bench.prune(Plan(criterion, sparsity={first: 0.3, second: 0.6}))
        other = bench.prune(Plan(criterion, sparsity={second: 0.6}))
        assert torch.equal(one.masks[second], other.masks[second])
