"""How is a report written from a terminal?"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pandas as pd

from pruneviz.cli.plan_options import plan_options, take_plan
from pruneviz.cli.shared import JSON, open_bench, plain_errors, print_json, progress
from pruneviz.history import History, ModelVersion
from pruneviz.options import opening_options
from pruneviz.report import report, write_report
from pruneviz.storage.home import home
from pruneviz.workbench import Workbench


@click.command("report")
@opening_options
@plan_options
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False),
              metavar="FILE", help="The HTML file; its folder is created if missing.")  # fmt: skip
@click.option("-n", "samples", type=int, help="Measure on the first N validation samples only.")
@click.option("--scan", is_flag=True, help="Measure each layer alone first (what was measured "
              "before is not measured again).")  # fmt: skip
@click.option("--cost", "costed", is_flag=True, help="Measure bytes, memory and latency, too.")
@click.option("--visited", is_flag=True, help="Show every plan that the history has of this "
              "network and data, as it was measured then.")  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@JSON
def write(
    out: Path, samples: int | None, scan: bool, costed: bool, visited: bool, force: bool,
    as_json: bool, **values: Any,
) -> None:  # fmt: skip
    """Write one HTML file on MODEL under a plan: numbers, charts, pictures, recipe and script.

    It opens offline: attach it to a pull request, or hand it in.

    Example: pruneviz report lenet5 --all 0.8 --out report.html
    """
    bench = open_bench(values)
    with plain_errors():
        plan, alone = take_plan(bench, values)
        if out.exists() and not force:
            raise ValueError(f"{out} is there already; choose another, or write over with --force")
        if scan:
            bench.scan(plan, progress=progress())
        cost = bench.cost(plan, progress()) if costed else None
        past = _past(bench) if visited else None
        text = report(bench, plan, cost=cost, n=samples, progress=progress(), past=past)
        write_report(out, text, overwrite=force)
        result = bench.evaluate(plan, samples)
    size = out.stat().st_size
    if as_json:
        content = {"model": bench.name, "plan": plan.as_dict(), "file": str(out), "bytes": size}
        print_json(content | {"n": result.n, "accuracy": result.accuracy, "words": result.words})
    else:
        click.echo(f"{out} ({size:,} bytes)")
        click.echo(f"{bench.task.word} {result.accuracy:.4f}, change from dense: {result.words}")
    for name, reason in alone.items():
        click.echo(f"left dense: {name} ({reason})", err=True)


def _past(bench: Workbench) -> pd.DataFrame:
    with closing(History(home())) as history:
        if history.complaint:
            raise ValueError(history.complaint)
        return history.visits(ModelVersion("", bench.fingerprint, bench.data_fingerprint))
