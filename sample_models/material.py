"""What does a sample network learn from, and what is it measured on?"""

from __future__ import annotations

from dataclasses import dataclass

from pruneviz.data import Data
from pruneviz.language import Language


@dataclass(frozen=True)
class Material:
    """Samples that train, calibrate and measure; all of them shared, so never write to them.

    classes: names of what is answered, or of skills. task: see `Source`. notes: on how the samples
    were chosen. language: of a language model, how text becomes its words and back.
    """

    training: Data
    calibration: Data
    validation: Data
    classes: tuple[str, ...]
    notes: tuple[str, ...]
    task: str | None = None
    language: Language | None = None
