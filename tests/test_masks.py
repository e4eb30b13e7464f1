"""Are exactly as many items kept as asked, whatever their scores?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pruneviz.pruning.granularity import rank_items
from pruneviz.pruning.masks import (
    CUT,
    KEPT,
    Ranking,
    count,
    layer_count,
    mask_of,
    pin,
    pool,
    pool_count,
)

# scores, sparsity -> the mask of 1 = kept, worked out by hand
LITERAL = [
    ([[1.0, 4.0], [3.0, 2.0]], 0.0, [[1, 1], [1, 1]]),
    ([[1.0, 4.0], [3.0, 2.0]], 0.25, [[0, 1], [1, 1]]),
    ([[1.0, 4.0], [3.0, 2.0]], 0.5, [[0, 1], [1, 0]]),
    ([[1.0, 4.0], [3.0, 2.0]], 0.75, [[0, 1], [0, 0]]),
    ([[1.0, 4.0], [3.0, 2.0]], 1.0, [[0, 0], [0, 0]]),
    ([[5.0, 5.0], [5.0, 5.0]], 0.5, [[0, 0], [1, 1]]),
    ([[0.0, -1.0], [0.0, 0.0]], 0.5, [[0, 0], [1, 1]]),
    # Halves to even: 0.125 × 4 = 0.5 -> 0, 0.375 × 4 = 1.5 -> 2, 0.625 × 4 = 2.5 -> 2.
    ([[1.0, 2.0], [3.0, 4.0]], 0.125, [[1, 1], [1, 1]]),
    ([[1.0, 2.0], [3.0, 4.0]], 0.375, [[0, 0], [1, 1]]),
    ([[1.0, 2.0], [3.0, 4.0]], 0.625, [[0, 0], [1, 1]]),
]


def ranking(scores: Tensor, granularity: str = "weight") -> Ranking:
    return rank_items(scores, granularity)


@pytest.mark.parametrize(("scores", "sparsity", "mask"), LITERAL)
def test_masks_by_hand(scores: list[list[float]], sparsity: float, mask: list[list[int]]) -> None:
    found = ranking(torch.tensor(scores))
    assert mask_of(found, layer_count(sparsity, found)).int().tolist() == mask


@pytest.mark.parametrize(
    ("sparsity", "items", "expected"),
    [(0.5, 5, 2), (0.5, 7, 4), (0.3, 10, 3), (0.29, 100, 29), (1.0, 9, 9), (0.0, 9, 0), (1, 0, 0)],
)
def test_halves_are_rounded_to_even(sparsity: float, items: int, expected: int) -> None:
    assert count(sparsity, items) == expected


def test_counts_are_exact_when_all_scores_tie() -> None:
    found = ranking(torch.ones(7, 13))
    for k in range(92):
        assert int((~mask_of(found, layer_count(k / 91, found))).sum()) == k


@pytest.mark.parametrize(
    ("sparsity", "expected"), [(0.0, 0), (0.2, 0), (0.25, 8), (0.5, 8), (0.9, 8), (1.0, 8)]
)
def test_a_pattern_is_there_or_not_whichever_is_nearer(sparsity: float, expected: int) -> None:
    assert layer_count(sparsity, ranking(torch.randn(4, 4), "2:4")) == expected


def test_a_layer_without_room_for_the_pattern_loses_nothing() -> None:
    assert layer_count(1.0, ranking(torch.randn(4, 3), "2:4")) == 0


def test_in_a_pool_all_scores_compete() -> None:
    pooled = pool(
        {"a": ranking(torch.tensor([5.0, 1.0])), "b": ranking(torch.tensor([[2.0, 0.5]]))}
    )
    assert pooled["a"].rank.tolist() == [3, 1]
    assert pooled["b"].rank.tolist() == [[2, 0]]
    assert pooled["a"].scores.tolist() == [5.0, 1.0]


def test_ties_in_a_pool_go_in_the_order_of_layers() -> None:
    pooled = pool({name: ranking(torch.ones(3)) for name in ("z", "a")})
    assert pooled["z"].rank.tolist() == [0, 1, 2]
    assert pooled["a"].rank.tolist() == [3, 4, 5]


def test_a_pool_of_nothing_is_nothing() -> None:
    assert pool({}) == {}
    assert pool_count({}, {}) == 0


@pytest.mark.parametrize(
    ("sparsity", "expected"),
    [
        ({"a": 0.5, "b": 0.5}, 4),  # 0.5 × (3 + 6) = 4.5 -> 4, not round(1.5) + round(3)
        ({"a": 1.0, "b": 0.0}, 3),
        ({"a": 1.0}, 3),
        ({"a": 0.5, "b": 0.25}, 3),
        ({"a": 1 / 3, "b": 1 / 6}, 2),
        ({"a": 0.1, "b": 0.1}, 1),
        ({"a": 1.0, "b": 1.0}, 9),
    ],
)
def test_a_pool_loses_what_its_layers_ask_for_added_up(
    sparsity: dict[str, float], expected: int
) -> None:
    rankings = {"a": ranking(torch.randn(3)), "b": ranking(torch.randn(2, 3))}
    assert pool_count(sparsity, rankings) == expected


@pytest.mark.parametrize(("sparsity", "a", "b"), [(0.1, 1, 24), (0.3, 1, 24), (0.55, 2, 28)])
def test_one_level_for_all_is_exactly_its_share_of_the_pool(
    sparsity: float, a: int, b: int
) -> None:
    """0.3 × 25 = 7.5 gives 8, where 0.3 × 1 + 0.3 × 24 in floating point would give 7."""
    rankings = {"a": ranking(torch.randn(a)), "b": ranking(torch.randn(b))}
    assert round(sparsity * a + sparsity * b) != round(sparsity * (a + b))
    assert pool_count({"a": sparsity, "b": sparsity}, rankings) == round(sparsity * (a + b))


# -- by hand -------------------------------------------------------------------------------


def sign(*values: int) -> Tensor:
    return torch.tensor(values, dtype=torch.int8)


def test_what_is_pinned_leaves_its_place_and_the_others_close_up() -> None:
    alone = {"a": ranking(torch.tensor([5.0, 1.0, 4.0, 2.0, 3.0]))}
    found = pin(alone, {"a": sign(0, 1, -1, 0, 0)})["a"]
    assert found.rank.tolist() == [3, KEPT, CUT, 1, 2]
    assert (found.cut, found.keep) == (1, 1)
    assert found.scores is alone["a"].scores
    assert alone["a"].rank.tolist() == [4, 0, 3, 1, 2]
    for level, cut in ((0.0, 1), (0.2, 1), (0.4, 2), (0.6, 3), (0.8, 4), (1.0, 4)):
        assert layer_count(level, found) == cut
        left = mask_of(found, cut)
        assert int((~left).sum()) == cut
        assert left[1]
        assert not left[2]


def test_what_is_kept_by_hand_stays_however_many_go_before_it() -> None:
    hand = torch.zeros(5_000, dtype=torch.int8)
    hand[7] = 1
    found = pin({"a": ranking(torch.randn(5_000))}, {"a": hand})["a"]
    assert mask_of(found, layer_count(1.0, found)).nonzero().tolist() == [[7]]


def test_layers_without_pins_keep_their_ranking() -> None:
    alone = {"a": ranking(torch.randn(4)), "b": ranking(torch.randn(4))}
    found = pin(alone, {"a": sign(1, 0, 0, 0)})
    assert found["b"] is alone["b"]
    assert pin(alone, {})["a"] is alone["a"]


def test_in_a_pool_the_others_of_all_layers_close_up() -> None:
    pooled = pool(
        {"a": ranking(torch.tensor([5.0, 1.0])), "b": ranking(torch.tensor([[2.0, 0.5, 3.0]]))}
    )
    found = pin(pooled, {"b": sign(1, 0, -1).reshape(1, 3)})
    assert found["a"].rank.tolist() == [3, 2]
    assert found["b"].rank.tolist() == [[KEPT, 1, CUT]]
    assert [(r.cut, r.keep) for r in found.values()] == [(0, 0), (1, 1)]
    for cut in range(1, 5):
        assert sum(int((~mask_of(r, cut)).sum()) for r in found.values()) == cut


def test_when_everything_is_pinned_nothing_is_left_to_choose() -> None:
    found = pin({"a": ranking(torch.randn(3))}, {"a": sign(-1, 1, -1)})["a"]
    for level in (0.0, 0.5, 1.0):
        assert mask_of(found, layer_count(level, found)).tolist() == [False, True, False]
