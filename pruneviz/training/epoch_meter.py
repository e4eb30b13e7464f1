"""How good is a network at each epoch of its training, and who is told?"""

from __future__ import annotations

import math
from collections.abc import Callable

from pruneviz.data import Data
from pruneviz.measuring.answers import answer
from pruneviz.measuring.evaluate import Evaluation, summarise
from pruneviz.measuring.score import change
from pruneviz.plan import Plan
from pruneviz.progress import Progress
from pruneviz.training.batches import steps_of
from pruneviz.training.run import EpochRow, Moment, Run

Watch = Callable[[Moment], None]


class EpochMeter:
    """Writes the rows of a run, and reports how far it is; data: what it trains on."""

    def __init__(self, run: Run, data: Data, progress: Progress, watch: Watch) -> None:
        self._run, self._data = run, data
        self._progress, self._watch = progress, watch

    def report(self, step: int) -> None:
        """Say that this step of the epoch begins; `progress` may raise to stop, or wait."""
        run = self._run
        label = f"{run.here.name}, epoch {run.epoch + 1} of {run.here.epochs}"
        self._progress(label, self._fraction(step))

    def show(self) -> None:
        """Give the moment to `watch`."""
        run = self._run
        self._watch(Moment(run, self._fraction(0), tuple(run.rows), tuple(run.events)))

    def measure(self, loss: float, seconds: float, rate: float) -> None:
        """Measure the network as it is, write a row, and show it."""
        run, bench = self._run, self._run.bench
        validation = self._evaluate(bench.source.validation)
        train_loss, train_accuracy = self._training_side()
        dense = bench.evaluate(Plan())
        delta, low, high = change(validation.scores, dense.scores, dense.weight, bench.task)
        run.rows.append(
            EpochRow(
                leg=run.here.name,
                epoch=run.epoch,
                loss=loss,
                train_loss=train_loss,
                train_accuracy=train_accuracy,
                validation_loss=validation.loss,
                accuracy=validation.accuracy,
                low=validation.low,
                high=validation.high,
                delta=delta,
                delta_low=low,
                delta_high=high,
                gap=train_accuracy - validation.accuracy,
                sparsity=run.sparsity,
                params=run.params,
                size=sum(p.numel() for p in run.network.parameters()),
                seconds=seconds,
                learning_rate=rate,
                aside=run.here.aside,
            )
        )
        self.show()

    def _training_side(self) -> tuple[float, float]:
        """(loss, score) on the first training samples; NaN where nothing judges them."""
        judges = self._run.bench.source.validation
        if self._data.targets is None and judges.targets is not None:
            return math.nan, math.nan
        training = self._evaluate(self._data.first(min(len(self._data), len(judges))))
        return training.loss, training.accuracy

    def _evaluate(self, data: Data) -> Evaluation:
        run, bench = self._run, self._run.bench
        # What is compared with dense is compared with the network as it was first opened.
        dense = bench.original.source.model if bench.task.needs_dense else None
        outcome = answer(run.network, {}, data, 0, len(data), bench.task, bench.block, dense=dense)
        return summarise(outcome, outcome, data.targets, (), len(data), bench.task)

    def _fraction(self, step: int) -> float:
        run = self._run
        before = sum(leg.epochs for leg in run.legs[: run.leg])
        epochs = before + run.epoch + step / steps_of(len(self._data), run.training)
        return min(1.0, epochs / max(1, sum(leg.epochs for leg in run.legs)))
