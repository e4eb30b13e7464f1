"""What holds of masks, whatever the criterion, granularity, scope and network?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from pruneviz.network.graph import belongings
from pruneviz.network.replica import state
from pruneviz.plan import Plan, pattern
from pruneviz.pruning.criteria import CRITERIA, Criterion
from pruneviz.pruning.pruned import Pruned
from pruneviz.workbench import Workbench
from tests.cases import slow_but
from tests.test_masked_network import outputs
from tests.test_prune import NETWORKS, Case

LOW, HIGH = 0.3, 0.9


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


# Every criterion on lenet5, and on the others one of each kind that sees what is there only: the
# couplings, batch norms and heads.
FEW = {
    "lenet300": ("magnitude",),
    "lenet5": tuple(CRITERIA),
    "resnet20": ("bn_scale", "magnitude", "group_l2", "activation", "taylor"),
    "vit": ("wanda", "group_l2", "consumer", "taylor", "obs"),
}
PAIRS = [(n, CRITERIA[c]) for n in NETWORKS for c in FEW[n] if [*combinations(n, CRITERIA[c])]]


def is_quick(pair: tuple[str, Criterion]) -> bool:
    """Of the two large networks one criterion each."""
    network, criterion = pair
    return "lenet" in network or criterion.name == FEW[network][0]


@pytest.fixture(
    scope="module",
    params=slow_but(is_quick, [(pair,) for pair in PAIRS]),
    ids=lambda pair: f"{pair[0]}-{pair[1].name}",
)
def cases(request: pytest.FixtureRequest, benches: Callable[[str], Workbench]) -> list[Case]:
    """All granularities and scopes of a criterion on a network."""
    return [case_of(benches(request.param[0]), plan) for plan in combinations(*request.param)]


@pytest.fixture(scope="module", params=slow_but(lambda name: name == "lenet5", ("lenet5", "vit")))
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
