"""How is it found out in a terminal what each layer bears?"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click
import pandas as pd

from pruneviz.cli.plan_options import ranking_options, take_ranking
from pruneviz.cli.shared import (
    ENDS,
    JSON,
    exit_code,
    open_bench,
    parse_levels,
    plain_errors,
    plain_warnings,
    print_json,
    progress_with_time,
    workers_option,
    write_csv,
)
from pruneviz.measuring.executor import Workers
from pruneviz.options import opening_options
from pruneviz.scale import Scale
from pruneviz.sensitivity.curves import LOSE, Curves
from pruneviz.sensitivity.scan import LEVELS, PRECISION, known_curves
from pruneviz.workbench import Workbench

_POINT = 100


@click.command()
@opening_options
@ranking_options()
@click.option(
    "--levels", metavar="X,Y,…", help="Sparsities above 0, up to 1.  [default: 0.1 to 0.98, eleven]"
)
@click.option("--precision", type=float, help="Target half-width of the intervals, in the "
                                              "unit of --lose.  [default: 0.01 of it]")  # fmt: skip
@click.option("--budget", type=int, metavar="N", help="Answer at most N samples in all, those "
              "that are remembered included.  [default: as many as it takes]")  # fmt: skip
@click.option("--lose", type=float, help="What counts as a loss: in points; for a score that is "
                                         "not a share, in its own unit.  [default: 0.01 of the "
                                         "score]")  # fmt: skip
@click.option("--csv", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write every point with its interval to FILE.")  # fmt: skip
@workers_option
@JSON
def scan(
    precision: float | None,
    budget: int | None,
    lose: float | None,
    workers: Workers,
    csv: Path | None,
    as_json: bool,
    **values: Any,
) -> None:
    """Measure how much each layer of MODEL bears, cut alone.

    Prints the change at each sparsity: in points; of a score that is no share, as it is told.
    What was measured is remembered (in PRUNEVIZ_HOME, or the usual place for data): a second scan
    answers at once, and one that was stopped goes on.

    Example: pruneviz scan lenet5 --levels 0.5,0.9
    """
    if lose is not None and not lose > 0:
        raise click.BadParameter(f"must be above 0, got {lose:g}", param_hint="--lose")
    levels = parse_levels(values.pop("levels"), LEVELS)
    plan = take_ranking(values)
    bench = open_bench(values)
    scale = bench.task.scale
    width = PRECISION if precision is None else precision / scale.factor
    least = LOSE if lose is None else lose / scale.factor
    status = 0
    with plain_errors(), plain_warnings():
        try:
            tell = progress_with_time()
            curves = bench.studies.curves(plan, levels, width, budget, tell, workers)
        except ENDS as error:
            status = exit_code(error)
            curves = known_curves(bench, plan, bench.studies.memory, levels, width)
    if csv is not None:
        write_csv(csv, curves.table)
    if as_json:
        print_json(_summary(bench, curves, least))
    else:
        _print(curves, least, scale)
    if bench.studies.memory.complaint:
        click.echo(f"Warning: {bench.studies.memory.complaint}.", err=True)
    if status:
        click.echo("Stopped: what was measured is kept; the same command continues.", err=True)
        raise SystemExit(status)


def _summary(bench: Workbench, curves: Curves, lose: float) -> dict[str, Any]:
    ranks = {curve.slider.name: place for place, curve in enumerate(curves.ranked(lose), 1)}
    return {
        "model": bench.name,
        "plan": curves.plan.as_dict(),
        "complete": curves.complete,
        "words": curves.words,
        "spent": curves.spent,
        "layers": [
            {
                "layer": curve.slider.name,
                "layers": list(curve.slider.layers),
                "rank": ranks.get(curve.slider.name),
                "words": curves.words_of(curve.slider.name, lose),
                "robust": curve.robust(lose),
                "knee": curve.knee,
                "certain": curve.certain(lose),
                "no_op": curve.no_op,
            }
            for curve in curves.curves
        ],
        "points": curves.table.dropna(subset="sparsity").to_dict(orient="records"),
        "kept_in": _store_path(bench),
    }


def _store_path(bench: Workbench) -> str | None:
    memory = bench.studies.memory
    return None if memory.path is None or memory.complaint else str(memory.path)


def _print(curves: Curves, lose: float, scale: Scale) -> None:
    """One row a slider, the most sensitive first; what could not be cut below."""
    ranked = curves.ranked(lose)
    levels = sorted({point.sparsity for curve in ranked for point in curve.points})
    rows = []
    for curve in ranked:
        points = {point.sparsity: point for point in curve.points}
        cells = {
            f"{_POINT * x:g} %": _change(points[x].delta, scale) if x in points else ""
            for x in levels
        }
        words = curves.words_of(curve.slider.name, lose)
        rows.append({"layer": ", ".join(curve.slider.layers), **cells, "words": words})
    if rows:
        click.echo(pd.DataFrame(rows).to_string(index=False))
        most = f"at most {scale.amount_text(lose)} lost with 95 % confidence"
        click.echo(f"{scale.change_axis}; robust: {most}")
    for curve in curves.curves:
        if not curve.points:
            click.echo(f"{curve.slider.name}: {curve.no_op or 'not scanned yet'}")
    click.echo(curves.words)


def _change(delta: float, scale: Scale) -> str:
    return scale.change_text(delta, unit=False) if math.isfinite(delta) else "nan"
