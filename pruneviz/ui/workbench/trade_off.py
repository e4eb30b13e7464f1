"""What did each plan cost, and which one does a point of the chart stand for?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial

import pandas as pd

from pruneviz import figures
from pruneviz.plan import Plan
from pruneviz.pruning.chance import control_of
from pruneviz.pruning.labels import label
from pruneviz.ui.session import Session
from pruneviz.ui.session.chart import Chart, PlanFacts
from pruneviz.workbench import Workbench

_COLUMNS = ["key", "label", "params", "accuracy", "low", "high", "loss", "n", "dense"]


@dataclass(frozen=True)
class Visits:
    """Every plan visited with what was measured of it so far, and its random controls."""

    plans: tuple[Plan, ...]
    table: pd.DataFrame
    controls: pd.DataFrame


def visits(bench: Workbench, history: list[Plan], facts: PlanFacts) -> Visits:
    """Tables of what was measured; nothing is measured for them.

    facts: of old plans, which need not be found out again.
    """
    # A plan is compared with the same samples of the dense network.
    dense = bench.samples_measured(Plan())
    measured = {plan: bench.samples_measured(plan) for plan in history if dense}
    plans = [plan for plan in history if measured.get(plan)]
    controls = [
        control
        for control in dict.fromkeys(map(control_of, plans))
        if control is not None and bench.samples_measured(control) == len(bench.source.validation)
    ]
    return Visits(tuple(plans), _table(bench, plans, facts), _table(bench, controls, facts))


def best_within(table: pd.DataFrame, lose: float) -> int | None:
    """Position of the smallest plan that loses at most `lose` of the score against dense."""
    dense = table[table["dense"]]
    if dense.empty:
        return None
    floor = float(dense["accuracy"].iloc[0]) - lose - 1e-12  # rounding is no loss
    allowed = table[table["accuracy"] >= floor]
    return None if allowed.empty else int(allowed.index[int(allowed["params"].to_numpy().argmin())])


def chart(session: Session) -> Chart:
    """The chart as the board draws it, made again where a point has come or changed.

    While a thumb moves, what stands on it stands.
    """
    shows = session.bench, session.measure, session.lose
    before = session.chart
    moving = session.live != session.settled
    if before is not None and before.shows == shows and moving:
        return before
    if session.measure == "layers":
        past, of = None, hash(session.settled)
    else:
        past = visits(session.bench, session.visited, session.facts)
        of = hash((past.table.to_json(), past.controls.to_json()))
    if before is None or (before.shows, before.of) != (shows, of):
        session.chart = _by_layer(session, of) if past is None else _points(session, past, of)
    assert session.chart is not None
    return session.chart


def plan_at(session: Session, point: str) -> Plan | None:
    """The plan visited that a point of the chart stands for, by its key; None where it is none."""
    return next((plan for plan in session.visited if _key(plan) == point), None)


def _points(session: Session, past: Visits, of: int) -> Chart:
    bench, lose = session.bench, session.lose
    scale, n = bench.task.scale, bench.samples_measured(Plan())
    best = best_within(past.table, lose)
    total = bench.counts(Plan()).params
    figure = figures.tradeoff(
        past.table,
        past.controls,
        measure=session.measure,
        labels=(bench.task.label, bench.task.loss_label),
        floor=bench.evaluate(Plan(), n).accuracy - lose if n else None,
        best=best,
        scale=scale,
        total=total,
        chance=chance(bench),
    )
    words = ""
    if best is not None:
        row = past.table.iloc[best]
        share, score = 100 * row["params"] / total, scale.score_text(row["accuracy"])
        words = (
            f"Fewest parameters for a loss of at most {scale.amount_text(lose)}: "
            f"{share:.1f} % at {score} ({row['label']})"
        )
    keys = tuple(str(key) for key in past.table["key"])
    return _chart(session, of, figures.as_text(figure), keys, words)


def _by_layer(session: Session, of: int) -> Chart:
    figure = figures.nonzeros(session.bench.masks(session.settled).report)
    return _chart(session, of, figures.as_text(figure), (), "")


def _chart(session: Session, of: int, figure: str, keys: tuple[str, ...], words: str) -> Chart:
    shows = session.bench, session.measure, session.lose
    content = "\n".join([session.name, session.measure, str(session.lose), *keys, words, figure])
    return Chart(shows, of, _short(content), figure, keys, words)


def chance(bench: Workbench) -> float | None:
    """The score of a guess; None where the score has no such end."""
    task, classes = bench.task, len(bench.source.classes)
    if task.name in ("classes", "positions") and classes:
        return 1 / classes
    return max(0.0, task.bounds[0]) if task.share else None


def _table(bench: Workbench, plans: list[Plan], facts: PlanFacts) -> pd.DataFrame:
    rows = []
    for plan in plans:
        n = min(bench.samples_measured(plan), bench.samples_measured(Plan()))
        key = plan, n, bench.dense_confirmed
        rows.append(facts.points.get_or(key, partial(_row, bench, plan, n)))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _row(bench: Workbench, plan: Plan, n: int) -> dict[str, object]:
    result = bench.evaluate(plan, n)
    return {
        "key": _key(plan),
        "label": label(plan),
        "params": bench.counts(plan).params_kept,
        "accuracy": result.accuracy,
        "low": result.low,
        "high": result.high,
        "loss": result.loss,
        "n": result.n,
        "dense": plan.is_dense,
    }


def _key(plan: Plan) -> str:
    return _short(repr(plan))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
