"""Which samples does each step of a training see?"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from pruneviz.data import Data
from pruneviz.training.devices import seed_of
from pruneviz.training.processes import Processes
from pruneviz.training.run import Run
from pruneviz.training.settings import Training


def steps_of(samples: int, training: Training) -> int:
    """Batches an epoch. A last one of a single sample joins the one before: alone it would move
    all weights as much as a whole batch does, and no batch norm can train on it.
    """
    whole, rest = divmod(samples, training.batch)
    alone = rest == 1 and whole > 0 and training.batch > 1
    return whole + (rest > 0 and not alone)


def batches(run: Run, data: Data, processes: Processes) -> Iterator[tuple[Data, torch.Generator]]:
    """The samples of an epoch in an order of this leg and epoch, this process's part of each batch;
    with the generator that augmentation draws from.
    """
    place = (run.leg, run.epoch, 1) if run.here.aside else (run.own, run.epoch)
    chance = torch.Generator().manual_seed(seed_of(run.training.seed, *place))
    order = torch.randperm(len(data), generator=chance)
    sizes = [run.training.batch] * (steps_of(len(data), run.training) - 1)
    for indices in torch.split(order, [*sizes, len(order) - sum(sizes)]):
        yield data.take(processes.part(indices)), chance
