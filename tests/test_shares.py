"""Do shares add up to the target, as the published formulas say?"""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from pruneviz.allocation.shares import (
    Part,
    by_damage,
    by_damage_at,
    erk,
    owl,
    pool,
    pool_at,
    uniform,
    uniform_plus,
    whole,
)
from pruneviz.pruning.sliders import Slider


def part(name: str, items: int, *shape: int, **more: object) -> Part:
    sizes = shape or (items, 1)
    more = {"cost": items, "density": sum(sizes) / math.prod(sizes)} | more
    return Part(Slider(name, (name,), items), **more)  # type: ignore[arg-type]


def cost(parts: list[Part], shares: list[float]) -> float:
    return sum(p.cost * s for p, s in zip(parts, shares, strict=True)) / sum(p.cost for p in parts)


PARTS = [part("a", 150, 6, 1, 5, 5), part("b", 2400, 16, 6, 5, 5), part("c", 48000, 120, 400)]
SHARES = [uniform, erk]


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("target", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_costs_add_up_to_the_target(share: object, target: float) -> None:
    shares = share(PARTS, target)  # type: ignore[operator]
    assert cost(PARTS, shares) == pytest.approx(target)
    assert all(-1e-12 <= value <= 1 for value in shares)


def test_uniform_cuts_the_same_everywhere() -> None:
    assert uniform(PARTS, 0.3) == pytest.approx([0.3] * 3)


def test_erk_by_hand() -> None:
    # Densities in proportion to 17/150, 32/2400 and 520/48000; a would pass 1 and stays dense:
    # 0.1 · 50550 = 5055 weights stay, 150 of them in a, and ε = 4905 / (32 + 520).
    epsilon = 4905 / 552
    expected = [0.0, 1 - epsilon * 32 / 2400, 1 - epsilon * 520 / 48000]
    assert erk(PARTS, 0.9) == pytest.approx(expected)


def scored(name: str, outliers: int, **more: object) -> Part:
    scores = torch.cat([torch.ones(100 - outliers), torch.full((outliers,), 20.0)])
    return part(name, 100, scores=scores, **more)


def test_owl_by_hand() -> None:
    # Outliers: 0, 1 and 4 % of the scores are above 5 times the mean. 0 % gets 8 points more than
    # the middle, 4 % 8 points less, 1 % a quarter of the way: 4 more. Their mean is the target.
    parts = [scored("a", 0), scored("b", 1), scored("c", 4)]
    middle = 0.7 - 0.04 / 3
    assert owl(parts, 0.7) == pytest.approx([middle + 0.08, middle + 0.04, middle - 0.08])


def test_owl_without_outliers_is_uniform() -> None:
    assert owl([scored("a", 0), scored("b", 0)], 0.3) == pytest.approx([0.3, 0.3])


def test_owl_keeps_to_bounds_and_to_costs() -> None:
    parts = [scored("a", 0, most=0.6, cost=10), scored("b", 1), scored("c", 4, cost=900)]
    for target in (0.0, 0.05, 0.7, 0.97):
        shares = owl(parts, target)
        assert cost(parts, shares) == pytest.approx(target)
        assert all(0 <= x <= one.most for x, one in zip(shares, parts, strict=True))
    with pytest.raises(ValueError, match="cannot be met"):
        owl(parts, 0.999)


def test_erk_keeps_several_layers_dense_where_it_must() -> None:
    # keep = 0.8 · 111 = 88.8; b (density 11/10) and c (2/1) pass 1 first, and a makes up for it.
    parts = [part("a", 100, 10, 10), part("b", 10, 10, 1), part("c", 1, 1, 1)]
    assert erk(parts, 0.2) == pytest.approx([0.222, 0.0, 0.0])


def test_erk_as_its_authors_code_it() -> None:
    """Against the loop of Evci et al. (RigL), written out."""
    shapes = {"conv1": (6, 1, 5, 5), "conv2": (16, 6, 5, 5), "fc1": (120, 400), "fc2": (84, 120)}
    sizes = {name: math.prod(shape) for name, shape in shapes.items()}
    for sparsity in (0.5, 0.8, 0.9, 0.95, 0.99):
        dense: set[str] = set()
        while True:
            divisor, rhs, raw = 0.0, 0.0, {}
            for name, shape in shapes.items():
                if name in dense:
                    rhs -= sizes[name] * sparsity
                else:
                    rhs += sizes[name] * (1 - sparsity)
                    raw[name] = sum(shape) / math.prod(shape)
                    divisor += raw[name] * sizes[name]
            epsilon = rhs / divisor
            if max(raw.values()) * epsilon <= 1:
                break
            dense |= {name for name in raw if raw[name] == max(raw.values())}
        expected = [0.0 if name in dense else 1 - epsilon * raw[name] for name in shapes]
        parts = [part(name, sizes[name], *shape) for name, shape in shapes.items()]
        assert erk(parts, sparsity) == pytest.approx(expected)


def test_uniform_plus_spares_the_first_and_the_last() -> None:
    parts = [part("a", 100, tame=0.0), part("b", 1000), part("c", 100, tame=0.8)]
    assert uniform_plus(parts, 0.5) == pytest.approx([0.0, 600 / 1100, 600 / 1100])
    # 0.85 · 1200 = 1020: c gives 80 at most, so b gives 940.
    assert uniform_plus(parts, 0.85) == pytest.approx([0.0, 0.94, 0.8])
    with pytest.raises(ValueError, match=r"95 % cannot be met: at most 90\.0 %"):
        uniform_plus(parts, 0.95)


def test_bounds_hold_and_the_others_make_up_for_them() -> None:
    parts = [part("a", 100, most=0.5), part("b", 100)]
    assert uniform(parts, 0.6) == pytest.approx([0.5, 0.7])
    assert erk([part("a", 100, 10, 10, most=0.5), part("b", 100, 10, 10)], 0.6) == pytest.approx(
        [0.5, 0.7]
    )


def test_of_bounds_on_both_sides_the_larger_violation_is_met_first() -> None:
    """a and c may lose less than their densities ask for, b more than there is of it."""
    parts = [
        part("a", 20, density=0.3, most=0.3),
        part("b", 50, density=1.5, most=0.3),
        part("c", 10, density=1.2, most=0.5),
    ]
    shares = erk(parts, 0.2)
    assert cost(parts, shares) == pytest.approx(0.2)
    # a keeps 0.7 of 20; b and c keep 50 of 60 in proportion to 1.5 and 1.2.
    assert shares == pytest.approx([0.3, 1 - 1.5 * 50 / 87, 1 - 1.2 * 50 / 87])


def test_the_lowest_scores_of_all_go() -> None:
    a = part("a", 4, scores=torch.tensor([1.0, 2.0, 3.0, 4.0]))
    b = part("b", 4, scores=torch.tensor([2.5, 5.0, 6.0, 7.0]))
    assert pool([a, b], 0.5) == [0.75, 0.25]
    assert pool_at([a, b], [0.0, 0.25, 0.5, 0.75]) == [[0, 0.5, 0.75, 1.0], [0, 0, 0.25, 0.5]]


def test_no_pool_takes_more_of_a_part_than_its_bound() -> None:
    a = part("a", 4, scores=torch.tensor([1.0, 2.0, 3.0, 4.0]), most=0.5)
    b = part("b", 4, scores=torch.tensor([2.5, 5.0, 6.0, 7.0]))
    assert pool([a, b], 0.5) == [0.5, 0.5]


def test_where_items_cost_more_fewer_of_them_go() -> None:
    a = part("a", 2, cost=10.0, scores=torch.tensor([1.0, 2.0]))
    b = part("b", 10, cost=10.0, scores=torch.arange(3.0, 13.0))
    assert pool([a, b], 0.5) == [1.0, 0.0]
    assert pool([a, b], 0.75) == [1.0, 0.5]


def test_of_two_sums_that_are_as_near_the_larger_is_taken() -> None:
    """Items of a cost 5 and are 2.5 from either side of a target of 2.5 of 20."""
    a = part("a", 2, cost=10.0, scores=torch.tensor([1.0, 2.0]))
    b = part("b", 10, cost=10.0, scores=torch.arange(3.0, 13.0))
    assert pool([a, b], 2.5 / 20) == [0.5, 0.0]
    assert pool([a, b], 2.4 / 20) == [0.0, 0.0]


def test_the_cheapest_damage_goes_first() -> None:
    bad = part("bad", 10, damage=([0.1, 0.5, 0.9], [0.0, 0.1, 2.0]))
    good = part("good", 10, damage=([0.1, 0.5, 0.9], [0.0, 0.0, 0.05]))
    levels = by_damage_at([bad, good], [0.0, 0.3, 0.5, 0.9])
    assert levels[0] == pytest.approx([0.0, 0.1, 0.1, 0.9])
    assert levels[1] == pytest.approx([0.0, 0.5, 0.9, 0.9])


def test_damage_rises_along_the_convex_hull() -> None:
    """A step that seems dear alone is taken with the cheap one behind it."""
    odd = part("odd", 10, damage=([0.5, 0.9], [1.0, 1.1]))
    even = part("even", 10, damage=([0.5, 0.9], [0.5, 0.9]))
    assert by_damage([odd, even], 0.45) == pytest.approx([0.0, 0.9])
    dear = part("dear", 10, damage=([0.5, 0.9], [0.6, 1.08]))
    assert by_damage([even, dear], 0.45) == pytest.approx([0.9, 0.0])


def test_beyond_the_last_point_nothing_goes_if_it_need_not() -> None:
    far = part("far", 10, damage=([0.5], [0.0]))
    near = part("near", 10, damage=([0.5, 0.9], [1.0, 5.0]))
    assert by_damage([far, near], 0.5) == pytest.approx([0.5, 0.5])


def test_without_scores_or_curves_it_says_so() -> None:
    with pytest.raises(ValueError, match="'a' brings no scores"):
        pool([part("a", 4)], 0.5)
    with pytest.raises(ValueError, match="'a' has no curve yet: scan first"):
        by_damage([part("a", 4)], 0.5)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("target", [0.001, 0.33333, 0.5, 0.77, 0.95, 0.999])
def test_whole_counts_are_the_target_exactly(share: object, target: float) -> None:
    levels = whole(PARTS, target, share(PARTS, target))  # type: ignore[operator]
    counts = [level * p.items for level, p in zip(levels, PARTS, strict=True)]
    assert counts == pytest.approx([round(n) for n in counts], abs=1e-6)
    assert sum(round(n) for n in counts) == round(target * 50550)


def test_whole_ends_where_no_item_fits() -> None:
    """Items of odd costs: it comes as near as it can, and ends."""
    parts = [part("a", 3, cost=10.0), part("b", 7, cost=3.0), part("c", 2, cost=900.0)]
    for k in range(100):
        shares = uniform(parts, k / 100)
        levels = whole(parts, k / 100, shares)
        assert abs(cost(parts, levels) - k / 100) * 913 <= 450 + 1e-6


def test_whole_gives_the_rest_to_who_lost_most_of_an_item() -> None:
    parts = [part("a", 10), part("b", 10)]  # 2.7 and 3.2 items, and 6 are to go
    assert whole(parts, 0.295, [0.27, 0.32]) == [0.3, 0.3]


def test_whole_respects_bounds() -> None:
    parts = [part("a", 10, most=0.5), part("b", 10)]
    assert whole(parts, 0.7, [0.5, 0.9]) == [0.5, 0.9]


def test_a_higher_target_cuts_no_layer_less() -> None:
    generator = torch.Generator().manual_seed(1)
    parts = [
        part(
            name, items, scores=torch.rand(items, generator=generator).sort().values,
            damage=([0.3, 0.6, 0.9], torch.rand(3, generator=generator).cumsum(0).tolist()),
        )
        for name, items in (("a", 10), ("b", 100), ("c", 33))
    ]  # fmt: skip
    targets = [k / 50 for k in range(45)]
    for many in (pool_at, by_damage_at):
        for column in many(parts, targets):
            assert all(x <= y + 1e-12 for x, y in itertools.pairwise(column))
