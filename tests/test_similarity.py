"""Are rank correlations and overlaps what they are by hand, and what scipy says?"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from pruneviz.comparison.similar import Similarity
from pruneviz.comparison.similarity import (
    average_ranks,
    chance,
    cut_set,
    jaccard,
    sample_of,
    spearman,
)
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.granularity import rank_items
from pruneviz.workbench import Workbench

# -- by hand -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "ranks"),
    [
        ([0.3, 0.1, 0.2], [3, 1, 2]),
        ([5, 5, 1], [2.5, 2.5, 1]),
        ([2, 2, 2, 2], [2.5, 2.5, 2.5, 2.5]),
        ([0, 1, 0, 1, 7], [1.5, 3.5, 1.5, 3.5, 5]),
        ([4], [1]),
    ],
)
def test_equal_scores_share_the_mean_of_their_ranks(
    scores: list[float], ranks: list[float]
) -> None:
    assert average_ranks(torch.tensor(scores)).tolist() == ranks


def test_correlations_by_hand() -> None:
    rising = torch.tensor([1.0, 2.0, 3.0, 4.0])
    swapped = torch.tensor([1.0, 20.0, 300.0, 299.0])  # ranks 1 2 4 3: 1 - 6 * 2 / (4 * 15)
    found = spearman([rising, -rising, swapped])
    assert found.diagonal().tolist() == pytest.approx([1, 1, 1])
    assert float(found[0, 1]) == pytest.approx(-1)
    assert float(found[0, 2]) == pytest.approx(0.8)
    assert torch.equal(found, found.T)


def test_what_ranks_nothing_correlates_with_nothing() -> None:
    found = spearman([torch.ones(5), torch.arange(5.0)])
    assert found.isnan().tolist() == [[True, True], [True, False]]


def test_overlaps_by_hand() -> None:
    sets = [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1], [0, 0, 0, 0]]
    found = jaccard([torch.tensor(one).bool() for one in sets])
    assert found[0].tolist()[:3] == pytest.approx([1, 1 / 3, 0])
    assert found[0, 3] == 0, "of two cut there, and none here, none is shared"
    assert found[3, 3].isnan(), "where nothing is cut nothing is shared"
    assert torch.equal(found.nan_to_num(9), found.T.nan_to_num(9))


@pytest.mark.parametrize("ties", [False, True])
def test_correlations_agree_with_scipy(ties: bool) -> None:
    draw = np.random.default_rng(0)
    scores = draw.normal(size=(4, 300))
    scores = scores.round(1) if ties else scores
    found = spearman([torch.tensor(row) for row in scores])
    assert np.allclose(found.numpy(), spearmanr(scores, axis=1).statistic, atol=1e-12)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_what_two_random_sets_share(share: float) -> None:
    draw, items = torch.Generator().manual_seed(1), 200_000
    sets = [torch.randperm(items, generator=draw) < share * items for _ in range(2)]
    assert float(jaccard(sets)[0, 1]) == pytest.approx(chance(share), abs=0.005)


def test_a_sample_is_fixed_even_and_without_repeats() -> None:
    assert sample_of(100, 100) is None
    places = sample_of(1_003, 100)
    assert places is not None
    assert len(set(places.tolist())) == 100
    assert torch.equal(places, places.sort().values)
    assert 0 <= int(places[0]) < 11
    assert 992 <= int(places[-1]) < 1_003
    again, other = sample_of(1_003, 100), sample_of(1_003, 100, seed=1)
    assert again is not None
    assert other is not None
    assert torch.equal(places, again)
    assert not torch.equal(places, other)


def test_what_is_cut_is_what_the_masks_cut() -> None:
    rank = torch.tensor([[3, 0], [1, 2]], dtype=torch.int32)
    ranking = rank_items(rank.float(), "weight")
    assert cut_set(ranking, 0.5).tolist() == [False, True, True, False]
    assert cut_set(ranking, 0.5, torch.tensor([1, 3])).tolist() == [True, False]


# -- of a network ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weights(benches: Callable[[str], Workbench]) -> Similarity:
    return benches("lenet300").studies.similarity(levels=(0.5, 0.9))


@pytest.fixture(scope="module")
def neurons(benches: Callable[[str], Workbench]) -> Similarity:
    return benches("lenet5").studies.similarity(Plan(granularity="neuron"), (0.5,))


def test_all_criteria_that_the_granularity_allows_stand_in_it(
    weights: Similarity, neurons: Similarity
) -> None:
    assert weights.criteria == tuple(n for n, c in CRITERIA.items() if c.allows("weight"))
    allowed = [name for name, found in CRITERIA.items() if found.allows("neuron")]
    assert set(allowed) - set(neurons.criteria) == {"bn_scale"}


def test_what_is_undefined_is_left_out_and_reported(neurons: Similarity) -> None:
    assert set(neurons.left_out["bn_scale"]) == set(neurons.layers)
    assert "no batch norm" in neurons.notes[0]
    assert "bn_scale" not in set(neurons.table["a"]) | set(neurons.table["b"])


@pytest.mark.parametrize("layer", [None, "fc1"])
def test_each_is_like_itself_and_the_other_way_round(
    weights: Similarity, layer: str | None
) -> None:
    for square in (weights.correlations(layer), weights.overlaps(0.9, layer)):
        values = square.to_numpy()
        assert np.allclose(np.diag(values), 1)
        assert np.allclose(values, values.T)
        assert (np.abs(values) <= 1 + 1e-12).all()


def test_inside_a_layer_lamp_is_magnitude_and_random_is_like_nothing(weights: Similarity) -> None:
    square = weights.correlations("fc1")
    assert square.loc["magnitude", "lamp"] == pytest.approx(1, abs=1e-5)
    others = square.loc["random"].drop("random")
    assert others.abs().max() < 0.02
    overlaps = weights.overlaps(0.5, "fc1").loc["random"].drop("random")
    assert overlaps.to_numpy() == pytest.approx(weights.chance(0.5, "fc1"), abs=0.01)
    assert weights.chance(0.5, "fc1") == pytest.approx(1 / 3)


def test_numbers_are_those_of_the_rankings_and_masks(
    benches: Callable[[str], Workbench], weights: Similarity
) -> None:
    bench = benches("lenet300")
    plans = [Plan(name, sparsity={"fc2": 0.9}) for name in ("wanda", "taylor")]
    scores = [bench.rankings(plan)["fc2"].scores.flatten() for plan in plans]
    cut = [~bench.prune(plan).masks["fc2"].flatten() for plan in plans]
    both, either = int((cut[0] & cut[1]).sum()), int((cut[0] | cut[1]).sum())
    correlation = weights.correlations("fc2").loc["wanda", "taylor"]
    assert correlation == pytest.approx(spearmanr(*scores).statistic)
    assert weights.overlaps(0.9, "fc2").loc["wanda", "taylor"] == pytest.approx(both / either)


def test_the_table_has_the_same_numbers(weights: Similarity) -> None:
    table = weights.table
    assert list(table.columns) == [
        *("layer", "sparsity", "a", "b", "spearman", "jaccard", "chance"),
    ]
    size = len(weights.criteria)
    assert len(table) == len(weights.layers) * 2 * size * size
    row = table.set_index(["layer", "sparsity", "a", "b"]).loc[("fc3", 0.9, "wanda", "snip")]
    assert row["spearman"] == weights.correlations("fc3").loc["wanda", "snip"]
    assert row["jaccard"] == weights.overlaps(0.9, "fc3").loc["wanda", "snip"]
    assert row["chance"] == weights.chance(0.9, "fc3")


def test_the_mean_is_over_layers(weights: Similarity) -> None:
    each = [weights.correlations(layer).loc["wanda", "snip"] for layer in weights.layers]
    assert weights.correlations().loc["wanda", "snip"] == pytest.approx(sum(each) / len(each))


def test_a_pattern_is_compared_at_its_own_level(benches: Callable[[str], Workbench]) -> None:
    found = benches("lenet300").studies.similarity(Plan(granularity="1:4"), (0.1,))
    assert found.levels == (0.75,)
    assert found.chance(0.75, "fc1") == pytest.approx(chance(0.75))


def test_heads_are_compared(benches: Callable[[str], Workbench]) -> None:
    found = benches("vit").studies.similarity(Plan(granularity="head"))
    assert found.layers
    assert "magnitude" in found.criteria


def test_where_nothing_can_be_cut_nothing_is_compared(benches: Callable[[str], Workbench]) -> None:
    found = benches("lenet300").studies.similarity(Plan(granularity="head"))
    assert found.layers == ()
    assert found.table.empty
    assert math.isnan(found.chance(0.5))


def test_a_large_layer_is_told_by_a_sample(
    benches: Callable[[str], Workbench], weights: Similarity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pruneviz.comparison.similar.SAMPLE", 20_000)
    monkeypatch.setattr(
        "pruneviz.comparison.similar.sample_of", lambda items: sample_of(items, 20_000)
    )
    found = benches("lenet300").studies.similarity(levels=(0.5, 0.9))
    assert any("sample of 20,000 items" in note and "fc1" in note for note in found.notes)
    assert not any("fc3" in note for note in found.notes)
    assert np.allclose(found.correlations("fc1"), weights.correlations("fc1"), atol=0.03)
    assert np.allclose(found.overlaps(0.5, "fc1"), weights.overlaps(0.5, "fc1"), atol=0.03)


@pytest.mark.parametrize("levels", [(), (0.0,), (0.5, 1.2), (math.nan,)])
def test_bad_levels_are_refused(
    benches: Callable[[str], Workbench], levels: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match="levels must be in"):
        benches("lenet300").studies.similarity(levels=levels)


def test_strangers_are_refused_by_name(weights: Similarity) -> None:
    with pytest.raises(ValueError, match="'fc9'"):
        weights.correlations("fc9")
    with pytest.raises(ValueError, match=r"0\.7"):
        weights.overlaps(0.7)


def test_progress_can_stop_it(benches: Callable[[str], Workbench]) -> None:
    def stop(label: str, done: float) -> None:
        raise RuntimeError(label)

    with pytest.raises(RuntimeError, match=r"calibration pass|comparing"):
        benches("lenet300").studies.similarity(progress=stop)
