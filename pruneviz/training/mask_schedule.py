"""At which steps of a training do its masks change, and to what?"""

from __future__ import annotations

import math

from pruneviz.training.legs import on_the_way
from pruneviz.training.methods import Method
from pruneviz.training.run import Run


class MaskSchedule:
    """The changes of a run's masks while it trains, as its method makes them."""

    def __init__(self, run: Run, method: Method) -> None:
        self._run, self.method = run, method

    @property
    def is_due(self) -> bool:
        """Whether the masks change at the step the run is at."""
        run, training = self._run, self._run.training
        first, last = self._stretch
        return run.here.changes and (
            self._at_end or (run.step % training.every == 0 and first <= run.step <= last)
        )

    def advance(self) -> bool:
        """Change the masks as this step asks for; whether they are others now."""
        run, (first, last) = self._run, self._stretch
        before, t = run.masks, min(1.0, (run.step - first) / max(1.0, last - first))
        change = self.cut if self.method.change is None else self._rewire
        change(1.0 if self._at_end else t)
        return run.masks is not before

    def cut(self, done: float) -> None:
        """Cut what the plan's criterion says, as far as the plan has come."""
        run = self._run
        plan = on_the_way(run.plan, done, self.method.law)
        before = run.masks.gone
        run.hold(run.structure.cut(run.network, plan, run.masks))
        if run.masks.gone > before:
            run.tell("cut", "", run.masks.gone - before, f"by {run.plan.criterion}")

    def _rewire(self, done: float) -> None:
        assert self.method.change is not None
        self.method.change(self._run, done)

    @property
    def _stretch(self) -> tuple[float, float]:
        """The first and the last step at which masks change."""
        training = self._run.training
        return training.begin * self._run.steps, training.end * self._run.steps

    @property
    def _at_end(self) -> bool:
        return self._run.step == max(1, math.floor(self._stretch[1]))
