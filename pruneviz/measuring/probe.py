"""How many samples can be answered while a thumb moves?"""

from __future__ import annotations

import time

from torch import nn

from pruneviz.measuring.evaluate import BLOCK, answer
from pruneviz.sources import Data

SECONDS = 0.12
_ROUNDS = 3


def probe_size(model: nn.Module, data: Data) -> int:
    """Samples, in whole blocks, that this machine answers in about 0.12 s; at least one block.

    Timed on the dense network, after one block to warm up; the median of three.
    """
    seconds = []
    for _ in range(1 + _ROUNDS):
        start = time.perf_counter()
        answer(model, {}, data, 0, BLOCK)
        seconds.append(time.perf_counter() - start)
    blocks = max(1, int(SECONDS / sorted(seconds[1:])[_ROUNDS // 2]))
    return min(blocks * BLOCK, len(data))
