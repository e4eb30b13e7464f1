"""What did another choice make of a plan, and why?"""

from __future__ import annotations

from collections.abc import Mapping

from pruneviz.plan import Plan, pattern
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.granularity import GRANULARITIES
from pruneviz.workbench import Workbench

_NAMED = 3  # layers; the others are counted
_SAME = 0.0005  # of a layer: less does not show in its per cent


def change_text(bench: Workbench, before: Plan, after: Plan) -> str:
    """What was chosen, and which layers have another sparsity for it; "" where nothing is cut.

    Both plans have been ranked: their masks are at hand.
    """
    if before.is_dense and after.is_dense:
        return ""
    choices = _choices(before, after)
    if not choices:
        return ""
    return f"{'; '.join(choices)}. {_levels(bench, before, after)}"


_RANKINGS = {
    "layer": "in each layer",
    "global": "over all layers",
    "alike": "over the layers of each kind and shape",
}


def unlock_text(
    bench: Workbench, before: Plan, after: Plan, was: Mapping[str, str], now: Mapping[str, str]
) -> str:
    """Which layers were unlocked, and what that made of the plan; "" where none was."""
    free = [name for name in was if name not in now]
    if not free:
        return ""
    verb = "is" if len(free) == 1 else "are"
    why = " and competes with the others" if after.scope != "layer" else ""
    return f"{_list_of(free)} {verb} unlocked{why}. {_levels(bench, before, after)}"


def _choices(before: Plan, after: Plan) -> list[str]:
    said = []
    if before.criterion != after.criterion:
        names = [CRITERIA[plan.criterion].label for plan in (after, before)]
        said.append(f"{names[0]} chooses what is cut, instead of {names[1]}")
    if before.granularity != after.granularity:
        now, then = _what(after), _what(before)
        said.append(f"{now} are cut, instead of {then[0].lower()}{then[1:]}")
    if before.scope != after.scope:
        said.append(f"One ranking {_RANKINGS[after.scope]}")
    if before.relative != after.relative:
        said.append(f"Importances count {'relative to their layer' if after.relative else 'as is'}")
    if before.aggregate != after.aggregate:
        said.append(f"A unit counts by the {after.aggregate} of its weights")
    if before.seed != after.seed and after.criterion == "random":
        said.append("Another random ranking")
    return said


def _what(plan: Plan) -> str:
    if pattern(plan.granularity):
        return f"Weights by {plan.granularity}"
    return GRANULARITIES[plan.granularity].label


def _levels(bench: Workbench, before: Plan, after: Plan) -> str:
    then, now = (bench.masks(plan).sparsity for plan in (before, after))
    cannot = bench.cannot(after)
    moved = [name for name in now if abs(now[name] - then.get(name, 0.0)) > _SAME]
    if not moved:
        return "Each layer keeps its sparsity."
    words = [
        f"{name} {100 * then.get(name, 0.0):.1f} → {100 * now[name]:.1f} %"
        + (f" ({cannot[name]})" if name in cannot else "")
        for name in moved
    ]
    return f"Sparsity changed: {_list_of(words)}."


def _list_of(words: list[str]) -> str:
    shown, more = words[:_NAMED], len(words) - _NAMED
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")
