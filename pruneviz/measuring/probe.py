"""How many samples can be answered while a thumb moves?"""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import nn

from pruneviz.data import Data
from pruneviz.measuring.answers import BLOCK, answer
from pruneviz.measuring.pace import Pace
from pruneviz.tasks import Task
from pruneviz.turns import piece

SECONDS = 0.12  # what a probe should take
LIMIT = 0.3  # beyond that it no longer follows the thumb
PATIENCE = 1.0  # what an answer may take that is otherwise there only on release
_FEWEST = 8
_BUDGET = 1.0  # for finding out
_ROUNDS = 3
_TICK = 1e-9  # seconds; a coarse clock may see none go by
_YARD, _YARDS = 128, 24  # a product of matrices of this size, so many times: some milliseconds
_WAITS = 4.0  # times: where a network takes so much longer than it computes, it waits for something


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


def time_samples(model: nn.Module, data: Data, task: Task, block: int = BLOCK) -> Pace:
    """How many seconds the dense network takes for a sample on this machine.

    What others do on the machine meanwhile is taken off: a class that arrives all at once makes no
    network slow. Not where the network waits itself, as for another processor: then others cost it
    nothing. One sample is timed first, then more of them as long as they promise to be done
    within a second in all; then the median of up to three rounds of the fewest samples worth
    measuring.
    """

    waits = False

    def seconds(samples: int) -> float:
        nonlocal waits
        part = data.first(samples)
        with piece():  # alone: what others have measured meanwhile is not this network's time
            share = _share_of_a_core()
            start, began = time.perf_counter(), time.thread_time()
            answer(model, {}, part, 0, samples, task, block)
            worked, took = time.thread_time() - began, time.perf_counter() - start
            waits = share * took > _WAITS * worked
            return took if waits else share * took

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
    each = max(sorted(rounds)[len(rounds) // 2], _TICK) / samples
    return Pace(each, waits=waits)


def _share_of_a_core() -> float:
    """How much of a core a thread has here, in 0..1: by work that only waits where others run."""
    yard = torch.ones(_YARD, _YARD)
    start, began = time.perf_counter(), time.thread_time()
    for _ in range(_YARDS):
        yard @ yard
    took, worked = time.perf_counter() - start, time.thread_time() - began
    return min(1.0, worked / took) if took > 0 and worked > 0 else 1.0
