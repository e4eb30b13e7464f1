"""Which levels and locks have the layers of a plan, where some are cut together?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pruneviz.plan import Plan
from pruneviz.pruning.locks import unit_locks
from pruneviz.workbench import Workbench, units

_OUTSIDE = "out of the ranking"


def with_levels(
    bench: Workbench, plan: Plan, levels: Mapping[str, float], locked: Mapping[str, str]
) -> Plan:
    """`plan` with the sparsity asked for; locked layers keep theirs, or leave the global pool.

    Layers in which nothing can be cut by this criterion and granularity stay whole. Layers that
    are cut together share one level, that of the member that was moved, and one lock.
    """
    whole, groups = bench.cannot(plan), units.groups_for(bench, plan)
    locked = units.lock_together(groups, locked)
    able = [name for name in bench.layer_of if name not in whole]
    if plan.scope == "layer":
        source = {name: plan.sparsity if name in locked else levels for name in able}
        sparsity = {name: source[name].get(name, 0.0) for name in able}
        sparsity = units.even(groups, sparsity, units.last_moved(bench, plan.sparsity, sparsity))
        return replace(plan, sparsity=sparsity | dict.fromkeys(whole, 0.0))
    members = [name for name in able if name not in locked]
    shared = max((levels[name] for name in members if name in levels), default=0.0)
    sparsity = {name: levels.get(name, shared) for name in members}
    sparsity = units.even(groups, sparsity, units.last_moved(bench, plan.sparsity, sparsity))
    return replace(plan, sparsity=sparsity)


def locks_for(bench: Workbench, plan: Plan) -> dict[str, str]:
    """The locks that go with a plan: the usual ones where it prunes nothing, all outside a pool."""
    if plan.scope != "layer" and plan.sparsity:
        outside = set(bench.layer_of) - set(plan.sparsity) - set(bench.cannot(plan))
        return {n: bench.locks.get(n, _OUTSIDE) for n in bench.layer_of if n in outside}
    groups = units.groups_for(bench, plan)
    usual = unit_locks(bench.locks, groups)
    locks = {name: why for name, why in usual.items() if not plan.sparsity.get(name)}
    return units.lock_together(groups, locks)


def first_plan(bench: Workbench) -> Plan:
    """The plan every session begins with: all layers whole, but for what it came pruned by."""
    levels = dict.fromkeys(bench.layer_of, 0.0) | dict(bench.plan.sparsity)
    return replace(bench.plan, sparsity=levels)
