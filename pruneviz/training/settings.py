"""How is a network to be trained?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

STARTS = ("trained", "new")
OPTIMIZERS = ("adamw", "adam", "sgd")
SCHEDULES = ("cosine", "constant", "linear", "one-cycle")
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")


@dataclass(frozen=True)
class Training:
    """A request to train; frozen plain values. What is cut on the way a `Plan` says.

    method: of METHODS. epochs: of the whole training, in methods that go in rounds of each round.
    start: from the "trained" weights or from "new" ones, drawn with the seed; by default, "", as
    the method's paper does: "lottery" from new ones, the others from trained ones.
    optimizer, learning_rate (the highest), schedule (of each round), momentum (of sgd),
    weight_decay (of matrices and kernels alone), batch, precision: as usual.
    augmentation: of AUGMENTATIONS. seed: of new weights, order, augmentation, dropout and chance.
    samples: how many of the training samples, the first ones; None: all.

    rounds: of "iterative" and "lottery". rewind: the epoch to whose weights a ticket goes back.
    controls: whether each ticket is followed by its two controls.
    begin, end: the part of the training, as fractions, in which "gradual" and "activity" cut and
    "set" and "rigl" rewire, and at whose end "l1" and "slimming" cut. every: optimiser steps from
    one such change to the next. drop: the fraction that is rewired at first (falls as a cosine).
    strength: of the penalty of "l1" and "slimming". silent: the fraction of a unit's activations
    that must be ≤ 0 for it to count as silent; "activity" cuts silent units alone where it is
    above 0, else the least active. memory: how much the running statistics keep at each step.
    remove: whether units that are cut are removed at once, so that what follows is cheaper.
    distill: how much the answers of the dense network count, and 1 − distill the targets; with 1
    targets are not needed. temperature: of these answers, see `pruneviz.training.distillation`.
    features: how much is added to the loss of what lies between the network's inner values and
    the dense one's, at the modules feature_layers; without any at what holds its residual blocks,
    or where there are none at each layer, see `pruneviz.training.features`.
    accelerator: auto, cpu, cuda, mps; devices: on how many, of which more than one need the extra
    `devices`.

    Raises ValueError naming the value that is out of range.

    >>> pv.Training("gradual", epochs=3, every=10).epochs
    3
    """

    method: str = "one-shot"
    epochs: int = 10
    start: str = ""
    optimizer: str = "adamw"
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    momentum: float = 0.9
    weight_decay: float = 0.0
    batch: int = 64
    precision: str = "32-true"
    augmentation: str = "none"
    seed: int = 0
    samples: int | None = None
    rounds: int = 5
    rewind: int = 0
    controls: bool = False
    begin: float = 0.0
    end: float = 0.7
    every: int = 50
    drop: float = 0.3
    strength: float = 1e-4
    silent: float = 0.0
    memory: float = 0.99
    remove: bool = False
    distill: float = 0.0
    temperature: float = 2.0
    features: float = 0.0
    feature_layers: tuple[str, ...] = ()
    accelerator: str = "auto"
    devices: int = 1

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "rounds", "every", "devices"):
            _whole(name, getattr(self, name), 1)
        for name in ("seed", "rewind"):
            _whole(name, getattr(self, name), 0)
        if self.samples is not None:
            _whole("samples", self.samples, 1)
        if not self.start:
            object.__setattr__(self, "start", "new" if self.method == "lottery" else "trained")
        _one_of("start", self.start, STARTS)
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        _one_of("schedule", self.schedule, SCHEDULES)
        _one_of("precision", self.precision, PRECISIONS)
        for name in ("controls", "remove"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be True or False, got {getattr(self, name)!r}")
        if not _number(self.learning_rate) or self.learning_rate <= 0:
            raise ValueError(
                f"learning_rate must be above 0, got {self.learning_rate!r}: with less the weights "
                "would stay as they are; 0.001 is a usual start"
            )
        for name in ("weight_decay", "strength", "features"):
            if not _number(getattr(self, name)) or getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, got {getattr(self, name)!r}")
        for name in ("momentum", "memory", "begin", "end", "drop", "silent", "distill"):
            value = getattr(self, name)
            if not _number(value) or not 0 <= value <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {value!r}")
        if not _number(self.temperature) or self.temperature <= 0:
            raise ValueError(
                f"temperature must be above 0, got {self.temperature!r}; 2 is a usual start"
            )
        object.__setattr__(self, "feature_layers", _names("feature_layers", self.feature_layers))
        if self.begin >= self.end:
            raise ValueError(f"begin must lie before end, got {self.begin:g} and {self.end:g}")
        if self.rewind >= self.epochs:
            raise ValueError(
                f"rewind must be an epoch of the first round, below {self.epochs}, "
                f"got {self.rewind}"
            )

    def as_dict(self) -> dict[str, object]:
        """Plain values, as JSON and YAML can hold them.

        Without distillation they are those of before there was any, so that what was trained then
        is found again.
        """
        values = asdict(self)
        if not self.distill:
            del values["distill"], values["temperature"]
        del values["feature_layers"]
        if not self.features:
            del values["features"]
        elif self.feature_layers:
            values["feature_layers"] = [*self.feature_layers]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Training:
        """The request these plain values describe; ValueError names what does not belong."""
        names = [f.name for f in fields(cls)]
        unknown = sorted(set(values) - set(names), key=str)
        if unknown:
            raise ValueError(f"unknown key {unknown[0]!r} in a training; known are {names}")
        return cls(**values)  # type: ignore[arg-type]


def _whole(name: str, value: object, least: int) -> None:
    if type(value) is not int or value < least:
        raise ValueError(f"{name} must be a whole number of {least} or more, got {value!r}")


def _names(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(
        one and isinstance(one, str) for one in value
    ):
        raise ValueError(f"{name} must be a list of names of modules, got {value!r}")
    return tuple(dict.fromkeys(value))


def _one_of(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")


def _number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
