"""Is a network timed without making anybody wait for it?"""

from __future__ import annotations

import time

import pytest
import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.measuring.probe import LIMIT, probe_size
from pruneviz.tasks import CLASSES


class Sleepy(nn.Module):
    """Takes `each` seconds for a sample."""

    def __init__(self, each: float) -> None:
        super().__init__()
        self.fc, self.each = nn.Linear(4, 2), each

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(self.each * len(x))
        out: Tensor = self.fc(x)
        return out


def data_of(n: int) -> Data:
    return Data(torch.randn(n, 4), torch.zeros(n).long())


def test_a_quick_network_answers_whole_blocks() -> None:
    probe = probe_size(Sleepy(0).eval(), data_of(100_000), CLASSES)
    assert not probe.slow
    assert probe.size % 64 == 0
    assert probe.size >= 64
    assert 0 < probe.seconds_per_sample < LIMIT / 64


@pytest.mark.parametrize("n", [1, 5, 64, 70])
def test_no_more_samples_are_answered_than_there_are(n: int) -> None:
    probe = probe_size(Sleepy(0).eval(), data_of(n), CLASSES)
    assert probe.size == n
    assert not probe.slow


@pytest.mark.parametrize("block", [1, 8, 64])
def test_a_slow_network_is_said_to_be_slow_within_a_second(block: int) -> None:
    start = time.perf_counter()
    probe = probe_size(Sleepy(0.1).eval(), data_of(200), CLASSES, block)
    assert time.perf_counter() - start < 1.5
    assert probe.slow
    assert probe.size == max(8, block)
    assert probe.seconds_per_sample == pytest.approx(0.1, rel=0.5)


def test_a_network_in_between_gets_the_fewest_samples_worth_measuring() -> None:
    start = time.perf_counter()
    probe = probe_size(Sleepy(0.02).eval(), data_of(200), CLASSES, 4)
    assert time.perf_counter() - start < 1.5
    assert probe.size == 8
    assert not probe.slow


def test_a_few_samples_of_a_slow_network_are_enough() -> None:
    probe = probe_size(Sleepy(0.1).eval(), data_of(2), CLASSES)
    assert (probe.size, probe.slow) == (2, False)
