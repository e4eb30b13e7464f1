"""Does a plan cut exactly what it asks for, whatever the criterion, scope and granularity?"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune as torch_prune

import pruneviz as pv
from pruneviz.network.graph import belongings
from pruneviz.network.layers import find_layers
from pruneviz.network.replica import apply_masks, fingerprint, replica, state
from pruneviz.plan import Plan, pattern
from pruneviz.pruning.criteria import CRITERIA, Criterion
from pruneviz.pruning.evidence import weights_only
from pruneviz.pruning.pruned import Pruned
from pruneviz.workbench import Workbench
from tests.cases import slow_but

NETWORKS = ("lenet300", "lenet5", "resnet20", "vit")
LOW, HIGH = 0.3, 0.9


def outputs(bench: Workbench, pruned: Pruned, n: int = 4) -> Tensor:
    """What the masked network answers, as the app computes it: parameters swapped, none written."""
    model, inputs = bench.source.model, bench.source.validation.inputs[:n]
    parameters = apply_masks(state(model), pruned.parameter_masks)
    with torch.inference_mode():
        return torch.func.functional_call(replica(model), parameters, (inputs,))


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


def combinations(name: str, criterion: Criterion) -> Iterator[Plan]:
    """The plans that a criterion can make for a sample network."""
    if criterion.name == "bn_scale" and name != "resnet20":
        return
    for granularity in ("weight", "neuron"):
        for scope, relative in (("layer", False), ("global", False), ("global", True)):
            if criterion.allows(granularity):
                yield Plan(criterion.name, granularity, scope, relative=relative)


def patterns() -> Iterator[Plan]:
    for criterion in CRITERIA.values():
        if criterion.allows("2:4"):
            yield Plan(criterion.name, "2:4")
    yield Plan("magnitude", "1:4")
    yield Plan("magnitude", "3:7")


def case_of(bench: Workbench, plan: Plan) -> Case:
    cannot = bench.cannot(plan) if plan.granularity == "neuron" else {}
    return Case(bench, plan, tuple(name for name in bench.layer_of if name not in cannot))


PAIRS = [(n, c) for n in NETWORKS for c in CRITERIA.values() if [*combinations(n, c)]]


def tells_most(pair: tuple[str, Criterion]) -> bool:
    """Every criterion on lenet5, and on the other networks what is there only: couplings, batch
    norm, heads.
    """
    network, criterion = pair
    few = {
        "lenet300": ("magnitude",),
        "lenet5": tuple(CRITERIA),
        "resnet20": ("bn_scale",),
        "vit": ("wanda",),
    }
    return criterion.name in few[network]


@pytest.fixture(
    scope="module",
    params=slow_but(tells_most, [(pair,) for pair in PAIRS]),
    ids=lambda pair: f"{pair[0]}-{pair[1].name}",
)
def cases(request: pytest.FixtureRequest, benches: Callable[[str], Workbench]) -> list[Case]:
    """All granularities and scopes of a criterion on a network."""
    return [case_of(benches(request.param[0]), plan) for plan in combinations(*request.param)]


@pytest.fixture(scope="module", params=slow_but(lambda name: name == "lenet5", NETWORKS))
def pattern_cases(
    request: pytest.FixtureRequest, benches: Callable[[str], Workbench]
) -> list[Case]:
    return [case_of(benches(request.param), plan) for plan in patterns()]


def test_counts_are_exact(cases: list[Case]) -> None:
    for case in cases:
        for level in (LOW, HIGH):
            for scores, kept in case.pools(level):
                assert int((~kept).sum()) == round(level * len(scores)), case.plan


def test_every_pruned_score_is_at_most_every_kept_one(cases: list[Case]) -> None:
    for case in cases:
        for level in (LOW, HIGH):
            for scores, kept in case.pools(level):
                if kept.any() and not kept.all():
                    assert scores[~kept].max() <= scores[kept].min(), case.plan


def test_more_sparsity_prunes_a_superset(cases: list[Case]) -> None:
    for case in cases:
        low, high = case.at(LOW).parameter_masks, case.at(HIGH).parameter_masks
        assert low.keys() == high.keys()
        assert all(torch.all(low[name] | ~high[name]) for name in low), case.plan


def test_nothing_and_everything_are_exactly_that(cases: list[Case]) -> None:
    for case in cases:
        assert all(mask.all() for mask in case.at(0.0).masks.values()), case.plan
        assert not any(kept.any() for kept in case.kept(1.0).values()), case.plan


def test_the_report_agrees_with_the_masks(cases: list[Case]) -> None:
    for case in cases:
        pruned, by_unit = case.at(HIGH), case.plan.granularity == "neuron"
        asked = {case.bench.groups.lead(name) if by_unit else name for name in case.layers}
        for row in pruned.report.itertuples():
            mask = pruned.masks[row.layer]
            lead = case.bench.groups.lead(row.layer) if by_unit else row.layer
            items = pruned.units[lead] if by_unit and lead in pruned.units else mask
            left = float(items.double().mean()) if lead in asked else 1
            assert (row.kept, row.total) == (int(mask.sum()), mask.numel()), case.plan
            assert abs(row.got - (1 - left)) < 1e-6, case.plan
            assert row.got == pruned.sparsity[row.layer], case.plan
            assert row.asked == (HIGH if lead in asked else 0), case.plan
            assert (row.layer in pruned.collapse) == (row.kept == 0), case.plan


def lost_with_units(case: Case, pruned: Pruned) -> dict[str, Tensor]:
    """What goes of each tensor, worked out from the groups and the layers by hand."""
    groups, dense = case.bench.groups, state(case.bench.source.model)
    gone: dict[str, Tensor] = {}

    def lose(name: str, dim: int, line: Tensor) -> None:
        lost = torch.zeros(dense[name].shape, dtype=torch.bool)
        lost.index_fill_(dim, line.nonzero().flatten(), True)
        gone[name] = gone[name] | lost if name in gone else lost

    for lead, kept in pruned.units.items():
        if lead in groups.groups:
            for place in groups.groups[lead].places:
                lose(place.tensor, place.dim, (place.unit >= 0) & ~kept[place.unit])
        else:
            layer = case.bench.layer_of[lead]
            for name in (layer.weight, *belongings(case.bench.graph, layer)):
                lose(name, 0, ~kept)
    return gone


def test_what_goes_with_a_unit_is_cut_everywhere_and_nothing_else(cases: list[Case]) -> None:
    for case in cases:
        pruned = case.at(HIGH)
        if case.plan.granularity != "neuron":
            weights = {case.bench.layer_of[name].weight for name in case.layers}
            assert set(pruned.parameter_masks) == weights, case.plan
            continue
        gone = lost_with_units(case, pruned)
        parameters = dict(case.bench.source.model.named_parameters())
        assert set(pruned.parameter_masks) == set(gone) & set(parameters), case.plan
        for name, mask in pruned.parameter_masks.items():
            assert torch.equal(~mask, gone[name]), (name, case.plan)


def test_from_dense_to_ninety_and_back_is_bit_identical(cases: list[Case]) -> None:
    bench = cases[0].bench
    dense = bench.source.model(bench.source.validation.inputs[:4])
    for case in cases:
        there = outputs(bench, bench.prune(case.asks(HIGH)))
        back = outputs(bench, bench.prune(case.asks(0.0)))
        assert not torch.equal(there, dense), case.plan
        assert torch.equal(back, dense), case.plan


def test_a_pattern_never_keeps_more_than_n_of_m(pattern_cases: list[Case]) -> None:
    for case in pattern_cases:
        n, m = pattern(case.plan.granularity) or (0, 0)
        for name, mask in case.at(1 - n / m).masks.items():
            channels_last = mask.permute(0, *range(2, mask.ndim), 1).flatten(1)
            whole = channels_last.shape[1] // m * m
            groups = channels_last[:, :whole].reshape(len(mask), -1, m)
            assert torch.all(groups.sum(2) == n), (name, case.plan)
            assert channels_last[:, whole:].all(), f"what is left over is kept: {name}, {case.plan}"


def test_a_pattern_keeps_the_best_of_each_group(pattern_cases: list[Case]) -> None:
    for case in pattern_cases:
        n, m = pattern(case.plan.granularity) or (0, 0)
        pruned = case.at(1 - n / m)
        for name, mask in pruned.masks.items():
            order = (0, *range(2, mask.ndim), 1)
            rows = [x.permute(order).flatten(1) for x in (mask, pruned.scores[name])]
            whole = rows[0].shape[1] // m * m
            if whole:
                kept, scores = (x[:, :whole].reshape(len(mask), -1, m) for x in rows)
                worst_kept = scores.masked_fill(~kept, torch.inf).amin(2)
                best_cut = scores.masked_fill(kept, -torch.inf).amax(2)
                assert torch.all(best_cut <= worst_kept), (name, case.plan)


def test_a_pattern_returns_to_dense_bit_by_bit(pattern_cases: list[Case]) -> None:
    bench = pattern_cases[0].bench
    dense = bench.source.model(bench.source.validation.inputs[:4])
    for case in pattern_cases:
        outputs(bench, case.at(0.9))
        back = outputs(bench, bench.prune(case.asks(0.0)))
        assert torch.equal(back, dense), case.plan


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
    bench = benches("lenet5")
    granularity = "weight" if CRITERIA[criterion].allows("weight") else "neuron"
    plan = Plan(criterion, granularity, sparsity={"fc3": 0.5})  # what reads the others is known
    with pytest.raises(ValueError, match=f"criterion '{criterion}': layer 'fc3' has no "):
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
        granularity = "weight" if criterion.allows("weight") else "neuron"
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


def test_only_layers_that_are_named_compete_in_the_pool(bench: Workbench) -> None:
    first, second, *others = bench.layer_of
    pruned = bench.prune(Plan(scope="global", sparsity={first: 0.5, second: 0.0}))
    asked = round(0.5 * bench.layer_of[first].size)
    assert sum(int((~pruned.masks[name]).sum()) for name in (first, second)) == asked
    assert all(pruned.masks[name].all() for name in others)


def test_relative_scores_have_length_one_in_each_layer(bench: Workbench) -> None:
    levels = dict.fromkeys(bench.layer_of, 0.5)
    pruned = bench.prune(Plan("taylor", scope="global", sparsity=levels, relative=True))
    raw = bench.prune(Plan("taylor", scope="global", sparsity=levels))
    for name, scores in pruned.scores.items():
        torch.testing.assert_close(scores.norm().item(), 1.0)
        torch.testing.assert_close(scores * raw.scores[name].norm(), raw.scores[name])


# -- the masked network --------------------------------------------------------------------


@pytest.mark.parametrize("granularity", ["weight", "neuron", "2:4"])
def test_the_model_given_out_answers_as_the_masked_one(bench: Workbench, granularity: str) -> None:
    pruned = bench.prune(
        Plan("magnitude", granularity, sparsity=dict.fromkeys(bench.layer_of, 0.5))
    )
    inputs = bench.source.validation.inputs[:4]
    with torch.inference_mode():
        assert torch.equal(pruned.model(inputs), outputs(bench, pruned))


def test_the_model_given_out_is_the_users_own_class_with_its_keys(bench: Workbench) -> None:
    dense = bench.source.model
    pruned = bench.prune(Plan(sparsity=dict.fromkeys(bench.layer_of, 0.5)))
    assert type(pruned.model) is type(dense)
    assert list(pruned.model.state_dict()) == list(dense.state_dict())
    ours, theirs = pruned.model.state_dict(), dense.state_dict()
    for name, tensor in theirs.items():
        mask = pruned.parameter_masks.get(name)
        assert torch.equal(ours[name], tensor if mask is None else tensor * mask)
        assert ours[name].data_ptr() != tensor.data_ptr()


def test_the_dense_model_is_untouched_bit_by_bit(bench: Workbench) -> None:
    model = bench.source.model
    before = fingerprint(model)
    for granularity in ("weight", "neuron", "2:4"):
        plan = Plan("magnitude", granularity, sparsity=dict.fromkeys(bench.layer_of, 0.9))
        pruned = bench.prune(plan)
        nn.init.zeros_(next(pruned.model.parameters()))
        outputs(bench, pruned)
    assert fingerprint(model) == before


def test_the_model_given_out_is_not_the_one_that_is_kept(bench: Workbench) -> None:
    """Whoever trains the copy that was handed out must not change what others are handed."""
    plan = Plan(sparsity=dict.fromkeys(bench.layer_of, 0.61))
    before = fingerprint(bench.prune(plan).model)
    with torch.no_grad():
        next(bench.prune(plan).model.parameters()).fill_(7)
    assert fingerprint(bench.prune(plan).model) == before


def batch_norm_outputs(model: nn.Module) -> dict[str, Tensor]:
    """Filled, when the model next runs, with what each batch norm puts out."""
    seen: dict[str, Tensor] = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_hook(
                lambda module, given, output, name=name: seen.__setitem__(name, output)
            )
    return seen


def test_masked_filters_of_resnet20_leave_batch_norm_as_exact_zeros(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("resnet20")
    filters = [name for name, layer in bench.layer_of.items() if layer.kind == "conv2d"]
    assert len(filters) == 21
    for criterion, scope in (("magnitude", "layer"), ("random", "layer"), ("taylor", "global")):
        plan = Plan(criterion, "neuron", scope, dict.fromkeys(filters, 0.3))
        pruned = bench.prune(plan)
        model = pruned.model
        seen = batch_norm_outputs(model)
        with torch.inference_mode():
            model(bench.source.validation.inputs[:16])
        for name in filters:
            gone = ~pruned.units[bench.groups.lead(name)]
            norm = seen[name.replace("conv", "bn").replace("downsample.0", "downsample.1")]
            assert not norm[:, gone].any(), f"{name} under {criterion}"
        groups = {bench.groups.lead(name) for name in filters}
        cut = [int((~pruned.units[lead]).sum()) for lead in groups]
        sizes = [len(pruned.units[lead]) for lead in groups]
        if scope == "global":
            assert sum(cut) == round(0.3 * sum(sizes))
        else:
            assert cut == [round(0.3 * size) for size in sizes]


def test_a_masked_neuron_outputs_zero_without_batch_norm(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("lenet5")
    plan = Plan("l2", "neuron", sparsity=dict.fromkeys(bench.layer_of, 0.5))
    for name in bench.layer_of:
        gone = ~bench.prune(plan).units[name]
        maps = bench.feature_maps(plan, name, 0)
        assert gone.any()
        assert not maps[gone].any()


# -- oracles -------------------------------------------------------------------------------


@pytest.mark.parametrize("level", slow_but(lambda level: level > 0.5, [0.1, 0.5, 0.777, 0.95]))
def test_magnitude_is_l1_unstructured_of_torch(bench: Workbench, level: float) -> None:
    pruned = bench.prune(Plan(sparsity=dict.fromkeys(bench.layer_of, level)))
    model = copy.deepcopy(bench.source.model)
    for name in bench.layer_of:
        module = model.get_submodule(name)
        torch_prune.l1_unstructured(module, "weight", amount=level)
        assert torch.equal(pruned.masks[name], module.weight_mask.bool()), name


@pytest.mark.parametrize("level", slow_but(lambda level: level > 0.5, [0.1, 0.5, 0.777, 0.95]))
def test_global_magnitude_is_global_unstructured_of_torch(bench: Workbench, level: float) -> None:
    plan = Plan(scope="global", sparsity=dict.fromkeys(bench.layer_of, level))
    pruned = bench.prune(plan)
    model = copy.deepcopy(bench.source.model)
    torch_prune.global_unstructured(
        [(model.get_submodule(name), "weight") for name in bench.layer_of],
        pruning_method=torch_prune.L1Unstructured,
        amount=level,
    )
    for name in bench.layer_of:
        mask = model.get_submodule(name).weight_mask.bool()
        assert torch.equal(pruned.masks[name], mask), name


@pytest.mark.parametrize(("criterion", "norm"), [("magnitude", 1), ("l2", 2)])
def test_units_are_those_of_ln_structured_of_torch(
    bench: Workbench, criterion: str, norm: int
) -> None:
    plan = Plan(criterion, "neuron", sparsity=dict.fromkeys(bench.layer_of, 0.4))
    pruned = bench.prune(plan)
    model = copy.deepcopy(bench.source.model)
    apart = [name for name in pruned.units if len(bench.groups.members(name)) == 1]
    rows = [name for name in apart if "head" not in getattr(bench.groups.of(name), "word", "")]
    assert len(rows) == {"lenet300": 3, "lenet5": 5, "resnet20": 10, "vit": 14}[bench.name]
    for name in rows:
        module = model.get_submodule(name)
        amount = round(0.4 * bench.layer_of[name].units)
        torch_prune.ln_structured(module, "weight", amount=amount, n=norm, dim=0)
        oracle = module.weight_mask.flatten(1).all(1)
        assert torch.equal(pruned.units[name], oracle), name
        assert not pruned.masks[name][~oracle].any(), name


def test_torch_counts_as_we_do() -> None:
    weights = nn.Linear(5, 3)
    for k in range(31):
        mask = pv.prune(weights, Plan(sparsity={"": k / 30})).masks[""]
        oracle = copy.deepcopy(weights)
        torch_prune.l1_unstructured(oracle, "weight", amount=k / 30)
        assert torch.equal(mask, oracle.weight_mask.bool())


def test_evidence_of_the_weights_alone_is_enough_for_magnitude(toy: nn.Module) -> None:
    known = weights_only(toy, find_layers(toy))
    plan = Plan(sparsity={"": 0.5})
    assert torch.equal(pv.prune(toy, plan, known).masks[""], pv.prune(toy, plan).masks[""])
