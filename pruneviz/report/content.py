"""What does a report tell of a plan?"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from pruneviz import figures
from pruneviz.export.files import check_free, in_words, place, staging
from pruneviz.measuring.counts import Counts
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.measuring.ledger import Cost
from pruneviz.plan import Plan
from pruneviz.progress import Progress, part, silent
from pruneviz.recipes import Recipe, recipe_of, script_of, to_yaml
from pruneviz.report.page import Charts, page
from pruneviz.report.parts import escape, items, numbers, paragraph, section, table, verbatim
from pruneviz.report.pictures import HEIGHT, WIDTH, picture
from pruneviz.report.tables import change_by_class, charted_curves, count_table, layers, short
from pruneviz.report.trade_off import OtherPlans, tradeoff
from pruneviz.sensitivity.curves import LOSE
from pruneviz.sensitivity.pieces import in_pieces
from pruneviz.workbench import Workbench
from pruneviz.workbench.lineage import ledger_words

PARTS = (0.25, 0.5, 0.75)  # of every sparsity of the plan, where no other plans are told
_PICTURES = 48
_TEXTS = ("layer", "kind", "shape", "goes with", "what is wrong")
_LEGEND = (
    '<p class="legend"><span>negative</span><i class="scale"></i><span>positive</span>'
    '<i class="cut"></i><span>cut</span></p>'
)


def report(
    bench: Workbench,
    plan: Plan,
    visits: Iterable[Plan] = (),
    cost: Cost | None = None,
    n: int | None = None,
    progress: Progress = silent,
    *,
    past: pd.DataFrame | None = None,
) -> str:
    """One HTML file, whole in itself, on `plan`: what was cut, what it cost, how to do it again.

    visits: other plans for the trade-off chart, to be measured; past: rows of `History.visits`,
    which stand there as they were measured then. Without either, weaker plans of the same kind.
    cost: the ledger, if it was measured. n: measure on the first n validation samples (all by
    default). progress may raise to stop. ValueError names what of the plan does not fit the
    network.
    """
    progress("pruning", 0.0)
    pruned = bench.prune(plan)
    n = len(bench.source.validation) if n is None else n
    result = in_pieces(bench, plan, n, part(progress, 0.0, 0.2), "measuring")
    recipe, charts = recipe_of(bench, plan, result, cost), Charts()
    others = OtherPlans(tuple(visits) or (_weaker(plan) if past is None else ()), past)
    title = f"Pruning {bench.name}"
    parts = [
        _head(bench, recipe, title),
        _numbers(bench, plan, result),
        items(dict.fromkeys([*pruned.collapse.values(), *bench.warnings(plan).values()])),
        _plan(bench, plan),
        tradeoff(bench, plan, others, result.n, charts, part(progress, 0.2, 0.8)),
        _classes(result, charts),
        _weights(bench, plan, progress),
        _curves(bench, plan, charts),
        _ledger(bench, plan, cost),
        _again(recipe),
    ]
    progress("writing", 1.0)
    return page(title, parts, charts)


def write_report(path: str | Path, text: str, *, overwrite: bool = False) -> Path:
    """Put a report into a file, whole or not at all; the folder is made where it is missing.

    FileExistsError where a file is there and `overwrite` is not said; OSError in a sentence.
    """
    path = Path(path).expanduser()
    with in_words(path.parent):
        check_free(path.parent, [path.name], overwrite=overwrite)
    with staging(path.parent) as stage:
        (stage / path.name).write_text(text, "utf-8")
        place(stage, path.parent, [path.name])
    return path


def _weaker(plan: Plan) -> tuple[Plan, ...]:
    """The same plan with a part of each sparsity."""
    if plan.is_dense:
        return ()
    levels = [{name: share * x for name, x in plan.sparsity.items()} for share in PARTS]
    return tuple(replace(plan, sparsity=each) for each in levels)


def _head(bench: Workbench, recipe: Recipe, title: str) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in recipe.made.items())
    when = datetime.datetime.now(datetime.UTC).strftime("%d %B %Y")
    prints = f"weights {bench.fingerprint}, data {bench.data_fingerprint}"
    return (
        f"<header><h1>{escape(title)}</h1>"
        + paragraph(f"{when} · {versions} · {prints}", "soft")
        + items(bench.notes)
        + "</header>"
    )


def _numbers(bench: Workbench, plan: Plan, result: Evaluation) -> str:
    counts = bench.counts(plan)
    scale = result.task.scale
    score = scale.score_text(result.accuracy)
    interval = f"{scale.interval_text(result.low, result.high)}, {result.n:,} samples"
    return numbers(
        [
            (result.task.label, score, f"95 %: {interval}"),
            ("Change from dense", result.words, _against(result)),
            (
                "Parameters kept",
                f"{100 * counts.params_kept / counts.params:.1f} %",
                f"{counts.params_kept:,} of {counts.params:,}",
            ),
            (
                "MACs of an ideal sparse engine",
                *_macs(counts),
            ),
        ]
    )


def _against(result: Evaluation) -> str:
    scale, start = result.task.scale, result.start
    dense = f"dense: {scale.score_text(result.dense_accuracy)}"
    if start is None:
        return dense
    change = scale.paired_text(start.delta, start.low, start.high)
    return f"{dense}; from the start of this version: {change}"


def _macs(counts: Counts) -> tuple[str, str]:
    if counts.macs is None or counts.macs_kept is None:
        return "unknown", "they cannot be counted in this network"
    share = f"{100 * counts.macs_kept / counts.macs:.1f} %" if counts.macs else "–"
    return share, f"{counts.macs_kept:,} of {counts.macs:,}"


def _plan(bench: Workbench, plan: Plan) -> str:
    words = [f"criterion {plan.criterion}", f"granularity {plan.granularity}"]
    words += [f"scope {plan.scope}", *(["relative scores"] if plan.relative else [])]
    words += [f"repair {', '.join(plan.repair)}"] if plan.repair else []
    pinned = sum(len(places) for places in plan.pinned.values())
    words += [f"{pinned} by hand"] if pinned else []
    return section(
        "plan",
        "Plan",
        paragraph(", ".join(words) + "."),
        *(paragraph(f"{note}.") for note in bench.prune(plan).notes),
        table(layers(bench, plan), text=_TEXTS),
    )


def _classes(result: Evaluation, charts: Charts) -> str:
    changed = int((result.predicted != result.dense_predicted).sum())
    words = f"{changed:,} of {result.n:,} answers are not those of the dense network."
    if not result.per_class:
        return section("classes", "Who pays", paragraph(words))
    chart, classes = "", result.by_class
    if len(result.per_class) <= 100:
        figure = figures.per_class(classes.before, classes.now, classes.intervals, classes.word)
        chart = charts.add(figure, "Change of each class")
    return section(
        "classes",
        "Who pays",
        paragraph(words),
        chart,
        table(change_by_class(result), text=(classes.word,)),
    )


def _weights(bench: Workbench, plan: Plan, progress: Progress) -> str:
    masks = bench.masks(plan).masks
    names = sorted(bench.layer_of, key=lambda name: name not in plan.sparsity)[:_PICTURES]
    names = [name for name in bench.layer_of if name in set(names)]
    pictures = []
    for at, name in enumerate(names):
        progress("pictures", 0.8 + 0.2 * at / len(names))
        weight = bench.weight(name).flatten(1).float().cpu().numpy()
        kept = masks[name].flatten(1).cpu().numpy()
        pictures.append(picture(name, weight, kept, bench.limits[name]))
    words = (
        "Rows are units, columns their inputs, in the dense network's weights; what is cut is "
        f"left blank. Colours go by √. Pictures are at most {HEIGHT} × {WIDTH} cells."
    )
    if len(names) < len(bench.layer_of):
        number = len(bench.layer_of)
        words += f" {len(names)} of {number} layers are shown, those of the plan first."
    inner = f'<div class="heatmaps">{"".join(pictures)}</div>'
    return section("weights", "Weights", paragraph(words), _LEGEND, inner)


def _curves(bench: Workbench, plan: Plan, charts: Charts) -> str:
    curves = bench.studies.known_curves(plan)
    if not any(curve.points for curve in curves.curves):
        words = (
            "No layer has been measured alone yet: use the page Sensitivity, pruneviz scan, or "
            "report --scan."
        )
        return section("sensitivity", "Sensitivity", paragraph(words, "soft"))
    frame, words_by_name = charted_curves(curves)
    scale = bench.task.scale
    figure = figures.curves_apart(frame, words_by_name, lose=LOSE * scale.factor, scale=scale)
    words = (
        f"{scale.change_axis.replace('c', 'C', 1)}, with one layer cut alone and its 95 % band; "
        f"the dotted line is a loss of {scale.amount_text(LOSE)}."
    )
    chart = charts.add(figure, "Change of the score by layer and sparsity")
    more = len(curves.curves) - len(words_by_name)
    rest_words = (
        f" The {len(words_by_name)} most sensitive; {more} more are left out." if more else ""
    )
    return section("sensitivity", "Sensitivity", paragraph(words + rest_words), chart)


def _ledger(bench: Workbench, plan: Plan, cost: Cost | None) -> str:
    if cost is None:
        words = "Counted, not measured: report --cost (in the app “with the ledger”) measures it."
        return section(
            "ledger", "Ledger", paragraph(words, "soft"), table(count_table(bench, plan))
        )
    words = f"Timed at batch {cost.batch} on {cost.threads} threads. {ledger_words(bench)}".strip()
    return section(
        "ledger", "Ledger", paragraph(words), table(cost.readable, text=("quantity", "note"))
    )


def _again(recipe: Recipe) -> str:
    return section(
        "again",
        "Do it again",
        paragraph(f"{short(recipe)} Save the recipe and run: pruneviz replay recipe.yaml"),
        verbatim("Recipe (YAML)", to_yaml(recipe)),
        verbatim("Script (Python)", script_of(recipe)),
    )
