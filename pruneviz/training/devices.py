"""On which device does a training run?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import torch
from lightning_fabric import Fabric
from torch import Tensor

from pruneviz.training.settings import Training

_CHANCE = RLock()


def fabric_for(training: Training) -> Fabric:
    """Lightning Fabric at the devices asked for; ValueError in its words where there are none.

    Fabric, not Accelerate: its state belongs to the object. Accelerate keeps one for the whole
    process, and two sessions that train at once would share it.
    """
    try:
        return Fabric(
            accelerator=training.accelerator,
            devices=training.devices,
            precision=training.precision,  # type: ignore[arg-type]
        )
    except Exception as error:  # it raises its own kinds, and those of what it looks for
        raise ValueError(
            f"cannot train on {training.devices} device(s) of {training.accelerator!r}: {error}"
        ) from None


class Chance:
    """A stream of random numbers of one training's own, whatever else draws in the process.

    Dropout draws from torch's global generators, so a step holds them for itself; others that
    train wait for it. states: of the generators, the CPU's first.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self._cuda = device if device.type == "cuda" else None
        self.states: list[Tensor] = []
        with _CHANCE, torch.random.fork_rng(self._devices()):
            torch.manual_seed(seed)
            self.states = self._now()

    @contextmanager
    def own(self) -> Iterator[None]:
        """Random numbers come from this stream inside."""
        with _CHANCE, torch.random.fork_rng(self._devices()):
            torch.set_rng_state(self.states[0])
            if self._cuda is not None:
                torch.cuda.set_rng_state(self.states[1], self._cuda)
            yield
            self.states = self._now()

    def _devices(self) -> list[torch.device]:
        return [] if self._cuda is None else [self._cuda]

    def _now(self) -> list[Tensor]:
        cuda = [] if self._cuda is None else [torch.cuda.get_rng_state(self._cuda)]
        return [torch.get_rng_state(), *cuda]


def seed_of(seed: int, *where: int) -> int:
    """A seed for one place of a training (leg, epoch): resuming there draws the same numbers."""
    value = seed
    for step in where:  # Knuth's multiplier; any odd constant does
        value = (value * 6364136223846793005 + step + 1442695040888963407) % 2**63
    return value
