"""Which samples does a training learn from?"""

from __future__ import annotations

from dataclasses import replace

from pruneviz.data import Data
from pruneviz.measuring.bench import Bench
from pruneviz.training.settings import Training


def training_data(bench: Bench, training: Training) -> Data:
    """The samples to train on: the source's own, or those that calibrate; ValueError if they have
    no targets, and answers of the dense network are not all that is learnt from.
    """
    source = bench.source
    data = source.calibration if source.training is None else source.training
    if training.distill < 1 and (data.targets is None or bench.task.against_dense):
        raise ValueError(
            "training needs targets, and this data has none; open it with targets, or learn from "
            "the dense network's answers alone: distill=1 (--distill 1)"
        )
    return data if training.samples is None else data.first(training.samples)


def samples_text(bench: Bench, training: Training) -> str:
    """How many samples there are to learn from, which, and what it means; ValueError as above."""
    n, most = (
        len(training_data(bench, training)),
        len(training_data(bench, replace(training, samples=None))),
    )
    number = f"{n:,} samples" if n == most else f"{n:,} of {most:,} samples"
    if bench.source.training is not None:
        return f"{number} to learn from, kept for training alone"
    return (
        f"{number} to learn from: the calibration samples, which the criteria use too, because "
        f"no training data was given (--train FILE, pv.open(…, train=…), or beside Upload). The "
        f"{len(bench.source.validation):,} validation samples are never trained on"
    )
