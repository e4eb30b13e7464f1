"""How does a network train for an epoch, with what is cut held at zero?"""

from __future__ import annotations

import time

from pruneviz.data import Data
from pruneviz.training.batches import batches
from pruneviz.training.epoch_meter import EpochMeter
from pruneviz.training.live_removal import remove_cut
from pruneviz.training.mask_schedule import MaskSchedule
from pruneviz.training.processes import Processes
from pruneviz.training.run import Run
from pruneviz.training.stepper import Stepper
from pruneviz.turns import piece


class Loop:
    """A run with what drives it, each part with one job; data: what it trains on."""

    def __init__(
        self,
        run: Run,
        data: Data,
        stepper: Stepper,
        masks: MaskSchedule,
        processes: Processes,
        meter: EpochMeter,
    ) -> None:
        self.run, self.data = run, data
        self.stepper, self.masks, self.processes, self.meter = stepper, masks, processes, meter

    def epoch(self) -> None:
        """Train one epoch, measure it, and write its row."""
        run = self.run
        began, total, reporting_time = time.perf_counter(), 0.0, 0.0
        for number, (part, chance) in enumerate(batches(run, self.data, self.processes)):
            now = time.perf_counter()
            self.meter.report(number)  # it may wait, for as long as somebody pauses it
            reporting_time += time.perf_counter() - now
            with piece():
                total += self.stepper.backward(part, chance) * len(part)
            self._change_masks()  # it may measure, and wait for turns of its own
            self.stepper.update()
        self.stepper.check()
        run.epoch += 1
        seconds = time.perf_counter() - began - reporting_time
        self.processes.agree_(run.network)
        self.measure(self.processes.sum(total) / len(self.data), seconds)

    def measure(self, loss: float, seconds: float) -> None:
        """Write a row of the network as it is."""
        self.meter.measure(loss, seconds, self.stepper.rate)

    def remove(self) -> None:
        """Take what is cut out of the network for real, if the settings ask for it."""
        if self.run.training.remove and remove_cut(self.run):
            self.stepper.take_network()
            self.stepper.take_optimizer(self.stepper.schedule)

    def _change_masks(self) -> None:
        if not self.masks.is_due:
            return
        self.processes.agree_(self.run.network)
        if self.masks.advance():
            self.remove()
            self.meter.show()
