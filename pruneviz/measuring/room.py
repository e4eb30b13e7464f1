"""How many samples fit into memory at once?"""

from __future__ import annotations

import logging

import torch

_LOG = logging.getLogger(__name__)


class Room:
    """How many samples are answered at once: `size`, which is halved where memory is too little.

    note: what is said then, or "".
    """

    def __init__(self, block: int) -> None:
        self.size, self.note = block, ""

    def halve(self, samples: int, first: int) -> None:
        """`samples` at once, from sample `first` on, were too many. ValueError if it was one."""
        if samples == 1:
            raise ValueError(
                f"memory does not suffice to measure even one sample (number {first}); use smaller "
                "inputs or a smaller network, close other programs, or take a machine with more"
            )
        self.size = samples // 2
        self.note = (
            f"memory did not suffice for {samples} samples at once, so they are measured in blocks "
            f"of {self.size}; only rounding in the last digits may differ"
        )
        _LOG.warning("%s", self.note)
        torch.cuda.empty_cache()  # nothing where CUDA is not in use
