"""How does a plan become files from a terminal?"""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import fill
from typing import Any

import click

from pruneviz.cli.plan_options import plan_options, take_plan
from pruneviz.cli.shared import JSON, open_bench, plain_errors, print_json, progress
from pruneviz.export import DEFAULT, FORMATS, ExportResult
from pruneviz.options import opening_options

_ALL = "all"


@click.command(epilog="\b\n" + fill("Formats: " + ", ".join(FORMATS), 76, break_on_hyphens=False))
@opening_options
@plan_options
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Folder for the files; created if missing.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice([*FORMATS, _ALL]),
    metavar="NAME",
    help=f"What to write, repeatable; all for whatever can be made. "
    f"[default: {', '.join(DEFAULT)}]",
)
@click.option("--zip", "archive", is_flag=True, help="Also pack all of it into one zip.")
@click.option("--force", is_flag=True, help="Overwrite existing files.")
@JSON
def export(
    out: Path, formats: tuple[str, ...], archive: bool, force: bool, as_json: bool, **values: Any
) -> None:
    """Write MODEL under a plan into files, each read back and compared before it is there.

    Ends with 1 where a format that was asked for by name can't be made; the others are written.

    Example: pruneviz export lenet5 --granularity neuron --all 0.5 --out small --format shrunk
    """
    bench = open_bench(values)
    names = tuple(FORMATS) if _ALL in formats else formats or DEFAULT
    with plain_errors():
        plan, alone = take_plan(bench, values)
        result = bench.export(plan, out, names, progress(), overwrite=force, archive=archive)
    if as_json:
        print_json({"model": bench.name, "plan": plan.as_dict()} | result.as_dict())
    else:
        _print(result)
    for name, reason in alone.items():
        click.echo(f"left dense: {name} ({reason})", err=True)
    for note in result.notes:
        click.echo(note, err=True)
    for name, reason in result.failed.items():
        click.echo(f"not written: {name} ({reason})", err=True)
    failures = [name for name in result.failed if name in formats or not formats]
    if failures:
        sys.exit(1)


def _print(result: ExportResult) -> None:
    for one in result.written:
        if one.failed:
            continue
        apart = "" if one.difference is None else f", largest difference {one.difference:.1e}"
        click.echo(f"{one.format}: {result.folder / one.file} ({one.bytes:,} bytes{apart})")
        click.echo(f"  {one.words}")
        for other in one.files[1:]:
            click.echo(f"  with {result.folder / other}")
    if result.archive:
        click.echo(f"zip: {result.folder / result.archive}")
