"""What of a session comes back when its address is opened again?"""

from __future__ import annotations

import json

import pandas as pd

from pruneviz.plan import Plan
from pruneviz.pruning.labels import label
from pruneviz.pruning.prune import check
from pruneviz.ui.session import Session

_MOST = 500  # plans, the newest; as many as a session keeps of its own


def return_to(session: Session, visit: int) -> bool:
    """Go on with the session of the history in which this visit was made.

    Its plans are points of the chart again, with what was measured of them then; its names are
    snapshots, and what is settled on next comes after them. Returns whether there is such a visit
    with this network and data, made by whoever is at this browser; else all stays as it is.
    """
    if session.diary is None:
        return False
    rows = session.diary.resume(visit)
    for _, row in rows.tail(_MOST).iterrows():
        plan = _plan(session, row["plan"])
        if plan is None:
            continue
        session.diary.visits[plan] = int(row["id"])
        if plan not in session.visited:
            session.visited.append(plan)
        if row["name"]:
            session.snapshots[str(row["name"])] = plan
        if not pd.isna(row["n"]) and not plan.is_dense:
            session.facts.past[plan] = _point(plan, row)
    return not rows.empty


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
