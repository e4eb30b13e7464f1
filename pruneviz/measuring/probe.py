"""How many samples can be answered while a thumb moves?"""

from __future__ import annotations

import time
from dataclasses import dataclass

from torch import nn

from pruneviz.data import Data
from pruneviz.measuring.answers import BLOCK, answer
from pruneviz.tasks import Task
from pruneviz.turns import piece

SECONDS = 0.12  # what a probe should take
LIMIT = 0.3  # beyond that it no longer follows the thumb
PATIENCE = 1.0  # what an answer may take that is otherwise there only on release
_FEWEST = 8
_BUDGET = 1.0  # for finding out
_ROUNDS = 3
_TICK = 1e-9  # seconds; a coarse clock may see none go by


@dataclass(frozen=True)
class Probe:
    """size: samples, in whole blocks, answered in about 0.12 s; at least 8 and one block.

    slow: not even so few can be answered in 0.3 s.
    """

    size: int
    slow: bool


def fewest(samples: int, block: int) -> int:
    """How many of the samples must be answered at least, in whole blocks, to say anything."""
    return min(-(-max(_FEWEST, block) // block) * block, samples)


def probe_at(each: float, samples: int, block: int) -> Probe:
    """The probe of a network that takes `each` seconds a sample; samples: how many there are."""
    least = fewest(samples, block)
    slow = each * least > LIMIT
    blocks = max(1, int(SECONDS / each / block))
    return Probe(least if slow else min(max(least, blocks * block), samples), slow)


def time_samples(model: nn.Module, data: Data, task: Task, block: int = BLOCK) -> float:
    """How many seconds the dense network takes for a sample on this machine.

    One sample is timed first, then more of them as long as they promise to be done within a
    second in all; then the median of up to three rounds of the fewest samples worth measuring.
    """

    def seconds(samples: int) -> float:
        part = data.first(samples)
        with piece():  # alone: what others have measured meanwhile is not this network's time
            start = time.perf_counter()
            answer(model, {}, part, 0, samples, task, block)
            return time.perf_counter() - start

    began, least = time.perf_counter(), fewest(len(data), block)
    seconds(1)  # the first call of all is slower
    samples, took = 1, seconds(1)
    while samples < least:
        more = min(samples * _FEWEST, least)
        if time.perf_counter() - began + took * more / samples > _BUDGET:
            break
        samples, took = more, seconds(more)
    rounds = [took]
    while len(rounds) < _ROUNDS and time.perf_counter() - began + max(rounds) < _BUDGET:
        rounds.append(seconds(samples))
    return max(sorted(rounds)[len(rounds) // 2], _TICK) / samples
