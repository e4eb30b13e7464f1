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
_FEWEST = 8
_BUDGET = 1.0  # for finding out
_ROUNDS = 3
_TICK = 1e-9  # seconds; a coarse clock may see none go by


@dataclass(frozen=True)
class Probe:
    """size: samples, in whole blocks, answered in about 0.12 s; at least 8 and one block.

    slow: not even so few can be answered in 0.3 s. seconds_per_sample: as timed.
    """

    size: int
    slow: bool
    seconds_per_sample: float


def probe_size(model: nn.Module, data: Data, task: Task, block: int = BLOCK) -> Probe:
    """How many samples this machine answers in about 0.12 s, timed on the dense network.

    One sample is timed first, then more of them as long as they promise to be done within a
    second in all; then the median of up to three rounds of the fewest samples worth measuring.
    """

    def seconds(samples: int) -> float:
        part = data.first(samples)
        with piece():  # alone: what others have measured meanwhile is not this network's time
            start = time.perf_counter()
            answer(model, {}, part, 0, samples, task, block)
            return time.perf_counter() - start

    began = time.perf_counter()
    fewest = min(-(-max(_FEWEST, block) // block) * block, len(data))
    seconds(1)  # the first call of all is slower
    samples, took = 1, seconds(1)
    while samples < fewest:
        more = min(samples * _FEWEST, fewest)
        if time.perf_counter() - began + took * more / samples > _BUDGET:
            break
        samples, took = more, seconds(more)
    rounds = [took]
    while len(rounds) < _ROUNDS and time.perf_counter() - began + max(rounds) < _BUDGET:
        rounds.append(seconds(samples))
    each = max(sorted(rounds)[len(rounds) // 2], _TICK) / samples
    slow = each * fewest > LIMIT
    blocks = max(1, int(SECONDS / each / block))
    return Probe(fewest if slow else min(max(fewest, blocks * block), len(data)), slow, each)
