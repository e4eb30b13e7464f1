"""On which device does a training run?"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock, current_thread, main_thread
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pruneviz.training.one_device import OneDevice
from pruneviz.training.settings import Training

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_CHANCE = RLock()


def device_for(training: Training) -> OneDevice | Fabric:
    """Where a training runs, as asked for; ValueError where there is no such device."""
    try:
        if training.devices == 1:
            return OneDevice(training.accelerator, training.precision)
        _check_processes(training.devices)
        return _fabric(training)
    except Exception as error:  # Fabric raises its own kinds, and those of what it looks for
        raise ValueError(
            f"cannot train on {training.devices} device(s) of {training.accelerator!r}: {error}"
        ) from None


def _fabric(training: Training) -> Fabric:
    """Lightning Fabric on several devices: the program is started once for each but the first,
    with the same words.

    Fabric, not Accelerate: its state belongs to the object. Accelerate keeps one for the whole
    process, and two sessions that train at once would share it.
    """
    try:
        import lightning_fabric
    except ImportError as error:
        raise ValueError(
            f"several devices need Lightning Fabric ({error}); pip install 'pruneviz[devices]', "
            "or train on one"
        ) from error
    fabric = lightning_fabric.Fabric(
        accelerator=training.accelerator,
        devices=training.devices,
        strategy="ddp",
        precision=training.precision,  # type: ignore[arg-type]
    )
    fabric.launch()
    return fabric


def _check_processes(devices: int) -> None:
    """ValueError where this program cannot be started again for the other devices."""
    variables = {"LOCAL_RANK", "TORCHELASTIC_RUN_ID"} & {*os.environ}
    script = bool(sys.argv[0]) and sys.argv[0] != "-c" and not hasattr(sys, "ps1")
    if not variables and not (script and current_thread() is main_thread()):
        raise ValueError(
            "the program is started once for each, which needs a script or a command line: "
            f"pruneviz train … --devices {devices}; train on one here"
        )


@contextmanager
def seed_generators(seed: int, device: torch.device) -> Iterator[None]:
    """torch's global generators (the CPU's and the device's) begin at a seed; all is put back.

    Only one training at a time is inside, or in `RandomStream.own`.
    """
    cuda = device if device.type == "cuda" else None
    with _CHANCE, torch.random.fork_rng([] if cuda is None else [cuda]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed all devices
        if cuda is not None:
            with torch.cuda.device(cuda):
                torch.cuda.manual_seed(seed)
        yield


class RandomStream:
    """A stream of random numbers of one training's own, whatever else draws in the process.

    Dropout draws from torch's global generators, so a step holds them for itself; others that
    train wait for it. device: where it trains. states: of the generators, the CPU's first.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device = device
        self._cuda = device if device.type == "cuda" else None
        self.states: list[Tensor] = []
        with seed_generators(seed, device):
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
