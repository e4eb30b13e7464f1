"""Which one sparsity cuts as much as the levels of single layers?"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from pruneviz.network.groups import Groups
from pruneviz.plan import Plan
from pruneviz.pruning.prune import kind_of
from pruneviz.workbench import Workbench, units


def pool_shares(bench: Workbench, plan: Plan, levels: Mapping[str, float]) -> dict[str, float]:
    """The mean of the levels in each pool of the plan's scope, for all layers in it."""
    groups = units.groups_for(bench, plan)
    pools: dict[Hashable, dict[str, float]] = {}
    for name, level in levels.items():
        kind = kind_of(plan, groups.lead(name), bench.layer_of, groups)
        pools.setdefault(kind, {})[name] = level
    shares: dict[str, float] = {}
    for pool in pools.values():
        shares |= dict.fromkeys(pool, mean_share(bench, plan, pool))
    return shares


def mean_share(bench: Workbench, plan: Plan, levels: Mapping[str, float]) -> float:
    """The mean of the levels by what can be cut in each layer; of a group once."""
    groups = units.groups_for(bench, plan)
    sizes = {name: _items(bench, plan, groups, name) for name in units.once_each(groups, [*levels])}
    total = sum(sizes.values())
    share = sum(levels[name] * sizes[name] for name in sizes) / total if total else 0.0
    return round(share, 4)


def _items(bench: Workbench, plan: Plan, groups: Groups, name: str) -> int:
    group, layer = groups.of(name), bench.layer_of[name]
    if group is not None:
        return group.units
    return layer.units if units.by_unit(plan) else layer.size
