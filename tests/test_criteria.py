"""Does every criterion score as its formula says?"""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.network.layers import Layer
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA, criterion, find_criterion
from pruneviz.pruning.evidence import Evidence
from pruneviz.pruning.granularity import scores_for
from pruneviz.workbench import Workbench

LAYER = Layer("fc", "linear", (2, 2), True)
BY_HAND = Evidence(
    LAYER,
    weight=torch.tensor([[1.0, -2.0], [3.0, -4.0]]),
    scale=torch.tensor([-0.5, 2.0]),
    input_norm=torch.tensor([[10.0, 1.0]]),
    activation=torch.tensor([0.5, 3.0]),
    silence=torch.tensor([0.25, 1.0]),
    variance=torch.tensor([2.0, 0.0]),
    gradient=torch.tensor([[0.5, -1.0], [0.0, 2.0]]),
    gradient_size=torch.tensor([[1.0, 2.0], [3.0, 0.5]]),
    gradient_power=torch.tensor([[1.0, 2.0], [3.0, 0.5]]),
    contribution=torch.tensor([[1.0, -4.0], [-3.0, 2.0]]),
    flow=torch.tensor([[2.0, 1.0], [0.0, 3.0]]),
    inverse_diagonal=torch.tensor([[0.5, 2.0]]),
    written=torch.tensor([5.0, 21.0]),
    read=torch.tensor([4.0, 4.0]),
    turn=torch.tensor([0.25]),
)
# criterion -> (scores of the four weights, scores of the two units), worked out by hand;
# None where it is not defined.
EXPECTED: dict[str, tuple[list[list[float]] | None, list[float] | None]] = {
    "magnitude": ([[1, 2], [3, 4]], [3, 7]),
    "l2": (None, [5**0.5, 5]),
    "lamp": ([[1 / 30, 4 / 29], [9 / 25, 16 / 16]], None),
    "fpgm": (None, [8**0.5, 8**0.5]),
    "bn_scale": (None, [0.5, 2]),
    "consumer": (None, [2, 2]),
    "group_l2": (None, [3, 5]),
    "position": (None, [1, 0.5]),
    "activation": (None, [0.5, 3]),
    "apoz": (None, [0.75, 0]),
    "variance": (None, [2, 0]),
    "wanda": ([[10, 2], [30, 4]], [12, 34]),
    "ria": (
        [[(1 / 4 + 1 / 3) * 10**0.5, 2 / 6 + 2 / 3], [(3 / 4 + 3 / 7) * 10**0.5, 4 / 6 + 4 / 7]],
        None,
    ),
    "obs": ([[2, 2], [18, 8]], None),
    "cosine": (None, None),
    "taylor": ([[1, 4], [9, 2]], [2, 3]),
    "snip": ([[0.5, 2], [0, 8]], [2.5, 8]),
    "fisher": ([[0.5, 4], [13.5, 4]], [2.5, 5]),
    "synflow": ([[2, 2], [0, 12]], [4, 12]),
}
DRAWN = {"random"}
NEEDS = [(c.name, need) for c in CRITERIA.values() for need in c.needs]


def scores(name: str, granularity: str, evidence: Evidence = BY_HAND) -> Tensor:
    return scores_for(CRITERIA[name], granularity, evidence)


def test_every_criterion_is_worked_out_by_hand() -> None:
    assert set(EXPECTED) | DRAWN == set(CRITERIA)


@pytest.mark.parametrize("name", EXPECTED)
def test_weights_score_as_worked_out_by_hand(name: str) -> None:
    expected = EXPECTED[name][0]
    assert CRITERIA[name].allows("weight") == (expected is not None)
    if expected is not None:
        wanted = torch.tensor(expected, dtype=torch.float64)
        torch.testing.assert_close(scores(name, "weight").double(), wanted)


@pytest.mark.parametrize("name", EXPECTED)
def test_units_score_as_worked_out_by_hand(name: str) -> None:
    expected = EXPECTED[name][1]
    assert CRITERIA[name].allows("neuron") == (expected is not None)
    if expected is not None:
        wanted = torch.tensor(expected, dtype=torch.float64)
        torch.testing.assert_close(scores(name, "neuron"), wanted, rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", [n for n, c in CRITERIA.items() if c.allows("2:4")])
def test_patterns_are_chosen_by_the_scores_of_single_weights(name: str) -> None:
    assert torch.equal(scores(name, "2:4"), scores(name, "weight"))


@pytest.mark.parametrize("name", [n for n, c in CRITERIA.items() if c.allows("neuron")])
def test_a_filter_is_one_unit_whatever_its_shape(name: str) -> None:
    def spread(value: Tensor | None) -> Tensor | None:
        return value if value is None or value.ndim < 2 else value.unsqueeze(-1).unsqueeze(-1)

    fields = {f: spread(getattr(BY_HAND, f)) for f in vars(BY_HAND) if f not in ("layer", "seed")}
    conv = Evidence(Layer("fc", "conv2d", (2, 2, 1, 1), True), **fields)  # type: ignore[arg-type]
    assert scores(name, "neuron", conv).shape == (2,)
    torch.testing.assert_close(scores(name, "neuron", conv), scores(name, "neuron"))


def test_fpgm_is_the_sum_of_distances_to_all_other_units() -> None:
    weight = torch.randn(5, 3, 2, 2)
    known = Evidence(Layer("conv", "conv2d", (5, 3, 2, 2), False), weight)
    naive = [sum(float((a - b).double().norm()) for b in weight) for a in weight]
    torch.testing.assert_close(
        scores("fpgm", "neuron", known), torch.tensor(naive, dtype=torch.float64), rtol=1e-6, atol=0
    )


def test_lamp_is_that_of_an_independent_loop(bench: Workbench) -> None:
    for layer in bench.layer_of.values():
        if layer.size > 20_000:
            continue
        weight = bench.source.model.get_parameter(layer.weight).detach()
        squares = weight.double().square().flatten().tolist()
        expected, standing = [0.0] * len(squares), 0.0
        # A stable order, largest first: of equal weights the later one counts as the larger.
        for i in sorted(range(len(squares)), key=lambda i: (squares[i], i), reverse=True):
            standing += squares[i]
            expected[i] = squares[i] / standing
        got = scores("lamp", "weight", Evidence(layer, weight)).flatten()
        torch.testing.assert_close(got, torch.tensor(expected, dtype=torch.float64))


def test_lamp_ranks_one_layer_as_magnitude_does(bench: Workbench) -> None:
    layer = next(iter(bench.layer_of.values()))
    known = Evidence(layer, bench.source.model.get_parameter(layer.weight).detach())
    lamp, magnitude = (scores(n, "weight", known).flatten() for n in ("lamp", "magnitude"))
    assert torch.equal(lamp.argsort(stable=True), magnitude.argsort(stable=True))


def test_lamp_of_a_layer_of_zeros_is_zero() -> None:
    known = replace(BY_HAND, weight=torch.zeros(2, 2))
    assert torch.equal(scores("lamp", "weight", known), torch.zeros(2, 2, dtype=torch.float64))


@pytest.mark.parametrize("granularity", ["weight", "neuron"])
def test_random_repeats_with_its_seed_and_layer_only(granularity: str) -> None:
    known = replace(BY_HAND, layer=Layer("a", "linear", (40, 50), True), weight=torch.ones(40, 50))
    first = scores("random", granularity, known)
    assert first.shape == ((40, 50) if granularity == "weight" else (40,))
    assert torch.equal(first, scores("random", granularity, known))
    assert not torch.equal(first, scores("random", granularity, replace(known, seed=1)))
    elsewhere = replace(known, layer=replace(known.layer, name="b"))
    assert not torch.equal(first, scores("random", granularity, elsewhere))


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**63, 2**200])
def test_random_is_uniform_and_takes_any_seed(seed: int) -> None:
    layer = Layer("a", "linear", (100, 100), True)
    drawn = scores("random", "weight", Evidence(layer, torch.ones(100, 100), seed=seed))
    assert 0 <= drawn.min() < drawn.max() < 1
    assert torch.histc(drawn, 10, 0, 1).sub(1000).abs().max() < 150


def test_random_leaves_the_random_stream_alone() -> None:
    before = torch.get_rng_state()
    scores("random", "weight")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("name", "need"), NEEDS)
def test_a_criterion_without_its_evidence_is_named_with_the_layer(name: str, need: str) -> None:
    blind = replace(BY_HAND, **{need: None})
    with pytest.raises(ValueError, match=f"criterion '{name}': layer 'fc' has no '{need}': .+"):
        scores(name, "neuron", blind)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_criterion_looks_at_nothing_but_what_it_names(name: str) -> None:
    """So that the table can tell beforehand which evidence must be gathered."""
    named = {"layer", "weight", "seed", *CRITERIA[name].needs}
    bare = replace(BY_HAND, **{f: None for f in vars(BY_HAND) if f not in named})
    granularity = CRITERIA[name].granularities[0]
    granularity = "2:4" if granularity == "N:M" else granularity
    assert torch.equal(scores(name, granularity, bare), scores(name, granularity))


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_scores_that_are_not_finite_are_refused_by_layer(broken: float) -> None:
    known = replace(BY_HAND, weight=torch.tensor([[1.0, broken], [2.0, 3.0]]))
    with pytest.raises(ValueError, match=r"'magnitude' gives scores that are not finite.*'fc'"):
        scores("magnitude", "weight", known)


def test_scoring_leaves_the_evidence_as_it_was() -> None:
    before = BY_HAND.weight.clone()
    for name, found in CRITERIA.items():
        scores(name, "neuron" if found.allows("neuron") else "weight")
    assert torch.equal(BY_HAND.weight, before)


# -- the table -----------------------------------------------------------------------------


def test_an_unknown_criterion_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="unknown criterion 'magnitud'; known are magnitude, l2"):
        find_criterion("magnitud", "weight")


@pytest.mark.parametrize(
    ("name", "granularity"),
    [
        (c.name, g)
        for c in CRITERIA.values()
        for g in ("weight", "neuron", "2:4")
        if not c.allows(g)
    ],
)
def test_a_criterion_undefined_for_a_granularity_is_refused(name: str, granularity: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' is not defined for granularity '{granularity}"):
        find_criterion(name, granularity)


def test_a_name_is_entered_once() -> None:
    with pytest.raises(ValueError, match="'magnitude' is in the table already"):
        criterion("magnitude", "Again", formula="", symbols="", source="")(lambda evidence: None)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("name", CRITERIA)
def test_every_criterion_explains_itself(name: str) -> None:
    found = CRITERIA[name]
    assert found.name == name
    assert found.meaning[0].isupper()
    assert found.meaning.endswith(".")
    assert min(map(len, (found.label, found.formula, found.symbols, found.source))) > 2
    assert any(c.isdigit() for c in found.source), "a source has its year"


def test_only_criteria_that_look_at_data_need_it() -> None:
    blind = {name for name, c in CRITERIA.items() if not c.needs_data}
    of_weights = {"magnitude", "l2", "lamp", "fpgm", "bn_scale", "consumer", "group_l2"}
    assert blind == of_weights | {"position", "random", "synflow"}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["l2", "magnitude"])
def test_short_formats_are_scored_in_float32(name: str, dtype: torch.dtype) -> None:
    """A thousand units of bfloat16 weights have a thousand norms, and no square goes under."""
    weight = (torch.randn(1024, 64, generator=torch.Generator().manual_seed(0)) * 1e-4).to(dtype)
    layer = Layer("one", "linear", (1024, 64), has_bias=False)
    scores, expected = (
        scores_for(CRITERIA[name], "neuron", Evidence(layer, w)) for w in (weight, weight.float())
    )
    assert torch.equal(scores, expected)
    assert len(scores.unique()) > 1000
    assert bool((scores > 0).all())


def test_fisher_of_a_float16_network_neither_underflows_nor_overflows() -> None:
    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
    with torch.no_grad():
        model[2].weight.mul_(1e-3)
    data = (torch.randn(64, 16), torch.arange(64) % 4)
    plan = Plan("fisher", "weight", sparsity={"0": 0.5})
    wide = pv.open(model, data).prune(plan).scores["0"]
    half = pv.open(copy.deepcopy(model).half(), data).prune(plan).scores["0"]
    assert bool(torch.isfinite(half).all())
    assert int((half == 0).sum()) <= int((wide == 0).sum()) + 3
    torch.testing.assert_close(half.sum().double(), wide.sum().double(), rtol=0.05, atol=0)
