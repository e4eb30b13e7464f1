"""What has been measured already?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from pruneviz.data import Outcome
from pruneviz.measuring.answers import empty_outcome, join
from pruneviz.plan import Plan
from pruneviz.pruning.prune import active
from pruneviz.storage.cache import Cache


@dataclass
class _Record:
    outcome: Outcome = field(default_factory=empty_outcome)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Outcomes:
    """What the networks of the plans asked for last have answered, each as far as it was asked.

    ask(plan, start, stop) answers samples start..stop; it is never called for the same twice,
    also when several threads want the same plan. Plans that cut the same are the same.
    """

    def __init__(self, bound: int, ask: Callable[[Plan, int, int], Outcome]) -> None:
        self._records: Cache[_Record] = Cache(bound)
        self._ask = ask

    def first(self, plan: Plan, n: int) -> Outcome:
        """What `plan` answers to the first n samples, or to more of them if it has."""
        plan = canonical(plan)
        record = self._records.get_or(plan, _Record)
        outcome = record.outcome
        if len(outcome) >= n:  # not to wait for samples beyond these that are being answered
            return outcome
        with record.lock:
            have = len(record.outcome)
            if have < n:
                record.outcome = join(record.outcome, self._ask(plan, have, n))
            return record.outcome

    def count(self, plan: Plan) -> int:
        """How many samples `plan` has answered already."""
        record = self._records.get(canonical(plan))
        return 0 if record is None else len(record.outcome)

    def put(self, plan: Plan, outcome: Outcome) -> None:
        """Keep `outcome` for `plan` in place of what there was."""
        record = self._records.get_or(canonical(plan), _Record)
        with record.lock:
            record.outcome = outcome


@lru_cache(4096)  # asked several times for every plan of a chart
def canonical(plan: Plan) -> Plan:
    """The one plan that stands for all that cut the same: without what has no effect."""
    if plan.is_dense:
        return Plan()
    return replace(
        active(plan),
        relative=plan.relative and plan.scope != "layer",
        seed=plan.seed if plan.criterion == "random" else 0,
    )
