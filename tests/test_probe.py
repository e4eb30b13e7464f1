"""Is a network timed without making anybody wait for it?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.data import Data
from pruneviz.measuring import probe as module
from pruneviz.measuring.pace import Pace
from pruneviz.measuring.probe import LIMIT, Probe, probe_at, time_samples
from pruneviz.tasks import CLASSES
from pruneviz.workbench.opening import open_workbench

LEARN = Pace.learn
NOW = [0.0]  # a clock that goes by what the network does, however busy the machine is


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.time, "perf_counter", lambda: NOW[0])
    monkeypatch.setattr(module.time, "thread_time", lambda: 0.0)
    monkeypatch.setattr(Pace, "learn", LEARN)
    NOW[0] = 0.0


@pytest.fixture
def _third_of_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is computed takes three times as long as it is worked at."""
    monkeypatch.setattr(module.time, "thread_time", lambda: NOW[0] / 3)
    plain = torch.Tensor.__matmul__

    def product(one: Tensor, other: Tensor) -> Tensor:
        NOW[0] += 0.001
        out: Tensor = plain(one, other)
        return out

    monkeypatch.setattr(torch.Tensor, "__matmul__", product)


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


def probed(each: float, samples: int, block: int = 64) -> tuple[Probe, float]:
    """The probe of a network that takes so long a sample, and how long it was found to take."""
    found = time_samples(Slow(each).eval(), data_of(samples), CLASSES, block).each
    return probe_at(found, samples, block), found


def test_a_quick_network_answers_whole_blocks() -> None:
    probe, each = probed(1e-5, 100_000)
    assert not probe.slow
    assert probe.size % 64 == 0
    assert probe.size >= 64
    assert 0 < each < LIMIT / 64


def test_a_clock_too_coarse_to_see_a_network_at_work() -> None:
    probe, each = probed(0.0, 300)
    assert (probe.size, probe.slow) == (300, False)
    assert each > 0


@pytest.mark.parametrize("n", [1, 5, 64, 70])
def test_no_more_samples_are_answered_than_there_are(n: int) -> None:
    probe, _ = probed(1e-6, n)
    assert probe.size == n
    assert not probe.slow


@pytest.mark.parametrize("block", [1, 8, 64])
def test_a_slow_network_is_said_to_be_slow_within_a_second(block: int) -> None:
    probe, each = probed(0.1, 200, block)
    assert NOW[0] < 1.5
    assert probe.slow
    assert probe.size == max(8, block)
    assert each == pytest.approx(0.1)


def test_a_network_in_between_gets_the_fewest_samples_worth_measuring() -> None:
    probe, _ = probed(0.02, 200, 4)
    assert NOW[0] < 1.5
    assert probe.size == 8
    assert not probe.slow


def test_a_few_samples_of_a_slow_network_are_enough() -> None:
    probe, _ = probed(0.1, 2)
    assert (probe.size, probe.slow) == (2, False)


@pytest.mark.usefixtures("_third_of_a_core")
def test_a_busy_machine_makes_no_network_slow() -> None:
    """64 samples take 0.6 s of the clock, and 0.2 s of the core that the thread has a third of;
    neither the first timing nor what is learned later counts what others did meanwhile.
    """
    bench = open_workbench(Slow(0.6 / 64).eval(), data_of(64 * 40))
    assert not bench.slow
    assert bench.seconds_per_sample == pytest.approx(0.2 / 64)
    for level in (0.25, 0.5, 0.75):
        bench.evaluate(pv.Plan(sparsity={"fc": level}), 64 * 20)
    assert bench.seconds_per_sample == pytest.approx(0.2 / 64)


def test_what_a_network_waits_for_is_not_shared_with_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """0.1 s a sample that nobody works at, where the thread has a sixth of a core."""
    monkeypatch.setattr(module, "_share_of_a_core", lambda: 1 / 6)
    probe, each = probed(0.1, 64, 8)
    assert each == pytest.approx(0.1)
    assert probe.slow


def test_one_busy_moment_does_not_make_a_network_slow_for_good() -> None:
    """Nor does it make a slow one quick: every block that is answered is learned from."""
    network = Slow(1.0)
    bench = open_workbench(network.eval(), data_of(64 * 40))
    assert bench.slow
    assert bench.seconds_per_sample == pytest.approx(1.0)
    network.each = 0.001
    bench.evaluate(pv.Plan(sparsity={"fc": 0.25}), 64 * 2)
    assert bench.slow, "a few blocks are not believed at once"
    for level in (0.5, 0.75):
        bench.evaluate(pv.Plan(sparsity={"fc": level}), 64 * 20)
    assert (bench.slow, bench.probe) == (False, 64)
    assert 0.0005 <= bench.seconds_per_sample <= 0.002


def test_one_block_that_was_held_up_changes_nothing() -> None:
    network = Slow(0.001)
    bench = open_workbench(network.eval(), data_of(640))
    before = bench.probe
    network.each = 100.0
    bench.evaluate(pv.Plan(sparsity={"fc": 0.5}), 64)
    assert (bench.slow, bench.probe) == (False, before)


def test_what_a_part_of_the_network_took_tells_of_the_whole() -> None:
    pace = Pace(1.0)
    for _ in range(50):
        pace.learn(64 * 0.25, 4.0)  # a quarter of the network, a sixteenth of a second a sample
    assert pace.each == pytest.approx(0.25, rel=0.9)
    for _ in range(50):
        pace.learn(0, 4.0)
        pace.learn(64, 0.0)  # a clock that sees no time go by says nothing
    assert pace.each == pytest.approx(0.25, rel=0.9)


@pytest.mark.parametrize("each", [0.0, -1.0, float("nan")])
def test_a_pace_is_some_time(each: float) -> None:
    with pytest.raises(ValueError, match="each"):
        Pace(each)
