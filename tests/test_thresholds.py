"""Are masks that nobody sorted for those of a stable sort, to the last bit?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pruneviz.pruning import order as order_module
from pruneviz.pruning.order import Order

NAN = float("nan")


def oracle(parts: list[Tensor]) -> list[Tensor]:
    """Ranks by one stable sort of everything."""
    places = torch.argsort(torch.cat([part.flatten() for part in parts]), stable=True)
    rank = torch.empty_like(places).scatter_(0, places, torch.arange(len(places)))
    split = torch.split(rank, [part.numel() for part in parts])
    return [one.reshape(part.shape) for one, part in zip(split, parts, strict=True)]


def few(*shape: int) -> Tensor:
    return torch.randint(-2, 3, shape).float()


CASES = {
    "no ties": lambda: [torch.randn(13, 7)],
    "five values": lambda: [few(13, 7)],
    "all the same": lambda: [torch.ones(4, 5)],
    "zeros of both signs": lambda: [torch.tensor([0.0, -0.0, 0.0, -0.0, 1.0, -1.0])],
    "double": lambda: [torch.randn(5, 8, dtype=torch.float64).round(decimals=1)],
    "transposed": lambda: [few(6, 9).T],
    "one value over a whole layer": lambda: [torch.zeros(1).expand(3, 4)],
    "several layers": lambda: [few(5, 3), few(8), torch.randn(2, 2, 2)],
    "an empty layer among them": lambda: [few(3), torch.empty(0, 4), few(2, 3)],
    "two number types": lambda: [few(9), torch.tensor([0.1, 1 / 3, 1.0]).double(), few(3) / 3],
    "not a number": lambda: [torch.tensor([NAN, 1.0, -NAN, 0.0, 1.0]), torch.tensor([2.0, NAN])],
    "infinite": lambda: [torch.tensor([float("inf"), 0.0, float("-inf"), float("inf")])],
}


@pytest.mark.parametrize("part", [3, 2**20])
@pytest.mark.parametrize("case", CASES)
def test_masks_and_ranks_are_those_of_a_stable_sort(
    case: str, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was asked first: of a partition, of sorted scores, of ranks."""
    monkeypatch.setattr(order_module, "_PART", part)
    parts = CASES[case]()
    ranks, items = oracle(parts), sum(one.numel() for one in parts)
    cuts = torch.randperm(items + 1).tolist()
    several = Order(parts)
    for cut in cuts:
        first = Order(parts)
        for number, rank in enumerate(ranks):
            for one in (first, several):
                mask = one.mask(number, cut)
                assert torch.equal(mask, rank >= cut)
                assert mask.is_contiguous()
    for number, rank in enumerate(ranks):
        assert several.rank(number).dtype == torch.int32
        assert torch.equal(several.rank(number), rank)
        assert torch.equal(several.mask(number, cuts[0]), rank >= cuts[0])


def test_scores_are_left_as_they_are() -> None:
    scores = torch.tensor([0.0, -0.0, 3.0, NAN, -1.0])
    before = scores.numpy().tobytes()
    for cut in (2, 3):
        Order([scores]).mask(0, cut)
    Order([scores]).rank(0)
    assert scores.numpy().tobytes() == before
