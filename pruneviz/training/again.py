"""How are trainings done again, one after the other?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from pruneviz.measuring.bench import Bench
from pruneviz.progress import Progress, silent
from pruneviz.training.result import train
from pruneviz.training.steps import TrainingStep, steps_of_past

B = TypeVar("B", bound=Bench)


def train_again(
    bench: B,
    steps: Sequence[TrainingStep],
    progress: Progress = silent,
) -> B:
    """The bench of what comes of these trainings, one after the other; nothing is kept.

    A bench that came of them already is given back as it is.
    """
    if steps and steps_of_past(bench.source.past) == tuple(steps):
        return bench
    for step in steps:
        result = train(bench, step.plan, step.training, progress=progress)
        bench = type(bench)(result.source(bench.source.name), bench)
    return bench
