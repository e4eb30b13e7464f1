"""How soon does a network answer on this machine?"""

from __future__ import annotations

from pruneviz.plan import Plan
from pruneviz.workbench.evaluation_cache import EvaluationCache


class AnswerTime:
    """How soon the network of a workbench answers, as timed and learned from its answers."""

    _evaluation_cache: EvaluationCache

    @property
    def block(self) -> int:
        """How many samples are answered at a time, by the size of the largest layer."""
        return self._evaluation_cache.block

    @property
    def probe(self) -> int:
        """How many validation samples this machine answers in about 0.12 s; at least one."""
        return self._evaluation_cache.probe.size

    @property
    def slow(self) -> bool:
        """Whether too few samples can be answered while a slider moves."""
        return self._evaluation_cache.probe.slow

    @property
    def seconds_per_sample(self) -> float:
        """How long the dense network takes for one sample on this machine."""
        return self._evaluation_cache.pace.each

    def follows(self, plan: Plan) -> bool:
        """Whether a plan is answered while its slider moves, also where the network is slow: so
        little of it lies behind what the plan changes.
        """
        return self._evaluation_cache.follows(plan)

    def answer_soon(self, plan: Plan, most: int) -> int:
        """Measure a plan on up to `most` samples, as many as are answered within a second; on how
        many it is measured then.
        """
        return self._evaluation_cache.answer_soon(plan, most)
