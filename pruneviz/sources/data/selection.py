"""Which samples are taken from more than is wanted in memory?"""

from __future__ import annotations

import torch
from torch import Tensor

from pruneviz.sources.data.samples import DataRequest


def most(bytes_each: int, request: DataRequest) -> int:
    """How many samples of this size may be held: at least two."""
    return max(2, min(request.limit, request.max_bytes // max(1, bytes_each)))


def choose(n: int, bytes_each: int, request: DataRequest) -> tuple[Tensor, list[str]]:
    """Ascending int64 indices of the samples taken, all or a seeded few; and the sentence."""
    room = most(bytes_each, request)
    if n <= room:
        return torch.arange(n), []
    order = torch.randperm(n, generator=torch.Generator().manual_seed(request.seed))
    return order[:room].sort().values, [f"{room:,} of {n:,} samples were taken, a seeded choice"]
