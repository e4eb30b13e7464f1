"""What did the data that a user gave turn out to be?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from pruneviz.data import Data, Inputs
from pruneviz.sources.spec import InputSpec


@dataclass(frozen=True)
class Samples:
    """Data on its two sides, ready for a Source, with the sentences that say how it got there.

    training: what may train, where it is given apart.
    """

    calibration: Data
    validation: Data
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    training: Data | None = None

    def with_note(self, note: str) -> Samples:
        """The same samples, with one more sentence before the others."""
        return replace(self, notes=(note, *self.notes))


@dataclass(frozen=True)
class RawData:
    """What a reader found, as it lay there: any number type, not yet checked, not yet split.

    data: all samples; or, where `calibration` is given apart, those that validate.
    classes: the names of the targets 0, 1, ...; empty where there are none.
    """

    data: Data
    calibration: Data | None = None
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DataRequest:
    """How data is to be read: what the network's source states, and what the user says instead.

    size: height and width in pixels. mean, std: for each channel, of pixels in 0..1; None: as
    the spec says. limit: the most samples taken from what is not in memory yet. max_bytes: the
    most memory these may take as float32. language: the targets are the next tokens.
    tokenizer: the folder of a Transformers tokenizer, for texts. ignore: the target of positions
    that do not count. target: the column of a table that holds the targets. accepts: whether the
    network takes inputs as they are; None: unknown.
    """

    spec: InputSpec = field(default_factory=lambda: InputSpec("unknown"))
    size: tuple[int, int] | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    seed: int = 0
    limit: int = 10_000
    max_bytes: int = 2**30
    language: bool = False
    tokenizer: Path | None = None
    ignore: int | None = None
    target: str | None = None
    accepts: Callable[[Inputs], bool] | None = None

    @property
    def is_image(self) -> bool:
        return self.spec.kind == "image"

    def scaling(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """(mean, std) that normalise pixels in 0..1; both empty: nothing is to be normalised."""
        mean = self.spec.mean if self.mean is None else self.mean
        std = self.spec.std if self.std is None else self.std
        if not mean and not std:
            return (), ()
        channels = max(len(mean), len(std))
        return mean or (0.0,) * channels, std or (1.0,) * channels
