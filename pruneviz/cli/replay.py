"""How is a recipe done again from a terminal?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from pruneviz.cli.shared import JSON, plain_errors, print_json, progress, progress_with_time
from pruneviz.export import DEFAULT, FORMATS, ExportResult
from pruneviz.limits import limit
from pruneviz.options import measure_options
from pruneviz.recipes import (
    Recipe,
    ReplayResult,
    from_yaml,
    opening_of,
    replay,
    retrain,
    script_of,
)
from pruneviz.workbench.opening import open_workbench

_ALL, _DIFFERS = "all", 3


@click.command("replay")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", metavar="NAME|FILE", help="Instead of the recipe's.")
@click.option("--data", metavar="FILE|FOLDER|NAME", help="Instead of the recipe's.")
@click.option("--train", metavar="FILE|FOLDER|NAME", help="Instead of the recipe's.")
@click.option("--arch", metavar="NAME", help="Instead of the recipe's, for a weights file.")
@measure_options
@click.option("--trust", is_flag=True, help="The recipe may run the code that it names: "
              "package.module:function, pickled modules.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              help="Also export the result.")  # fmt: skip
@click.option("--format", "formats", multiple=True, type=click.Choice([*FORMATS, _ALL]),
              metavar="NAME", help="What --out writes, as in `pruneviz export`; repeatable. "
              f"[default: {', '.join(DEFAULT)}]")  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite existing files.")
@click.option("--script", is_flag=True, help="Do nothing; print a Python script that does it.")
@JSON
def replay_recipe(file: Path, script: bool, as_json: bool, **values: Any) -> None:
    """Do a recipe again, and say whether masks are identical and numbers agree.

    Ends with 0 where they are and do (exactly, or within the 95 % interval), with 3 where they
    differ, with 1 where it cannot be done: other weights, say, or a key that is not known.

    Example: pruneviz replay recipe.yaml --json
    """
    with plain_errors():
        recipe = _read(file)
        if script:
            click.echo(script_of(recipe), nl=False)
            return
        result, exported = _again(recipe, file, values)
    failed = {} if exported is None else exported.failed
    if as_json:
        more = {} if exported is None else {"exported": exported.as_dict()}
        print_json(result.as_dict() | more)
    else:
        _print(result)
        if exported is not None:
            for one in exported.written:
                if not one.failed:
                    click.echo(f"{one.format}: {exported.folder / one.file}")
    for note in result.notes:
        click.echo(note, err=True)
    for name, reason in failed.items():
        click.echo(f"not written: {name} ({reason})", err=True)
    sys.exit(_DIFFERS if not result.same else 1 if failed else 0)


def _read(file: Path) -> Recipe:
    with file.open("rb") as stream:  # no more of it than it takes to refuse it
        return from_yaml(stream.read(limit("recipe_bytes") + 1), file.name)


def _again(
    recipe: Recipe, file: Path, values: dict[str, Any]
) -> tuple[ReplayResult, ExportResult | None]:
    options = {
        name: values[name]
        for name in ("model", "data", "train", "arch", "trust", "task", "metric", "ignore")
    }
    bench = open_workbench(opening_of(recipe, folder=file.parent, **options))
    bench = retrain(recipe, bench, progress_with_time())
    result = replay(recipe, bench, progress())
    if values["out"] is None:
        return result, None
    names = tuple(FORMATS) if _ALL in values["formats"] else values["formats"] or DEFAULT
    force = values["force"]
    exported = bench.export(recipe.plan, values["out"], names, progress(), overwrite=force)
    return result, exported


def _print(replayed: ReplayResult) -> None:
    recipe, result, expected = replayed.recipe, replayed.result, replayed.recipe.expected
    click.echo(f"masks {replayed.masks}: {replayed.checksum}")
    if recipe.masks is not None and recipe.masks != replayed.checksum:
        click.echo(f"  the recipe's: {recipe.masks}")
    click.echo(
        f"{result.task.word} {result.accuracy!r} ({result.low:.4f} … {result.high:.4f}) on "
        f"{result.n:,} samples: {replayed.accuracy}"
    )
    if expected is not None and replayed.accuracy != "exactly":
        click.echo(f"  the recipe's: {expected.accuracy!r} on {expected.n:,} samples")
    click.echo(f"change from dense: {result.words}")
    click.echo(f"parameters kept: {replayed.left.params_kept:,} of {replayed.left.params:,}")
    click.echo(replayed.words)
