"""How long do several things take, timed side by side?"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from pruneviz.progress import ShareDone, silent_share

ROUNDS, WARM_UP = 25, 2
SECONDS = 20.0


@dataclass(frozen=True)
class Timing:
    """Seconds: the median, and the quartiles below and above it, of `rounds` calls."""

    median: float
    low: float
    high: float
    rounds: int


@dataclass(frozen=True)
class Latency:
    """What was timed, by name, and under which conditions."""

    timings: Mapping[str, Timing]
    batch: int
    threads: int


def latency(
    calls: Mapping[str, Callable[[], object]],
    batch: int,
    *,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.perf_counter,
    progress: ShareDone = silent_share,
) -> Latency:
    """Time these calls in turn: so whatever else the machine does, it does to all of them.

    Each is called twice to warm up, then once a round, and each round begins with the next one.
    No further round begins when it would likely end after `seconds` in all; one always runs.
    `progress` is called with the fraction done before each round; it may raise to stop.
    """
    seconds_of: dict[str, list[float]] = {name: [] for name in calls}
    began = clock()
    last = 0.0
    for round_ in range(-WARM_UP, rounds):
        spent = clock() - began
        rounds_needed = 1 + (
            round_ < 0
        )  # a round of warming up is worth it with one that counts after it
        if round_ > -WARM_UP and spent + rounds_needed * last > seconds:
            if round_ > 0:
                break
            if round_ < 0:
                continue
        progress(max(spent / seconds, (round_ + WARM_UP) / (rounds + WARM_UP)))
        for name in _rotate(list(calls), round_):
            start = clock()
            calls[name]()
            if round_ >= 0:
                seconds_of[name].append(clock() - start)
        last = clock() - began - spent
    return Latency({n: timing(t) for n, t in seconds_of.items()}, batch, torch.get_num_threads())


def timing(seconds: list[float]) -> Timing:
    """Median and quartiles (linear between neighbours) of what was timed."""
    if len(seconds) == 1:
        return Timing(seconds[0], seconds[0], seconds[0], 1)
    low, median, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return Timing(median, low, high, len(seconds))


def _rotate(names: list[str], by: int) -> list[str]:
    by %= max(1, len(names))
    return names[by:] + names[:by]
