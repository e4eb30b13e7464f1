"""How far is a training, and what has it done so far?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import pandas as pd
import torch
from torch import Tensor, nn

from pruneviz.measuring.bench import Bench
from pruneviz.network.replica import state
from pruneviz.plan import Plan
from pruneviz.training.devices import RandomStream
from pruneviz.training.legs import Leg
from pruneviz.training.mask_set import MaskSet
from pruneviz.training.settings import Training
from pruneviz.training.structure import Structure


@dataclass(frozen=True)
class EpochRow:
    """One epoch, measured at its end; epoch 0 of a leg is what it began with.

    leg: its name; aside: whether it is a control. epoch: within the leg. loss: mean over the
    batches it was trained on, with the penalty; NaN in epoch 0. train_accuracy, train_loss: in
    evaluation mode on the first training samples, not augmented, as many as validate; NaN where
    only those that validate have targets. accuracy, low, high, validation_loss: on all validation
    samples, with the 95 % interval. delta, delta_low, delta_high: against the network that the
    training was opened on, paired. gap: train_accuracy − accuracy. sparsity: fraction of the first
    network's parameters that are gone. params: that are left. size: that the network holds, zeros
    included. seconds: of the training alone; learning_rate: at its end.
    """

    leg: str
    epoch: int
    loss: float
    train_loss: float
    train_accuracy: float
    validation_loss: float
    accuracy: float
    low: float
    high: float
    delta: float
    delta_low: float
    delta_high: float
    gap: float
    sparsity: float
    params: int
    size: int
    seconds: float
    learning_rate: float
    aside: bool = False


@dataclass(frozen=True)
class Event:
    """Something that was cut, rewired or removed. leg, epoch (begun so far), step: when.

    kind: "cut", "rewired", "removed", "silent" or "rewound". layer: "" for all. unit: -1 for many.
    number: of items. words: what it had been doing, or why.
    """

    leg: str
    epoch: int
    step: int
    kind: str
    layer: str
    unit: int
    number: int
    words: str


@dataclass
class Run:
    """The state of a training; methods read it and change masks through `hold`.

    network: the user's own, on its device, in training mode; never wrapped. leg, epoch: at which
    it is; step, steps: optimiser steps within the leg, so far and in all. saved: weights to go
    back to, by name ("rewind"); ticket: masks and weights that are at hand while a control runs.
    size: parameters of the network when it began. removed: lead of a group -> kept units, for each
    removal in turn. memory: what a method keeps for itself as tensors, by name.
    """

    bench: Bench
    plan: Plan
    training: Training
    network: nn.Module
    optimizer: torch.optim.Optimizer
    structure: Structure
    chance: RandomStream
    legs: tuple[Leg, ...]
    size: int
    leg: int = 0
    epoch: int = 0
    step: int = 0
    steps: int = 1
    masks: MaskSet = field(default_factory=MaskSet)
    rows: list[EpochRow] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    saved: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    ticket: tuple[dict[str, Tensor], MaskSet] | None = None
    removed: list[dict[str, Tensor]] = field(default_factory=list)
    memory: dict[str, Tensor] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def here(self) -> Leg:
        """The leg at which it is."""
        return self.legs[self.leg]

    @property
    def params(self) -> int:
        """Parameters that are left."""
        return sum(p.numel() for p in self.network.parameters()) - self.masks.gone

    @property
    def sparsity(self) -> float:
        """Fraction of the first network's parameters that are gone."""
        return 1 - self.params / self.size

    @property
    def weights(self) -> dict[str, Tensor]:
        """Every parameter and buffer, copied to the CPU."""
        return {name: t.detach().cpu().clone() for name, t in state(self.network).items()}

    @property
    def own(self) -> int:
        """How many legs that are no controls came before, so that controls disturb no chance."""
        return sum(not leg.aside for leg in self.legs[: self.leg])

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Write these parameters and buffers into the network, by name."""
        here = state(self.network)  # buffers that no state_dict has are among them
        with torch.no_grad():
            for name, tensor in tensors.items():
                here[name].copy_(tensor)

    def hold(self, masks: MaskSet) -> None:
        """From now on these masks hold, in weights and in what the optimiser remembers."""
        self.masks = masks
        masks.hold_weights_(self.network)
        masks.hold_momentum_(self.network, self.optimizer)

    def tell(self, kind: str, layer: str, number: int, words: str, unit: int = -1) -> None:
        """Write an event into the record."""
        self.events.append(
            Event(self.here.name, self.epoch, self.step, kind, layer, unit, number, words)
        )


@dataclass(frozen=True)
class Moment:
    """What can be watched while a training goes on; given to `watch`, in the training's thread.

    done: 0..1 of all steps. rows: one an epoch. events: what was cut, rewired or removed.
    """

    run: Run = field(repr=False)
    done: float
    rows: tuple[EpochRow, ...]
    events: tuple[Event, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row an epoch, as `EpochRow` has them."""
        return table_of(self.rows)

    @property
    def levels(self) -> dict[str, float]:
        """Layer -> fraction of its weights that is cut, of those the network still holds."""
        layers = self.run.structure.layers
        masks = self.run.masks.layers
        return {
            name: 1 - int(masks[name].count_nonzero()) / layer.size if name in masks else 0.0
            for name, layer in layers.items()
        }

    def weight(self, layer: str) -> Tensor:
        """A copy of a layer's weight now, [units, inputs, ...], NaN where it is cut."""
        place = self.run.structure.layers[layer]
        tensor = place.canonical(state(self.run.network)[place.weight]).float().cpu().clone()
        mask = self.run.masks.layers.get(layer)
        return tensor if mask is None else tensor.masked_fill(~mask.cpu(), torch.nan)


def table_of(rows: tuple[EpochRow, ...] | list[EpochRow]) -> pd.DataFrame:
    """One row an epoch, columns as in `EpochRow`."""
    return pd.DataFrame([asdict(row) for row in rows], columns=[*EpochRow.__dataclass_fields__])


def events_of(events: tuple[Event, ...] | list[Event]) -> pd.DataFrame:
    """One row an event, columns as in `Event`."""
    return pd.DataFrame([asdict(e) for e in events], columns=[*Event.__dataclass_fields__])
