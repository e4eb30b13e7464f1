"""What is a plan called in a few words?"""

from __future__ import annotations

from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA


def label(plan: Plan) -> str:
    """A plan in a few words."""
    if plan.is_dense:
        return "dense"
    levels = [level for level in plan.sparsity.values() if level]
    pinned = sum(len(places) for places in plan.pinned.values())
    where = "" if plan.scope == "layer" else f", {plan.scope}"
    name = f"{CRITERIA[plan.criterion].label}, {plan.granularity}{where}"
    if not levels:
        return f"{name}: {pinned} by hand"
    span = f"{100 * min(levels):.0f} %"
    if max(levels) > min(levels):
        span = f"{100 * min(levels):.0f}–{100 * max(levels):.0f} %"
    layers = "layer" if len(levels) == 1 else "layers"
    by_hand = f", {pinned} by hand" if pinned else ""
    return f"{name}: {span} in {len(levels)} {layers}{by_hand}"
