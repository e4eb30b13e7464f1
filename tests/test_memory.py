"""Is the peak of activations what one counts by hand?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pruneviz.measuring.memory import peak_activation
from pruneviz.network.replica import fingerprint


class Skip(nn.Module):
    """10 → 10 → 10, with the input added at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(10, 30), nn.Linear(30, 10)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(x)
        return y + self.two(torch.relu(self.one(y)))


class Held(nn.Module):
    """Keeps every step until the end."""

    def forward(self, x: Tensor) -> Tensor:
        steps = [x]
        for _ in range(4):
            steps.append(steps[-1] + 1)
        return steps[-1]


class Named(nn.Module):
    def forward(self, ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
        return {"logits": ids.float() * mask}


class Counting(nn.Module):
    """Writes to a buffer of 100 numbers, and returns a view of it."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(100))

    def forward(self, x: Tensor) -> Tensor:
        self.seen.add_(1)
        return self.seen[:2]


MLP = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
IN_PLACE = nn.Sequential(nn.Linear(4, 8), nn.ReLU(inplace=True), nn.Linear(8, 2))


@pytest.mark.parametrize(
    ("network", "shape", "numbers"),
    [
        (MLP, (1, 4), 4 + 8 + 8),  # the input, and the ReLU's input and output
        (IN_PLACE, (1, 4), 4 + 8 + 2),
        (nn.Identity(), (1, 7), 7),
        (nn.Flatten(), (1, 2, 3), 6),  # a view takes nothing
        (Skip(), (1, 10), 10 + 10 + 30 + 30),
        (Held(), (1, 5), 5 * 5),
        (nn.Sequential(*(nn.ReLU() for _ in range(6))), (1, 5), 5 * 3),  # input, and two alive
        (nn.Conv2d(1, 2, 3), (1, 1, 6, 6), 36 + 2 * 16),
        (Counting(), (1, 3), 3),
    ],
)
def test_by_hand(network: nn.Module, shape: tuple[int, ...], numbers: int) -> None:
    assert peak_activation(network, torch.randn(shape)) == 4 * numbers


def test_half_precision_is_half_the_memory() -> None:
    network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)).bfloat16()
    assert peak_activation(network, torch.randn(1, 4)) == 2 * (4 + 8 + 8)


def test_inputs_by_name_count_each_in_its_own_type() -> None:
    given = {"ids": torch.ones(1, 3, dtype=torch.int64), "mask": torch.ones(1, 3)}
    # ids as floats, and their product
    assert peak_activation(Named(), given) == 8 * 3 + 4 * 3 + 4 * 3 + 4 * 3


def test_a_sample_of_many_counts_for_itself_alone() -> None:
    many = torch.randn(500, 4)
    assert peak_activation(MLP, many[:1]) == 4 * 20


def test_twice_the_same_and_nothing_is_written() -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Dropout(0.5)).train()
    before = fingerprint(network)
    x = torch.randn(1, 1, 8, 8)
    assert peak_activation(network, x) == peak_activation(network, x)
    assert fingerprint(network) == before
    assert network.training


def test_narrower_is_less() -> None:
    x = torch.randn(1, 1, 8, 8)
    wide, narrow = (nn.Sequential(nn.Conv2d(1, n, 3), nn.ReLU()) for n in (8, 4))
    assert peak_activation(narrow, x) - 256 == (peak_activation(wide, x) - 256) / 2
