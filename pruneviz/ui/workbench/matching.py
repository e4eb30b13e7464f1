"""How do single weights and whole units compare at equal parameters left?"""

from __future__ import annotations

from collections.abc import Callable

from pruneviz.allocation.counterpart import settings_of_counterpart
from pruneviz.plan import UNITS, Plan
from pruneviz.pruning.labels import label
from pruneviz.ui.session import Session, arrive, locks_under

Reach = Callable[[Session, Plan, Callable[[], Plan], Callable[[Session], None]], bool]


def match(session: Session, reach: Reach) -> None:
    """Settle on the counterpart of the plan settled on, which stays as a point of the chart.

    reach: as `live.reach`, which waits for what it takes.
    """
    plan, bench = session.settled, session.bench
    settings = settings_of_counterpart(plan)
    plans: list[Plan] = []

    def make() -> Plan:
        locks = locks_under(session, settings)
        plans.append(bench.studies.counterpart(plan, [*locks]))
        return plans[-1]

    def go(session: Session) -> None:
        arrive(session, plans[-1], locks_under(session, settings))
        session.tell_change(_words(session, plan))

    reach(session, settings, make, go)


def _words(session: Session, before: Plan) -> str:
    after = session.settled
    left = [session.bench.counts(plan).params_kept for plan in (before, after)]
    kinds = ["whole units" if p.granularity in UNITS else "single weights" for p in (before, after)]
    by = "" if before.criterion == after.criterion else f", by {label(after).partition(',')[0]}"
    return (
        f"As many parameters left, cut otherwise{by}: {kinds[0]} {left[0]:,}, {kinds[1]} "
        f"{left[1]:,}. Both are points of the trade-off."
    )
