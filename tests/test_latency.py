"""Are things timed in turn, fairly, and within bounds?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from pruneviz.measuring.latency import WARM_UP, Latency, Timing, latency, timing


class Clock:
    """Time that passes only where something takes it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.called: list[str] = []

    def __call__(self) -> float:
        return self.now

    def task(self, name: str, *seconds: float) -> Callable[[], None]:
        """Takes these seconds in turn, and the last of them from then on."""
        left = list(seconds)

        def run() -> None:
            self.called.append(name)
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_each_is_called_once_a_round_and_rounds_begin_in_turn(clock: Clock) -> None:
    calls = {name: clock.task(name, 1.0) for name in "abc"}
    found = latency(calls, 4, rounds=4, seconds=1000, clock=clock)
    warm, timed = clock.called[: 3 * WARM_UP], clock.called[3 * WARM_UP :]
    assert sorted(warm) == sorted("abc" * WARM_UP)
    assert "".join(timed) == "abcbcacababc"
    assert {timing.rounds for timing in found.timings.values()} == {4}


def test_warming_up_does_not_count(clock: Clock) -> None:
    calls = {"a": clock.task("a", 50.0, 50.0, 1.0), "b": clock.task("b", 60.0, 60.0, 2.0)}
    found = latency(calls, 1, rounds=5, seconds=1e6, clock=clock)
    assert found.timings["a"] == Timing(1.0, 1.0, 1.0, 5)
    assert found.timings["b"] == Timing(2.0, 2.0, 2.0, 5)


def test_median_and_quartiles() -> None:
    assert timing([5.0, 1.0, 4.0, 2.0, 3.0]) == Timing(3.0, 2.0, 4.0, 5)
    assert timing([1.0, 2.0, 3.0, 10.0]) == Timing(2.5, 1.75, 4.75, 4)
    assert timing([7.0]) == Timing(7.0, 7.0, 7.0, 1)


def test_batch_and_threads_are_noted(clock: Clock) -> None:
    found = latency({"a": clock.task("a", 1.0)}, 16, rounds=1, clock=clock)
    assert found == Latency({"a": Timing(1.0, 1.0, 1.0, 1)}, 16, torch.get_num_threads())


@pytest.mark.parametrize(
    ("each", "seconds", "rounds"),
    [
        (1.0, 10.0, 8),  # two rounds to warm up, then as many as end in time
        (4.0, 10.0, 1),  # one to warm up
        (100.0, 10.0, 1),  # slower than all the time there is: once warm, once timed
        (0.001, 10.0, 25),
    ],
)
def test_no_round_begins_that_would_end_too_late(
    clock: Clock, each: float, seconds: float, rounds: int
) -> None:
    found = latency({"a": clock.task("a", each)}, 1, seconds=seconds, clock=clock)
    assert found.timings["a"].rounds == rounds
    assert clock.now <= max(seconds, 2 * each)


def test_progress_rises_to_the_end_and_may_stop_it(clock: Clock) -> None:
    done: list[float] = []
    latency({"a": clock.task("a", 1.0)}, 1, rounds=3, clock=clock, progress=done.append)
    assert done == sorted(done)
    assert done[0] == 0.0
    assert all(0 <= value < 1 for value in done)

    def stop(done: float) -> None:
        if done > 0.5:
            raise KeyError(done)

    clock.called.clear()
    with pytest.raises(KeyError):
        latency({"a": clock.task("a", 1.0)}, 1, rounds=10, clock=clock, progress=stop)
    assert 0 < len(clock.called) < 12


def test_by_its_own_clock_what_sleeps_takes_time() -> None:
    found = latency({"a": lambda: sum(range(1000))}, 1, rounds=3)
    assert 0 < found.timings["a"].low <= found.timings["a"].median <= found.timings["a"].high
