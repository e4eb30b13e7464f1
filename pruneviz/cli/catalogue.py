"""What is there to prune, and by what?"""

from __future__ import annotations

import json
from typing import Any

import click
import pandas as pd

from pruneviz.cli.shared import JSON, open_bench, plain_errors, print_json
from pruneviz.glossary import all_terms, criterion_term
from pruneviz.options import opening_options
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.sources.registered import registered_names


@click.command()
@JSON
def models(as_json: bool) -> None:
    """List the models that installed packages register by name."""
    names = list(registered_names())
    click.echo(json.dumps(names) if as_json else "\n".join(names))


@click.command()
@JSON
def criteria(as_json: bool) -> None:
    """List the importance criteria with what they mean."""
    if as_json:
        rows = {name: criterion_term(name).as_dict() for name in CRITERIA}
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for name, criterion in CRITERIA.items():
        term = criterion_term(name)
        click.echo(f"{name}: {term.title} ({', '.join(criterion.granularities)})")
        click.echo(f"    {term.text}\n    {term.formula}\n    {term.source}")


@click.command()
@JSON
def glossary(as_json: bool) -> None:
    """List the words of the screen, the manual and this help with what they mean."""
    kinds = all_terms()
    if as_json:
        rows = {name: [term.as_dict() for term in terms] for name, terms in kinds.items()}
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for name, terms in kinds.items():
        click.echo(f"\n{name}\n")
        for term in terms:
            lines = (term.text, term.formula, term.source)
            click.echo("\n    ".join((term.title, *filter(None, lines))))


@click.command()
@opening_options
@JSON
def layers(as_json: bool, **values: Any) -> None:
    """List the layers of MODEL that may be pruned, and what no slider reaches.

    MODEL: a registered name, timm:…, torchvision:…, hf:…, a weights file with --arch, or
    package.module:function, which runs that code.

    Example: pruneviz layers resnet20 --json
    """
    bench = open_bench(values)
    if as_json:
        click.echo(bench.layers.to_json(orient="records"))
        return
    click.echo(bench.layers.to_string(index=False))
    for reason, params in bench.never.groupby("reason")["params"].sum().items():
        click.echo(f"never pruned: {params:,} parameters ({reason})")


@click.command()
@opening_options
@JSON
def groups(as_json: bool, **values: Any) -> None:
    """List the units of MODEL that can be removed, with all that goes along, and what must stay.

    Example: pruneviz groups resnet20 --json
    """
    bench = open_bench(values)
    with plain_errors():
        all_groups = bench.groups
    rows = [
        {
            "group": group.name,
            "units": group.units,
            "word": group.word,
            "members": list(group.layers),
            "consumers": list(group.consumers),
        }
        for group in all_groups.groups.values()
    ]
    if as_json:
        print_json({"groups": rows, "fixed": dict(all_groups.fixed)})
        return
    if rows:
        table = pd.DataFrame(rows)
        for column in ("members", "consumers"):
            table[column] = table[column].map(", ".join)
        click.echo(table.to_string(index=False))
    for name, reason in all_groups.fixed.items():
        click.echo(f"stays: {name} ({reason})")
