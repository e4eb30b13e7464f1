"""How is the engine used from a terminal?"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import click

from pruneviz.glossary import criterion_term
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.sources.registered import registered_names
from pruneviz.workbench import Workbench, open_workbench

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
@click.argument("model")
@JSON
def layers(model: str, as_json: bool) -> None:
    """List the layers of MODEL that may be pruned.

    Example: pruneviz layers resnet20 --json
    """
    table = _open(model).layers
    if as_json:
        click.echo(table.to_json(orient="records"))
    else:
        click.echo(table.to_string(index=False))


@main.command()
@click.argument("model")
@click.option("--criterion", default="magnitude", show_default=True, help="How importance is told.")
@click.option("--granularity", default="weight", show_default=True, help="weight, neuron or N:M.")
@click.option("--scope", default="layer", show_default=True, help="layer or global.")
@click.option("--relative", is_flag=True, help="Divide scores by their layer's L2 norm first.")
@click.option("--seed", default=0, show_default=True, help="Of the random criterion.")
@click.option("--all", "everywhere", type=float, help="Sparsity of every layer, 0..1.")
@click.option("--sparsity", multiple=True, metavar="LAYER=X", help="Of one layer; repeatable.")
@click.option("-n", "samples", type=int, help="Measure on the first N validation samples only.")
@JSON
def prune(
    model: str,
    criterion: str,
    granularity: str,
    scope: str,
    relative: bool,
    seed: int,
    everywhere: float | None,
    sparsity: tuple[str, ...],
    samples: int | None,
    as_json: bool,
) -> None:
    """Prune MODEL by a plan and measure what is left.

    Example: pruneviz prune lenet5 --criterion wanda --all 0.8 --sparsity fc3=0
    """
    bench = _open(model)
    try:
        levels = {} if everywhere is None else dict.fromkeys(bench.found, everywhere)
        levels |= dict(_level(text) for text in sparsity)
        plan = Plan(criterion, granularity, scope, levels, relative, seed)
        summary = _summary(bench, plan, samples)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(summary, ensure_ascii=False))
        return
    click.echo(bench.prune(plan).report.drop(columns="collapse").to_string(index=False))
    for warning in bench.warnings(plan).values():
        click.echo(warning, err=True)
    click.echo(
        f"accuracy {summary['accuracy']:.4f} ({summary['low']:.4f} … {summary['high']:.4f}) on "
        f"{summary['n']:,} samples, loss {summary['loss']:.4f}\n"
        f"change from dense: {summary['words']}\n"
        f"parameters kept: {summary['params_kept']:,} of {summary['params']:,}"
    )


@main.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="On 127.0.0.1."
)
def app(port: int) -> None:
    """Open the app in the browser."""
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
    raise SystemExit(subprocess.call(command))


def _open(model: str) -> Workbench:
    try:
        return open_workbench(model)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None


def _level(text: str) -> tuple[str, float]:
    name, sign, value = text.rpartition("=")
    try:
        if sign:
            return name, float(value)
    except ValueError:
        pass
    raise ValueError(f"--sparsity takes LAYER=X such as conv1=0.5, got {text!r}")


def _summary(bench: Workbench, plan: Plan, samples: int | None) -> dict[str, object]:
    pruned, result, cost = bench.prune(plan), bench.evaluate(plan, samples), bench.cost(plan)
    return {
        "model": bench.name,
        "plan": plan.as_dict(),
        "layers": pruned.report.to_dict(orient="records"),
        "warnings": bench.warnings(plan),
        "n": result.n,
        "accuracy": result.accuracy,
        "low": result.low,
        "high": result.high,
        "loss": result.loss,
        # JSON has no NaN: a class without a sample has no accuracy.
        "per_class": {name: x if x == x else None for name, x in result.per_class.items()},
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
