"""What do several processes that train one network agree on?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, distributed, nn

from pruneviz.training.one_device import OneDevice

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class Processes:
    """All processes that train the same network, each on its part of every batch; mostly one."""

    def __init__(self, runner: OneDevice | Fabric) -> None:
        self._runner = runner

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes files."""
        return self._runner.is_global_zero

    def part(self, indices: Tensor) -> Tensor:
        """The samples of a batch [n] that are this process's; at least one."""
        own = indices[self._runner.global_rank :: self._runner.world_size]
        return own if len(own) else indices[:1]

    def sum(self, own: float) -> float:
        """The sum over all processes."""
        if isinstance(self._runner, OneDevice):
            return own
        every = self._runner.all_reduce(torch.tensor(own, dtype=torch.float64), reduce_op="sum")
        assert isinstance(every, Tensor)
        return float(every)

    def agree_(self, network: nn.Module) -> None:
        """Buffers of the first process in all: batch norms have seen other samples in each, and
        what they know decides, in some criteria, what is cut.
        """
        if self._runner.world_size > 1:
            for buffer in network.buffers():
                distributed.broadcast(buffer, 0)
