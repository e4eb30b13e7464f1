"""How is every budget at once seen from a terminal?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pandas as pd

from pruneviz.allocation.pareto_line import ParetoLine, line_field
from pruneviz.cli.search_options import search_options, take_limits
from pruneviz.cli.shared import (
    JSON,
    open_bench,
    print_json,
    progress_with_time,
    stoppable,
    workers_option,
    write_csv,
)
from pruneviz.measuring.executor import Workers
from pruneviz.options import opening_options
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench


@click.command()
@opening_options
@search_options
@click.option("--csv", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write every plan with its levels to FILE.")  # fmt: skip
@workers_option
@JSON
def pareto(csv: Path | None, workers: Workers, as_json: bool, **values: Any) -> None:
    """Predict the best accuracy of MODEL at every budget, from one scan.

    Scans the layers first where that was not done; what was measured is remembered. Layers that
    the app locks stay whole. Nothing that is printed is measured: `pruneviz prune` measures a plan,
    `pruneviz allocate` searches further for one.

    Example: pruneviz pareto lenet5 --budget macs
    """
    limits = take_limits(values)
    bench = open_bench(values)
    with stoppable("what was measured is kept; the same command continues."):
        locked, request = limits.locks(bench), limits.request(bench)
        line_field(bench, request)  # what has no line is not scanned for one
        progress = progress_with_time()
        bench.studies.curves(request.plan, progress=progress, workers=workers)
        line = bench.studies.pareto(request, progress)
    if csv is not None:
        write_csv(csv, line.table)
    if as_json:
        print_json(_summary(bench, line, limits.budget, locked))
        return
    _print(bench, line, limits.budget)
    for name, why in locked.items():
        click.echo(f"left as it is: {name} ({why})", err=True)


def _summary(
    bench: Workbench, line: ParetoLine, budget: str, locked: dict[str, str]
) -> dict[str, Any]:
    return {
        "model": bench.name,
        "budget": budget,
        "locked": locked,
        "words": line.words,
        "points": [
            {"removed": one.removed, "params": one.params, "plan": one.plan.as_dict()}
            | vars(one.prediction)
            for one in line.points
        ],
    }


def _print(bench: Workbench, line: ParetoLine, budget: str) -> None:
    scale, total = bench.task.scale, bench.counts(Plan()).params
    rows = [
        {
            f"{budget} cut, of what may go": f"{100 * one.removed:.1f} %",
            "parameters kept": f"{one.params:,} ({100 * one.params / total:.1f} %)",
            f"{bench.task.word}, predicted": scale.score_text(one.prediction.accuracy),
            "nine of ten within": f"{scale.score_text(one.prediction.low)} … "
            f"{scale.score_text(one.prediction.high)}",
        }
        for one in line.points
    ]
    click.echo(pd.DataFrame(rows).to_string(index=False))
    click.echo(line.words)
