"""What did each plan cost, and which one does a point of the chart stand for?"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from pruneviz import figures
from pruneviz.allocation.exact_target import movable
from pruneviz.allocation.pareto_line import LinePoint
from pruneviz.allocation.request import SearchRequest
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.pruning.chance import control_of
from pruneviz.pruning.labels import label
from pruneviz.ui.session import Session
from pruneviz.ui.session.chart import Chart, PlanFacts
from pruneviz.ui.session.versions import others
from pruneviz.workbench import Workbench
from pruneviz.workbench.lineage import KINDS, Landmark, own_mark

_NUMBERS = ["params", "accuracy", "low", "high", "loss", "n"]
_COLUMNS = ["key", "label", "kind", *_NUMBERS, "returns"]


@dataclass(frozen=True)
class Visits:
    """Every plan visited with what was measured of it so far, and its random controls.

    plans: that are visited, the first rows of the table; then what versions are seen beside.
    """

    plans: tuple[Plan, ...]
    table: pd.DataFrame
    controls: pd.DataFrame


def visits(
    bench: Workbench,
    history: list[Plan],
    facts: PlanFacts,
    versions: Sequence[Workbench] = (),
) -> Visits:
    """Tables of what was measured; nothing is measured for them.

    facts: of old plans, which need not be found out again. versions: trained from the same
    network, which stand there too.
    """
    # A plan is compared with the same samples of the dense network.
    dense = bench.samples_measured(Plan())
    measured = {plan: bench.samples_measured(plan) for plan in history if dense}
    plans = [plan for plan in history if measured.get(plan) or (dense and plan in facts.past)]
    controls = [
        control
        for control in dict.fromkeys(map(control_of, plans))
        if control is not None and bench.samples_measured(control) == len(bench.source.validation)
    ]
    beside = [mark for mark in _beside(bench, versions) if _is_measured(mark)]
    random = [mark for mark in beside if mark.kind == "random"]
    marks = [mark for mark in beside if mark.kind != "random"]
    return Visits(
        tuple(plans),
        _frame([*_rows(bench, plans, facts), *_marks(marks, facts)]),
        _frame([*_rows(bench, controls, facts), *_marks(random, facts)]),
    )


def best_within(table: pd.DataFrame, lose: float) -> int | None:
    """Position of the smallest plan that loses at most `lose` of the score against dense."""
    dense = table[table["kind"] == "dense"]
    if dense.empty:
        return None
    floor = float(dense["accuracy"].iloc[0]) - lose - 1e-12  # rounding is no loss
    allowed = table[(table["accuracy"] >= floor) & table["returns"]]
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
    layers = session.measure == "layers"
    of = hash(session.settled if layers else _made_of(session))
    if before is None or (before.shows, before.of) != (shows, of):
        session.chart = _by_layer(session, of) if layers else _points(session, of)
    assert session.chart is not None
    return session.chart


def _made_of(session: Session) -> tuple[object, ...]:
    """What the chart rests on, much sooner told than the chart itself."""
    bench, facts = session.bench, session.facts
    points = [
        (plan, _stage(bench, plan), None if control is None else _stage(bench, control))
        for plan, control in ((plan, control_of(plan)) for plan in session.visited)
        if bench.samples_measured(plan) or plan in facts.past
    ]
    marks = [(id(one.bench), one.plan, _is_measured(one)) for one in _beside_of(session)]
    dense = _stage(bench, Plan()), bench.dense_confirmed, len(facts.past)
    return (*points, *marks, *dense, facts.guesses, promise(session))


def _stage(bench: Workbench, plan: Plan) -> tuple[bool, bool]:
    """Whether a plan was measured at all, and whether on all samples: the chart is not drawn anew
    for those between, since the board itself moves the point of the plan on the screen.
    """
    n = bench.samples_measured(plan)
    return n > 0, n == len(bench.source.validation)


def _beside_of(session: Session) -> list[Landmark]:
    return _beside(session.bench, others(session.name))


def plan_at(session: Session, point: str) -> Plan | None:
    """The plan that a point of the chart stands for, by its key; None where it is none."""
    plans = (*session.visited, *(one.plan for one in promise(session)))
    return next((plan for plan in plans if _key(plan) == point), None)


def promise(session: Session) -> tuple[LinePoint, ...]:
    """The best plans at every size as the curves predict them, where the scan went so far."""
    bench, locked = session.bench, tuple(sorted(session.locked))
    if session.settled.scope != "layer" or session.measure != "accuracy":
        return ()
    request = SearchRequest(session.settled, locked=locked)

    def find() -> tuple[LinePoint, ...]:
        line = bench.studies.known_pareto(request)
        return () if line is None else line.points

    base, _ = movable(bench, request)
    return session.facts.lines.get_or((bench, base, locked, bench.studies.memory.version), find)


def _points(session: Session, of: int) -> Chart:
    past = visits(session.bench, session.visited, session.facts, others(session.name))
    bench, lose, line = session.bench, session.lose, promise(session)
    scale, n = bench.task.scale, bench.samples_measured(Plan())
    best = best_within(past.table, lose)
    total = bench.counts(Plan()).params
    figure = figures.tradeoff(
        past.table,
        past.controls,
        measure=session.measure,
        labels=(bench.task.label, bench.task.loss_label),
        floor=bench.evaluate(Plan(), n).dense_accuracy - lose if n else None,
        best=best,
        scale=scale,
        total=total,
        chance=chance(bench),
        guesses=session.facts.guesses,
        predicted=_line_table(line),
    )
    words = ""
    if best is not None:
        row = past.table.iloc[best]
        share, score = 100 * row["params"] / total, scale.score_text(row["accuracy"])
        words = (
            f"Fewest parameters, at most {scale.amount_text(lose)} lost: "
            f"{share:.1f} % kept, {bench.task.word} {score} ({row['label']})"
        )
    keys = (*map(str, past.table["key"]), *(_key(one.plan) for one in line))
    return _chart(session, of, figures.as_text(figure), keys, words)


def _line_table(line: Sequence[LinePoint]) -> pd.DataFrame:
    rows = [{"params": one.params, **vars(one.prediction)} for one in line]
    return pd.DataFrame(rows, columns=["params", "accuracy", "low", "high"])


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


def _beside(bench: Workbench, versions: Sequence[Workbench]) -> list[Landmark]:
    """What is seen beside the plans visited; of a version itself stands its uncut plan."""
    line = [mark for mark in bench.landmarks if mark.bench is not bench]
    known = {id(mark.bench) for mark in line} | {id(bench)}
    more = [one for one in versions if one.parent is not None and id(one) not in known]
    return [*line, *map(own_mark, more)]


def _is_measured(mark: Landmark) -> bool:
    return mark.bench.samples_measured(mark.plan) == len(mark.bench.source.validation)


def _frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=_COLUMNS)


def _rows(bench: Workbench, plans: list[Plan], facts: PlanFacts) -> list[dict[str, object]]:
    rows = []
    for plan in plans:
        n = min(bench.samples_measured(plan), bench.samples_measured(Plan()))
        past = facts.past.get(plan)
        if past is not None and int(str(past["n"])) > n:
            rows.append({"key": _key(plan), "returns": True, **past})
            continue
        key = plan, n, bench.dense_confirmed
        rows.append(facts.points.get_or(key, partial(_row, bench, plan, n)))
    return rows


def _row(bench: Workbench, plan: Plan, n: int) -> dict[str, object]:
    point = {"key": _key(plan), "returns": True}
    if not plan.is_dense:
        number = bench.counts(plan).params_kept
        return point | _point(bench.evaluate(plan, n), number, label(plan), "visited")
    if bench.parent is None:
        return point | _point(bench.evaluate(plan, n), bench.counts(plan).params, "dense", "dense")
    mark = own_mark(bench)
    words = f"{mark.words}: the start of this version"
    return point | _point(bench.evaluate(plan, n), mark.params_left, words, KINDS[mark.kind])


def _marks(marks: list[Landmark], facts: PlanFacts) -> list[dict[str, object]]:
    return [facts.points.get_or(one, partial(_mark, one)) for one in marks]


def _mark(mark: Landmark) -> dict[str, object]:
    result = mark.bench.evaluate(mark.plan)
    point = _point(result, mark.params_left, mark.words, KINDS[mark.kind])
    return {"key": "", "returns": False} | point


def _point(result: Evaluation, params: int, words: str, kind: str) -> dict[str, object]:
    numbers = {name: getattr(result, name) for name in _NUMBERS[1:]}
    return {"label": words, "kind": kind, "params": params, **numbers}


def _key(plan: Plan) -> str:
    return _short(repr(plan))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
