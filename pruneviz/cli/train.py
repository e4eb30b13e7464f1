"""How is a network trained and pruned from a terminal?"""

from __future__ import annotations

import math
import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import click

from pruneviz.allocation.methods import ALLOCATIONS
from pruneviz.cli.plan_options import plan_options, take_plan
from pruneviz.cli.shared import (
    JSON,
    end_of_progress,
    open_bench,
    plain_errors,
    print_json,
    progress_with_time,
    stoppable,
)
from pruneviz.export import DEFAULT
from pruneviz.options import opening_options
from pruneviz.plan import Plan
from pruneviz.recipes import recipe_of, to_yaml
from pruneviz.storage.home import home
from pruneviz.storage.spreadsheets import csv_text
from pruneviz.training import METHODS, EpochRow, Moment, Trained, Training
from pruneviz.training.augmentation import AUGMENTATIONS
from pruneviz.training.samples import samples_text
from pruneviz.training.settings import OPTIMIZERS, PRECISIONS, SCHEDULES, STARTS
from pruneviz.workbench import Workbench

# Which setting each option is, the values it may have, and what it does.
_SETTINGS: tuple[tuple[str, Any, str], ...] = (
    ("method", click.Choice([*METHODS]), "How the network is pruned during training."),
    ("epochs", int, "Epochs in all; in each round for iterative and lottery."),
    ("start", click.Choice(STARTS), "From trained weights (usual) or new ones (usual in lottery)."),
    ("optimizer", click.Choice(OPTIMIZERS), "The optimiser."),
    ("learning_rate", float, "The highest."),
    ("schedule", click.Choice(SCHEDULES), "Schedule of the learning rate in each round."),
    ("momentum", float, "Of sgd."),
    ("weight_decay", float, "Weight decay of matrices and kernels."),
    ("batch", int, "Samples per step."),
    ("precision", click.Choice(PRECISIONS), "Precision of the arithmetic."),
    ("augmentation", click.Choice([*AUGMENTATIONS]), "Augmentation of the training samples."),
    ("samples", int, "Train on the first N samples only."),
    ("rounds", int, "Rounds of iterative and lottery."),
    ("rewind", int, "The epoch whose weights a lottery ticket is rewound to."),
    ("begin", float, "gradual, activity, set, rigl: when changes begin, 0..1."),
    ("end", float, "The same: when they end; l1 and slimming: when the penalty does."),
    ("every", int, "Steps between changes of the masks."),
    ("drop", float, "set, rigl: the fraction that is rewired at first."),
    ("strength", float, "Strength of the penalty of l1 and slimming."),
    ("silent", float, "activity: cut only units that are ≤ 0 in this fraction of cases."),
    ("memory", float, "activity: how much the running means keep at each step."),
    ("distill", float, "How much the dense network's answers count, 0..1; 1: no targets needed."),
    ("temperature", float, "Of the dense network's answers, with --distill."),
    ("features", float, "How much inner values that differ from the dense network's add to the "
                        "loss."),
    ("feature_layers", str, "With --features: a module whose output is compared; repeatable.  "
                            "[default: those with residual blocks, or each layer]"),
    ("accelerator", str, "Where it runs: auto, cpu, cuda, mps."),
    ("devices", int, "How many devices to use at once; several need pruneviz[devices]."),
)  # fmt: skip
_FLAGS = (
    ("controls", "lottery: also train each ticket's mask with new weights, and a random mask."),
    ("remove", "Remove units as soon as they are cut: later epochs are cheaper."),
)
_DEFAULTS = {f.name: f.default for f in fields(Training)}


def training_options(command: Any) -> Any:
    """One option for each setting of `Training`; its seed is that of the plan."""
    for name, text in reversed(_FLAGS):
        command = click.option(f"--{name}", is_flag=True, help=text)(command)
    for name, kind, text in reversed(_SETTINGS):
        option = click.option(
            f"--{name.replace('_', '-')}",
            type=kind,
            multiple=_DEFAULTS[name] == (),
            default=None if _DEFAULTS[name] == "" else _DEFAULTS[name],
            show_default=_DEFAULTS[name] not in (None, "", ()),
            help=text,
        )
        command = option(command)
    return command


@click.command()
@opening_options
@plan_options
@training_options
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              help="Where trainings are saved, to resume them after a stop.  "
              "[default: the user's data folder]")  # fmt: skip
@click.option("--fresh", is_flag=True, help="Start afresh, whatever was saved.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              help="Write the trained network there, as `pruneviz export` does.")  # fmt: skip
@click.option("--csv", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write one row per epoch to FILE.")  # fmt: skip
@click.option("--recipe", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write how to train it again: for `pruneviz replay`.")  # fmt: skip
@click.option("--allocate", type=click.Choice([*ALLOCATIONS]), help="Distribute what --all cuts "
                                                                    "over the layers by this "
                                                                    "method. [default: the same "
                                                                    "from each]")  # fmt: skip
@JSON
def train(
    keep: Path | None,
    fresh: bool,
    out: Path | None,
    csv: Path | None,
    recipe: Path | None,
    allocate: str | None,
    as_json: bool,
    **values: Any,
) -> None:
    """Train MODEL, and prune it on the way by a method; what is cut stays at zero.

    The same command goes on where a training was stopped or killed, from its last epoch.

    \b
    Examples:
      pruneviz train lenet300 --all 0.9 --epochs 10
      pruneviz train lenet5 --method gradual --granularity neuron --all 0.5 --remove
      pruneviz train lenet300 --method lottery --start new --all 0.96 --rounds 6 --controls
      pruneviz train lenet5 --all 0.92 --allocate erk --method iterative --recipe recipe.yaml
    """
    settings = {name: values.pop(name) for name, *_ in (*_SETTINGS, *_FLAGS)}
    target = values["everywhere"]
    if allocate is not None and target is None:
        raise click.UsageError("--allocate distributes what --all cuts: give --all X too")
    bench = open_bench(values)
    with stoppable("the same command continues from the last epoch."):
        training = Training(seed=values["seed"], **settings)
        plan, alone = take_plan(bench, values)
        if allocate is not None:
            plan = _share_out(bench, plan, allocate, target, [*alone])
        folder = home() / "training" if keep is None else keep
        if not _helps():
            click.echo(samples_text(bench, training), err=True)
        tell = progress_with_time()
        trained = bench.train(
            plan, training, folder, fresh=fresh, progress=tell, watch=_EpochPrinter(quiet=as_json)
        )
    if _helps():
        return
    for name, reason in alone.items():
        click.echo(f"left dense: {name} ({reason})", err=True)
    _write(trained, out, csv, recipe)
    if as_json:
        print_json(_summary(bench, trained))
    else:
        _print(bench, trained)


def _share_out(bench: Workbench, plan: Plan, method: str, target: float, locked: list[str]) -> Plan:
    """The plan with `target` of all that is not locked, shared out by a method."""
    dense = replace(plan, sparsity={})
    try:
        return bench.allocate(method, target, dense, locked=locked, progress=progress_with_time())
    finally:
        end_of_progress()


class _EpochPrinter:
    """Prints each epoch once, when it has ended."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet, self._count = quiet, 0

    def __call__(self, moment: Moment) -> None:
        for row in moment.rows[self._count :]:
            if not self._quiet and not _helps():
                end_of_progress()
                click.echo(_line(row))
        self._count = len(moment.rows)


def _helps() -> bool:
    """Whether this process only helps another one that speaks for both."""
    return os.environ.get("LOCAL_RANK", "0") != "0"


def _line(row: EpochRow) -> str:
    head = f"{row.leg}, epoch {row.epoch}" if row.epoch else f"{row.leg}, before"
    loss = f"loss {row.loss:.4f}, " if row.epoch else ""
    took = f", {row.seconds:.1f} s" if row.epoch else ""
    training = "" if math.isnan(row.gap) else f"training {row.train_accuracy:.4f}, "
    return (
        f"{head}: {loss}{training}validation {row.accuracy:.4f} "
        f"({row.low:.4f} … {row.high:.4f}), {row.sparsity:.1%} cut{took}"
    )


def _write(trained: Trained, out: Path | None, csv: Path | None, recipe: Path | None) -> None:
    with plain_errors():
        if csv is not None:
            csv_text(trained.table, csv)
            click.echo(f"epochs: {csv}", err=True)
        if out is None and recipe is None:
            return
        version = Workbench(trained.source(f"{trained.origin.name}-trained"))
        if recipe is not None:
            made_recipe = recipe_of(version, trained.plan, version.evaluate(trained.plan))
            recipe.write_text(to_yaml(made_recipe), "utf-8")
            click.echo(f"recipe: {recipe}", err=True)
        if out is not None:
            files = version.export(trained.plan, out, DEFAULT, overwrite=True)
            for one in files.written:
                if not one.failed:
                    click.echo(f"{one.format}: {files.folder / one.file}", err=True)


def _summary(bench: Workbench, trained: Trained) -> dict[str, Any]:
    return {
        "model": bench.name,
        "plan": trained.asked.as_dict(),
        "training": trained.training.as_dict(),
        "epochs": trained.table.to_dict(orient="records"),
        "events": trained.events.to_dict(orient="records"),
        "recovered": trained.recovered,
        "seconds": trained.seconds,
        "masks": trained.checksum,
        "notes": list(trained.notes),
    }


def _print(bench: Workbench, trained: Trained) -> None:
    own = trained.table[~trained.table["aside"].astype(bool)]
    last = own.iloc[-1]
    scale = bench.task.scale
    click.echo(
        f"{bench.task.word} {last['accuracy']:.4f} ({last['low']:.4f} … {last['high']:.4f}), "
        f"change from dense: {scale.change_text(last['delta'])} "
        f"({scale.span_text(last['delta_low'], last['delta_high'])}), "
        f"{last['params']:,} parameters left of {bench.counts(trained.asked).params:,}"
    )
    if trained.recovered is not None:
        click.echo(f"no measurable loss from epoch {trained.recovered} on")
    for note in trained.notes:
        click.echo(f"note: {note}")
