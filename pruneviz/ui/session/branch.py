"""What of a session comes back when its address is opened again?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import takewhile

import pandas as pd

from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA, Criterion
from pruneviz.pruning.labels import label
from pruneviz.pruning.prune import check
from pruneviz.ui.session import Session, UndoStep
from pruneviz.ui.session.levels import locks_for

_MOST = 500  # plans, the newest; as many as a session keeps of its own


def return_to(session: Session, visit: int) -> bool:
    """Go on with the session of the history in which this visit was made.

    Its plans are points of the chart again, with what was measured of them then; its names are
    snapshots, and what is settled on next comes after them. Returns whether there is such a visit
    with this network and data, made by whoever is at this browser; else all stays as it is.
    The plans on the way to that visit are steps to be undone again.
    """
    if session.diary is None:
        return False
    rows = session.diary.resume(visit)
    plans: dict[int, Plan] = {}
    for _, row in rows.tail(_MOST).iterrows():
        plan = _plan(session, row["plan"])
        if plan is None:
            continue
        plans[int(row["id"])] = plan
        session.diary.visits[plan] = int(row["id"])
        if plan not in session.visited:
            session.visited.append(plan)
        if row["name"]:
            session.snapshots[str(row["name"])] = plan
        if not pd.isna(row["n"]) and not plan.is_dense:
            session.facts.past[plan] = _point(plan, row)
    if visit in plans:
        came = {int(row["id"]): row["parent"] for _, row in rows.iterrows()}
        _restore_steps(session, [plans[each] for each in _way(came, visit) if each in plans])
    return not rows.empty


def _way(came: Mapping[int, float], visit: int) -> list[int]:
    """The numbers of the visits that led to one, oldest first, with its own."""
    way = [visit]
    while not pd.isna(came.get(way[0], float("nan"))) and int(came[way[0]]) not in way:
        way.insert(0, int(came[way[0]]))
    return way


def _restore_steps(session: Session, plans: list[Plan]) -> None:
    """Let these plans be the steps before the one that is about to be settled on, the last.

    As far back as nothing must be measured first: a step is taken at once. Beyond, Back of the
    browser leads, which waits for what it needs.
    """
    *before, last = plans
    ready = takewhile(lambda plan: _is_ready(plan, last), reversed(before))
    steps = [UndoStep(plan, locks_for(session.bench, plan)) for plan in ready][::-1]
    if last == session.settled:
        steps.append(session.steps[session.at])
    elif not steps:
        return
    session.steps, session.at = steps, len(steps) - 1


def _is_ready(plan: Plan, other: Plan) -> bool:
    """Whether a plan needs no evidence, graph or repair that another one does not need."""
    return (
        (plan.criterion == other.criterion or _reads_weights(CRITERIA[plan.criterion]))
        and plan.granularity in (other.granularity, "weight")
        and plan.repair in (other.repair, ())
    )


def _reads_weights(criterion: Criterion) -> bool:
    return not criterion.needs_gathering and "scale" not in criterion.needs


def _plan(session: Session, text: str) -> Plan | None:
    """A plan of the history; None where it is damaged or asks for what is not there today."""
    try:
        plan = Plan.from_dict(json.loads(text))
        check(plan, session.bench.layer_of)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return plan


def _point(plan: Plan, row: pd.Series) -> dict[str, object]:
    numbers = {name: float(row[name]) for name in ("accuracy", "low", "high", "loss")}
    counts = {"params": int(row["params_kept"]), "n": int(row["n"])}
    return {"label": label(plan), "kind": "visited", **counts, **numbers}
