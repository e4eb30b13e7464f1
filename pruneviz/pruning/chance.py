"""What would chance have cut in place of a plan?"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA


@lru_cache(4096)  # asked several times for every plan of a chart
def control_of(plan: Plan) -> Plan | None:
    """The same plan by the random criterion, or None where there is nothing to compare."""
    random = CRITERIA["random"]
    if plan.is_dense or plan.criterion == random.name or not random.allows(plan.granularity):
        return None
    return replace(plan, criterion=random.name)
