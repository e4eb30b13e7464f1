"""How is what another tool made of a network judged from a terminal?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pandas as pd

from pruneviz.cli.plan_options import plan_options, take_plan
from pruneviz.cli.shared import JSON, open_bench, plain_errors, print_json, progress, write_csv
from pruneviz.history.comparison import change_in_words
from pruneviz.options import opening_options
from pruneviz.workbench.judgement import Judgement


@click.command()
@opening_options
@click.option("--pruned", required=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Weights of MODEL as another tool left them: with zeros, with masks beside them "
                   "or narrower.")  # fmt: skip
@plan_options
@click.option("--cost", is_flag=True, help="Measure size, memory and latency of both, too.")
@click.option("--csv", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write the examples that the two answer differently to FILE.")  # fmt: skip
@JSON
def judge(pruned: Path, cost: bool, csv: Path | None, as_json: bool, **values: Any) -> None:
    """Judge what another tool made of MODEL, beside a plan of MODEL (or the dense network).

    Its zeros, masks or missing units are told as a plan; both are measured on the same samples.

    Example: pruneviz judge lenet5 --pruned pruned.pt --all 0.7
    """
    unsafe = values["unsafe_load"]
    bench = open_bench(values)
    with plain_errors():
        plan, alone = take_plan(bench, values)
        found = bench.judge(pruned, plan, cost=cost, unsafe=unsafe, progress=progress())
    if csv is not None:
        write_csv(csv, found.comparison.flipped)
    for name, reason in alone.items():
        click.echo(f"left dense: {name} ({reason})", err=True)
    if as_json:
        print_json(_summary(bench.name, found) | {"plan": plan.as_dict()})
    else:
        _print(found)


def _summary(name: str, found: Judgement) -> dict[str, Any]:
    apart = found.comparison
    tables = {
        "numbers": apart.numbers,
        "layers": apart.layers,
        "classes": apart.classes,
        "flipped": apart.flipped,
        "masks": found.masks,
        "costs": found.costs,
    }
    return {
        "model": name,
        "pruned": found.version.source.name,
        "notes": list(found.version.source.notes),
        "plan_of_pruned": found.plan.as_dict(),
        "n": apart.n,
        "delta": apart.delta,
        "low": apart.low,
        "high": apart.high,
        "why_no_masks": found.why_no_masks,
    } | {key: table.to_dict(orient="records") for key, table in tables.items()}


def _print(found: Judgement) -> None:
    for note in found.version.source.notes:
        click.echo(note, err=True)
    apart = found.comparison
    click.echo(f"second ({found.version.source.name}) minus first: {change_in_words(apart)}")
    for side, result in (("first", found.first), ("second", found.second)):
        click.echo(f"{side} against dense: {result.words}")
    _table("numbers", apart.numbers)
    _table("accuracy by class", apart.classes)
    _table("weights kept", apart.layers)
    click.echo(f"\n{len(apart.flipped):,} of {apart.n:,} samples are answered differently")
    if found.why_no_masks:
        click.echo(found.why_no_masks)
    _table("masks: how many weights one of the two alone keeps", found.masks)
    _table("cost", found.costs)


def _table(title: str, table: pd.DataFrame) -> None:
    if not table.empty:
        click.echo(f"\n{title}\n{table.to_string(index=False, float_format='{:,.4g}'.format)}")
