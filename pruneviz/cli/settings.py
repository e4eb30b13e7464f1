"""Which bounds hold here, and how are they changed?"""

from __future__ import annotations

import textwrap

import click

from pruneviz import limits
from pruneviz.cli.shared import JSON, print_json

_WIDTH = 88


@click.command()
@JSON
def settings(as_json: bool) -> None:
    """List the bounds on files, networks and memory, with their reasons.

    Each is changed by an environment variable.

    Example: PRUNEVIZ_CLASSES=400000 pruneviz settings
    """
    rows = limits.table()
    if as_json:
        print_json(rows)
        return
    for row in rows:
        changed = " (changed)" if row["changed"] else ""
        click.echo(f"{row['variable']} = {row['value']:,} {row['unit']}{changed}")
        click.echo(textwrap.fill(str(row["reason"]), _WIDTH, initial_indent="    ",
                                 subsequent_indent="    "))  # fmt: skip
