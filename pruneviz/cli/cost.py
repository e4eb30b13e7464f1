"""How is the ledger of a plan printed in a terminal?"""

from __future__ import annotations

from typing import Any

import click

from pruneviz.cli.plan_options import plan_options, take_plan
from pruneviz.cli.shared import JSON, open_bench, plain_errors, print_json, progress
from pruneviz.options import opening_options


@click.command()
@opening_options
@plan_options
@JSON
def cost(as_json: bool, **values: Any) -> None:
    """Measure what a plan for MODEL costs and buys: parameters, MACs, bytes, memory, latency.

    Example: pruneviz cost lenet5 --criterion l2 --granularity neuron --all 0.5
    """
    bench = open_bench(values)
    with plain_errors():
        plan, alone = take_plan(bench, values)
        ledger = bench.cost(plan, progress())
    if as_json:
        print_json({"model": bench.name, "plan": plan.as_dict()} | ledger.as_dict())
        return
    table = ledger.readable
    click.echo(table.drop(columns="note").to_string(index=False))
    click.echo()
    for quantity, note in zip(table["quantity"], table["note"], strict=True):
        click.echo(f"{quantity}: {note}")
    for name, reason in alone.items():
        click.echo(f"left dense: {name} ({reason})", err=True)
