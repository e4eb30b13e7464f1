"""In which order would items be cut, as far as it was worked out already?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pruneviz.network.groups import Groups
from pruneviz.network.layers import Layer
from pruneviz.plan import Plan
from pruneviz.pruning.evidence import Evidence
from pruneviz.pruning.masks import Ranking, pin
from pruneviz.pruning.pins import hands
from pruneviz.pruning.prune import pool_for, rank
from pruneviz.pruning.units import cannot_units
from pruneviz.storage.cache import Cache

_BOUND = 2**30  # bytes; what does not fit is worked out again


class RankingCache:
    """Rankings of the layers of one network, each worked out when it is first needed.

    evidence_for(plan) gives what the plan's criterion looks at.
    """

    def __init__(
        self,
        layers: Mapping[str, Layer],
        evidence_for: Callable[[Plan], Mapping[str, Evidence]],
        groups_for: Callable[[Plan], Groups | None] = lambda plan: None,
    ) -> None:
        self._layers, self._evidence_for, self._groups_for = layers, evidence_for, groups_for
        self._alone: Cache[Ranking] = Cache(_BOUND, lambda ranking: ranking.bytes)
        self._pools: Cache[dict[str, Ranking]] = Cache(
            _BOUND, lambda found: sum(ranking.bytes for ranking in found.values())
        )

    def of(self, plan: Plan) -> dict[str, Ranking]:
        """Rankings of the layers that `plan` names; in the pools of its scope.

        Of whole units by the lead of their group. What is pinned has left its place in them.
        """
        groups = self._groups_for(plan)
        leads = layers = [name for name in self._layers if name in plan.sparsity]
        if groups is not None:
            able = [
                n for n in layers if not cannot_units(groups, self._layers[n], plan.granularity)
            ]
            leads = [groups.lead(name) for name in able]
        names = list(dict.fromkeys(leads))
        if plan.scope == "layer":
            rankings = {name: self._ranking(plan, name, groups) for name in names}
        else:
            rankings = self._pools.get_or(
                (*_key(plan), plan.scope, tuple(names)),
                lambda: pool_for(
                    plan,
                    {name: self._ranking(plan, name, groups) for name in names},
                    self._layers,
                    groups,
                ),
            )
        if not plan.pinned:
            return rankings
        return pin(rankings, hands(plan, self._layers, groups))

    def _ranking(self, plan: Plan, name: str, groups: Groups | None) -> Ranking:
        def make() -> Ranking:
            alone = replace(plan, sparsity={name: 0.0}, scope="layer")
            return rank(self._layers, self._evidence_for(plan), alone, groups)[name]

        return self._alone.get_or((*_key(plan), name), make)


def _key(plan: Plan) -> tuple[str, str, bool, int, str]:
    seed = plan.seed if plan.criterion == "random" else 0
    return plan.criterion, plan.granularity, plan.relative, seed, plan.aggregate
