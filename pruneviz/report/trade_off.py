"""Which plans stand in the trade-off, and how were they measured?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from pruneviz import figures
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.progress import Progress
from pruneviz.pruning.chance import control_of
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.labels import label
from pruneviz.report.page import Charts
from pruneviz.report.parts import fold, paragraph, section, table
from pruneviz.report.tables import readable
from pruneviz.sensitivity.pieces import in_pieces
from pruneviz.workbench import Workbench
from pruneviz.workbench.lineage import KINDS, Landmark, own_mark

Watch = Progress
_Row = tuple[str, int, float, float, float, float, int, str, str]  # as _COLUMNS
SHOWN = 500  # plans of the history, the latest ones
_COLUMNS = ["label", "params", "accuracy", "low", "high", "loss", "n", "kind", "note"]
_LONG = 15  # rows of a table that is folded away


@dataclass(frozen=True)
class OtherPlans:
    """The plans beside the one that is reported.

    plans: to be measured for the report. past: rows of `History.visits`, which stand as they were
    measured then.
    """

    plans: tuple[Plan, ...] = ()
    past: pd.DataFrame | None = None


def tradeoff(
    bench: Workbench, plan: Plan, others: OtherPlans, n: int, charts: Charts, watch: Watch
) -> str:
    """The chart of all plans, with its table. n: the samples that the plan is measured on."""
    before = _past(others.past, plan)
    plans = list(dict.fromkeys([Plan(), *others.plans, plan]))
    marks = [mark for mark in bench.landmarks if mark.bench is not bench]
    control_plans = list(dict.fromkeys(filter(None, map(control_of, (*others.plans, plan)))))
    steps = _Steps(watch, len(plans) + len(control_plans) + len(marks))
    now = _measure(bench, plans, n, steps)
    beside = [(mark.kind, _mark(mark, n, steps)) for mark in marks]
    seen = [row for kind, row in beside if kind != "random"]
    points = pd.DataFrame([*seen, now[0], *_rows(before), *now[1:]], columns=_COLUMNS)
    chance = control_plans + [each for each in map(control_of, before) if _is_known(bench, each, n)]
    drawn = _measure(bench, list(dict.fromkeys(filter(None, chance))), n, steps)
    drawn += [row for kind, row in beside if kind == "random"]
    controls = pd.DataFrame(drawn, columns=_COLUMNS)
    figure = figures.tradeoff(
        points.assign(returns=False),
        controls,
        labels=(bench.task.label, bench.task.loss_label),
        here=len(seen) if plan.is_dense else len(points) - 1,
        scale=bench.task.scale,
    ).update_layout(height=380)
    rows = table(readable(points, bench.task.word, bench.task.scale), text=("plan", "note"))
    return section(
        "tradeoff",
        "Trade-off",
        paragraph(
            "Each point is measured; crosses are random cuts of the same size. Drag to zoom, "
            "point at a mark for its numbers, double-click to reset."
            f"{_past_text(before, others.past)}"
        ),
        charts.add(figure, f"{bench.task.label} against parameters kept"),
        rows if len(points) <= _LONG else fold(f"All {len(points):,} plans", rows),
    )


@dataclass
class _Steps:
    """Tells how far `steps` measurements are; a step is done when the next one begins."""

    watch: Watch
    steps: int
    begun: int = 0

    def begin(self) -> None:
        self.begun += 1

    def tell(self, words: str, done: float) -> None:
        self.watch(words, min(1.0, (self.begun - 1 + done) / self.steps))


def _measure(bench: Workbench, plans: Sequence[Plan], n: int, progress: _Steps) -> list[_Row]:
    rows: list[_Row] = []
    for plan in plans:
        progress.begin()
        progress.tell(label(plan), 0.0)
        evaluation = in_pieces(bench, plan, n, progress.tell, label(plan))
        if plan.is_dense and bench.parent is not None:
            mark = own_mark(bench)
            rows.append(_row(evaluation, mark.words, mark.params_left, KINDS[mark.kind]))
        else:
            params, kind = bench.counts(plan).params_kept, "dense" if plan.is_dense else "visited"
            rows.append(_row(evaluation, label(plan), params, kind))
    return rows


def _mark(mark: Landmark, n: int, progress: _Steps) -> _Row:
    progress.begin()
    evaluation = in_pieces(mark.bench, mark.plan, n, progress.tell, mark.words)
    return _row(evaluation, mark.words, mark.params_left, KINDS[mark.kind])


def _row(evaluation: Evaluation, words: str, params: int, kind: str) -> _Row:
    score = (evaluation.accuracy, evaluation.low, evaluation.high)
    return (words, params, *score, evaluation.loss, evaluation.n, kind, "")


def _is_known(bench: Workbench, control: Plan | None, n: int) -> bool:
    return control is not None and bench.samples_measured(control) >= n


def _past(past: pd.DataFrame | None, plan: Plan) -> dict[Plan, pd.Series]:
    """Plan -> its row, of those that were measured; neither dense nor the one that is reported."""
    rows: dict[Plan, pd.Series] = {}
    if past is None:
        return rows
    for _, row in past[past["n"] > 0].tail(SHOWN).iterrows():
        try:
            past_plan = Plan.from_dict(json.loads(row["plan"]))
        except (ValueError, TypeError, RecursionError):
            continue  # damaged; the page of the history says so
        if past_plan != plan and not past_plan.is_dense and past_plan.criterion in CRITERIA:
            rows[past_plan] = row
    return rows


def _rows(before: dict[Plan, pd.Series]) -> list[_Row]:
    return [
        (
            f"“{row['name']}”: {label(plan)}" if row["name"] else label(plan),
            int(row["params_kept"]),
            row["accuracy"],
            row["low"],
            row["high"],
            row["loss"],
            int(row["n"]),
            "visited",
            row["note"],
        )
        for plan, row in before.items()
    ]


def _past_text(before: dict[Plan, pd.Series], past: pd.DataFrame | None) -> str:
    if past is None:
        return ""
    if not before:
        return " The history has no other plan that was measured."
    more = int((past["n"] > 0).sum()) - SHOWN
    rest = f" ({more:,} older ones are left out)" if more > 0 else ""
    word = "plan was" if len(before) == 1 else "plans were"
    return f" {len(before):,} other {word} visited{rest}, shown as they were measured then."
