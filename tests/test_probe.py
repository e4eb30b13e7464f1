"""Is a network timed without making anybody wait for it?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.measuring import probe as module
from pruneviz.measuring.probe import LIMIT, Probe, probe_size
from pruneviz.tasks import CLASSES
from pruneviz.workbench import evaluation_cache
from tests.small import small_bench

NOW = [0.0]  # a clock that goes by what the network does, however busy the machine is


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.time, "perf_counter", lambda: NOW[0])
    NOW[0] = 0.0


class Slow(nn.Module):
    """Takes `each` seconds of the clock for a sample."""

    def __init__(self, each: float) -> None:
        super().__init__()
        self.fc, self.each = nn.Linear(4, 2), each

    def forward(self, x: Tensor) -> Tensor:
        NOW[0] += self.each * len(x)
        out: Tensor = self.fc(x)
        return out


def data_of(n: int) -> Data:
    return Data(torch.randn(n, 4), torch.zeros(n).long())


def test_a_quick_network_answers_whole_blocks() -> None:
    probe = probe_size(Slow(1e-5).eval(), data_of(100_000), CLASSES)
    assert not probe.slow
    assert probe.size % 64 == 0
    assert probe.size >= 64
    assert 0 < probe.seconds_per_sample < LIMIT / 64


def test_a_clock_too_coarse_to_see_a_network_at_work() -> None:
    probe = probe_size(Slow(0.0).eval(), data_of(300), CLASSES)
    assert (probe.size, probe.slow) == (300, False)
    assert probe.seconds_per_sample > 0


@pytest.mark.parametrize("n", [1, 5, 64, 70])
def test_no_more_samples_are_answered_than_there_are(n: int) -> None:
    probe = probe_size(Slow(1e-6).eval(), data_of(n), CLASSES)
    assert probe.size == n
    assert not probe.slow


@pytest.mark.parametrize("block", [1, 8, 64])
def test_a_slow_network_is_said_to_be_slow_within_a_second(block: int) -> None:
    probe = probe_size(Slow(0.1).eval(), data_of(200), CLASSES, block)
    assert NOW[0] < 1.5
    assert probe.slow
    assert probe.size == max(8, block)
    assert probe.seconds_per_sample == pytest.approx(0.1)


def test_a_network_in_between_gets_the_fewest_samples_worth_measuring() -> None:
    probe = probe_size(Slow(0.02).eval(), data_of(200), CLASSES, 4)
    assert NOW[0] < 1.5
    assert probe.size == 8
    assert not probe.slow


def test_a_few_samples_of_a_slow_network_are_enough() -> None:
    probe = probe_size(Slow(0.1).eval(), data_of(2), CLASSES)
    assert (probe.size, probe.slow) == (2, False)


def test_one_busy_moment_does_not_make_a_network_slow_for_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is timed again, first after a while and then after twice as long."""
    timings, later = [Probe(8, True, 1.0), Probe(8, True, 1.0), Probe(64, False, 0.001)], [0.0]
    monkeypatch.setattr(evaluation_cache, "probe_size", lambda *_: timings.pop(0))
    monkeypatch.setattr(evaluation_cache.time, "monotonic", lambda: later[0])
    bench = small_bench()
    seen = {}
    for seconds in (0, 14, 16, 45, 47, 10_000):
        later[0] = seconds
        seen[seconds] = bench.slow, bench.probe, len(timings)
    assert seen == {
        0: (True, 8, 2), 14: (True, 8, 2), 16: (True, 8, 1), 45: (True, 8, 1),
        47: (False, 64, 0), 10_000: (False, 64, 0),
    }  # fmt: skip
