"""Is what is cut the unit that was asked for?"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from pruneviz.network.layers import Layer, find_layers
from pruneviz.plan import pattern
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.evidence import weights_only
from pruneviz.pruning.granularity import GRANULARITIES, expand, rank_items, scores_for


def naive_pattern(scores: Tensor, n: int, m: int) -> Tensor:
    """Cut items of an N:M pattern, one group at a time, channels innermost."""
    cut = torch.zeros_like(scores, dtype=torch.bool)
    kernel = [range(size) for size in scores.shape[2:]]
    for unit in range(scores.shape[0]):
        places = [()]
        for sizes in kernel:
            places = [(*p, k) for p in places for k in sizes]
        row = [(unit, c, *p) for p in places for c in range(scores.shape[1])]
        for start in range(0, len(row) - m + 1, m):
            group = sorted(row[start : start + m], key=lambda place: float(scores[place]))
            for place in group[: m - n]:
                cut[place] = True
    return cut


def cut_of(scores: Tensor, granularity: str) -> Tensor:
    ranking = rank_items(scores, granularity)
    assert ranking.only is not None
    return ranking.rank < ranking.only


@pytest.mark.parametrize("granularity", ["1:2", "2:4", "1:4", "3:4", "2:3", "5:8"])
@pytest.mark.parametrize("shape", [(3, 8), (5, 10), (4, 3, 3, 3), (2, 6, 1, 2), (2, 5, 3)])
def test_a_pattern_is_that_of_a_loop_over_groups(granularity: str, shape: tuple[int, ...]) -> None:
    n, m = pattern(granularity) or (0, 0)
    for scores in (torch.randn(shape), torch.randint(0, 3, shape).float(), torch.zeros(shape)):
        assert torch.equal(cut_of(scores, granularity), naive_pattern(scores, n, m))


def test_two_of_four_by_hand() -> None:
    scores = torch.tensor([[4.0, 1, 3, 2, 9, 9], [1, 1, 1, 1, 0, 0]])
    assert cut_of(scores, "2:4").int().tolist() == [[0, 1, 0, 1, 0, 0], [1, 1, 0, 0, 0, 0]]


def test_neighbours_of_a_convolution_are_its_channels() -> None:
    scores = torch.arange(8.0).reshape(1, 4, 1, 2)  # channel c at position p scores 2c + p
    assert cut_of(scores, "2:4").squeeze().int().tolist() == [[1, 1], [1, 1], [0, 0], [0, 0]]


def test_weights_left_over_at_the_end_of_a_row_are_kept() -> None:
    scores = torch.cat([torch.ones(2, 4), torch.zeros(2, 3)], 1)
    assert not cut_of(scores, "2:4")[:, 4:].any()


def test_a_row_shorter_than_the_pattern_is_kept_whole() -> None:
    assert rank_items(torch.randn(5, 3), "2:4").only == 0


def test_what_the_pattern_cuts_goes_before_everything_else_lowest_first() -> None:
    scores = torch.randn(4, 10)
    ranking = rank_items(scores, "2:4")
    rank, only = ranking.rank, ranking.only
    assert only == 4 * 2 * 2
    assert rank.flatten().sort().values.tolist() == list(range(40))
    by_rank = scores.flatten()[rank.flatten().argsort()]
    assert torch.equal(by_rank[:only], by_rank[:only].sort().values)
    assert torch.equal(by_rank[only:], by_rank[only:].sort().values)


@pytest.mark.parametrize("granularity", ["weight", "neuron", "head"])
def test_the_lowest_goes_first_and_ties_in_order(granularity: str) -> None:
    ranking = rank_items(torch.tensor([3.0, 1.0, 2.0, 1.0, 0.5]), granularity)
    assert ranking.rank.tolist() == [4, 1, 3, 2, 0]
    assert ranking.only is None


def test_a_kept_filter_is_kept_with_all_of_its_weights() -> None:
    layer = Layer("conv", "conv2d", (3, 2, 1, 2), False)
    mask = expand(layer, torch.tensor([True, False, True]))
    assert mask.shape == layer.shape
    assert mask.flatten(1).int().tolist() == [[1] * 4, [0] * 4, [1] * 4]


def test_kept_weights_are_the_mask_already() -> None:
    kept = torch.tensor([[True, False], [False, True]])
    assert expand(Layer("fc", "linear", (2, 2), False), kept) is kept


@pytest.mark.parametrize("name", GRANULARITIES)
def test_every_granularity_explains_itself(name: str) -> None:
    found = GRANULARITIES[name]
    assert found.name == name
    assert found.meaning.endswith(".")
    assert all((found.label, found.formula, found.source))
    pattern(name)


@pytest.mark.parametrize("granularity", ["neuron", "head"])
def test_whole_units_are_scored_by_the_sum_of_their_weights(granularity: str) -> None:
    layer = nn.Conv2d(1, 3, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(12.0).reshape(3, 1, 2, 2) - 4)
    known = weights_only(layer, find_layers(layer))[""]
    scores = scores_for(CRITERIA["magnitude"], granularity, known)
    assert scores.tolist() == [4 + 3 + 2 + 1, 0 + 1 + 2 + 3, 4 + 5 + 6 + 7]
    assert scores.dtype == torch.float64


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_scores_of_weights_are_float32_at_least(given: torch.dtype, found: torch.dtype) -> None:
    layer = nn.Linear(2, 3)
    known = weights_only(layer, find_layers(layer))[""]
    short = replace(CRITERIA["magnitude"], score=lambda evidence: evidence.weight.abs().to(given))
    scores = scores_for(short, "weight", known)
    assert scores.dtype == found
    assert torch.equal(scores, layer.weight.detach().abs().to(given).to(found))
