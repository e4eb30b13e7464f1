"""How is the engine used from a terminal?"""

from __future__ import annotations

import json
import math
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from pruneviz.glossary import criterion_term
from pruneviz.opening import open_workbench
from pruneviz.options import opening, opening_options, words
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.sources.opening import Opening
from pruneviz.sources.registered import registered_names
from pruneviz.workbench import Workbench

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")


@click.group(epilog="Example: pruneviz prune lenet5 --all 0.5 --sparsity conv1=0.2")
@click.version_option(package_name="pruneviz")
def main() -> None:
    """See and steer neural-network pruning."""


@main.command()
@JSON
def models(as_json: bool) -> None:
    """List the models that installed packages register by name."""
    names = list(registered_names())
    click.echo(json.dumps(names) if as_json else "\n".join(names))


@main.command()
@JSON
def criteria(as_json: bool) -> None:
    """List the importance criteria with what they mean."""
    if as_json:
        rows = {name: criterion_term(name).as_dict() for name in CRITERIA}
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for name, found in CRITERIA.items():
        term = criterion_term(name)
        click.echo(f"{name}: {term.title} ({', '.join(found.granularities)})")
        click.echo(f"    {term.text}\n    {term.formula}\n    {term.source}")


@main.command()
@opening_options
@JSON
def layers(as_json: bool, **values: Any) -> None:
    """List the layers of MODEL that may be pruned, and what no slider reaches.

    MODEL: a registered name, timm:…, torchvision:…, hf:…, a weights file with --arch, or
    package.module:function, which runs that code.

    Example: pruneviz layers resnet20 --json
    """
    bench = _open(values)
    if as_json:
        click.echo(bench.layers.to_json(orient="records"))
        return
    click.echo(bench.layers.to_string(index=False))
    for reason, params in bench.never.groupby("reason")["params"].sum().items():
        click.echo(f"never pruned: {params:,} parameters ({reason})")


@main.command()
@opening_options
@click.option("--criterion", default="magnitude", show_default=True, help="How importance is told.")
@click.option("--granularity", default="weight", show_default=True, help="weight, neuron or N:M.")
@click.option("--scope", default="layer", show_default=True, help="layer or global.")
@click.option("--relative", is_flag=True, help="Divide scores by their layer's L2 norm first.")
@click.option("--seed", default=0, show_default=True, help="Of the random criterion.")
@click.option("--all", "everywhere", type=float, help="Sparsity of every unlocked layer, 0..1.")
@click.option("--unlocked", is_flag=True, help="--all also means layers that are usually locked.")
@click.option("--sparsity", multiple=True, metavar="LAYER=X", help="Of one layer; repeatable.")
@click.option("-n", "samples", type=int, help="Measure on the first N validation samples only.")
@JSON
def prune(
    criterion: str,
    granularity: str,
    scope: str,
    relative: bool,
    seed: int,
    everywhere: float | None,
    unlocked: bool,
    sparsity: tuple[str, ...],
    samples: int | None,
    as_json: bool,
    **values: Any,
) -> None:
    """Prune MODEL by a plan and measure what is left.

    --all leaves the layers alone that the app locks (the output head, a small first layer,
    depthwise convolutions, embeddings): name them with --sparsity, or unlock them all.

    Example: pruneviz prune lenet5 --criterion wanda --all 0.8 --sparsity fc3=0.3
    """
    bench = _open(values)
    try:
        locked = {} if unlocked or everywhere is None else bench.locks
        free = [name for name in bench.found if name not in locked]
        levels = {} if everywhere is None else dict.fromkeys(free, everywhere)
        levels |= dict(_level(text) for text in sparsity)
        plan = Plan(criterion, granularity, scope, levels, relative, seed)
        summary = _summary(bench, plan, samples)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(finite(summary), ensure_ascii=False, allow_nan=False))
        return
    click.echo(bench.prune(plan).report.drop(columns="collapse").to_string(index=False))
    for name, reason in locked.items():
        if name not in plan.sparsity:
            click.echo(f"left dense: {name} ({reason})", err=True)
    for warning in bench.warnings(plan).values():
        click.echo(warning, err=True)
    measures = ", ".join(f"{name} {value:.4g}" for name, value in summary["measures"].items())
    click.echo(
        f"{bench.task.word} {summary['accuracy']:.4f} "
        f"({summary['low']:.4f} … {summary['high']:.4f}) on {summary['n']:,} samples\n"
        f"all measures: {measures}\n"
        f"change from dense: {summary['words']}\n"
        f"parameters kept: {summary['params_kept']:,} of {summary['params']:,}"
    )


@main.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="On 127.0.0.1."
)
@opening_options
def app(port: int, **values: Any) -> None:
    """Open the app in the browser, at MODEL if one is named.

    Example: pruneviz app --port 8502 --model lenet5
    """
    script = Path(__file__).parent.parent / "app.py"
    if not script.is_file():
        raise click.ClickException(f"{script} is not there; run the app from a checkout")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise click.ClickException(
                f"port {port} is in use; stop what runs there or choose another with --port"
            ) from None
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    if values["model"] or values["given"]:
        command += ["--", *words(_opening(values))]
    raise SystemExit(subprocess.call(command))


def _open(values: dict[str, Any]) -> Workbench:
    try:
        bench = open_workbench(_opening(values))
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    for note in bench.notes:
        click.echo(note, err=True)
    return bench


def _opening(values: dict[str, Any]) -> Opening:
    try:
        return opening(values)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _level(text: str) -> tuple[str, float]:
    name, sign, value = text.rpartition("=")
    try:
        if sign:
            return name, float(value)
    except ValueError:
        pass
    raise ValueError(f"--sparsity takes LAYER=X such as conv1=0.5, got {text!r}")


def _summary(bench: Workbench, plan: Plan, samples: int | None) -> dict[str, Any]:
    pruned, result, cost = bench.prune(plan), bench.evaluate(plan, samples), bench.cost(plan)
    return {
        "model": bench.name,
        "notes": list(bench.notes),
        "plan": plan.as_dict(),
        "layers": pruned.report.to_dict(orient="records"),
        "warnings": bench.warnings(plan),
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


def finite(value: Any) -> Any:
    """The same value with None for every number that JSON has no word for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: finite(one) for name, one in value.items()}
    return [finite(one) for one in value] if isinstance(value, list | tuple) else value
