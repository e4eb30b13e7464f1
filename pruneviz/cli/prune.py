"""How is a network pruned from a terminal?"""

from __future__ import annotations

from typing import Any

import click

from pruneviz.cli.plan_options import plan_options, take_plan
from pruneviz.cli.shared import JSON, open_bench, plain_errors, print_json
from pruneviz.options import opening_options
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench


@click.command()
@opening_options
@plan_options
@click.option("-n", "samples", type=int, help="Measure on the first N validation samples only.")
@JSON
def prune(samples: int | None, as_json: bool, **values: Any) -> None:
    """Prune MODEL by a plan and measure what is left.

    --all leaves the layers alone that the app locks (the output head, a small first layer,
    depthwise convolutions, embeddings): name them with --sparsity, or unlock them all.

    Example: pruneviz prune lenet5 --criterion wanda --all 0.8 --sparsity fc3=0.3
    """
    bench = open_bench(values)
    with plain_errors():
        plan, alone = take_plan(bench, values)
        summary = _summary(bench, plan, samples)
    if as_json:
        print_json(summary)
        return
    click.echo(bench.prune(plan).report.drop(columns="collapse").to_string(index=False))
    for name, reason in alone.items():
        click.echo(f"left dense: {name} ({reason})", err=True)
    for warning in (*bench.warnings(plan).values(), *bench.prune(plan).notes):
        click.echo(warning, err=True)
    measures = ", ".join(f"{name} {value:.4g}" for name, value in summary["measures"].items())
    click.echo(
        f"{bench.task.word} {summary['accuracy']:.4f} "
        f"({summary['low']:.4f} … {summary['high']:.4f}) on {summary['n']:,} samples\n"
        f"all measures: {measures}\n"
        f"change from dense: {summary['words']}\n"
        f"parameters kept: {summary['params_kept']:,} of {summary['params']:,}"
    )


def _summary(bench: Workbench, plan: Plan, samples: int | None) -> dict[str, Any]:
    pruned, result, cost = bench.prune(plan), bench.evaluate(plan, samples), bench.counts(plan)
    return {
        "model": bench.name,
        "notes": list(bench.notes),
        "plan": plan.as_dict(),
        "layers": pruned.report.to_dict(orient="records"),
        "warnings": bench.warnings(plan),
        "repair_notes": list(pruned.notes),
        "measure": result.task.label,
        "measures": result.measures,
        "dense_measures": result.dense_measures,
        "n": result.n,
        "accuracy": result.accuracy,
        "low": result.low,
        "high": result.high,
        "loss": result.loss,
        "per_class": result.per_class,
        "delta": result.delta,
        "delta_low": result.delta_low,
        "delta_high": result.delta_high,
        "words": result.words,
        "params": cost.params,
        "params_kept": cost.params_kept,
        "macs": cost.macs,
        "macs_kept": cost.macs_kept,
        "bytes_dense": cost.bytes_dense,
        "bytes_sparse": cost.bytes_sparse,
    }
