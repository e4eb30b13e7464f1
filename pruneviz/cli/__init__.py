"""How is the engine used from a terminal?"""

from __future__ import annotations

from typing import Any

import click

from pruneviz.cli.allocate import allocate
from pruneviz.cli.catalogue import criteria, glossary, groups, layers, models
from pruneviz.cli.compare import compare
from pruneviz.cli.cost import cost
from pruneviz.cli.export import export
from pruneviz.cli.judge import judge
from pruneviz.cli.lessons import lessons
from pruneviz.cli.pareto import pareto
from pruneviz.cli.prune import prune
from pruneviz.cli.replay import replay_recipe
from pruneviz.cli.report import write
from pruneviz.cli.scan import scan
from pruneviz.cli.serve import app
from pruneviz.cli.settings import settings
from pruneviz.cli.shrink import shrink
from pruneviz.cli.train import train
from pruneviz.storage.faults import is_refusal, log_file, sentence

_DEBUG = "pruneviz.debug"


class _Commands(click.Group):
    """The commands, none of which ends in a trace unless it is asked for."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error that nobody foresaw becomes a sentence."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if ctx.meta.get(_DEBUG):
                raise
            words = sentence(error)
            where = "" if is_refusal(error) else f" ({log_file()}; --debug shows it)"
            raise click.ClickException(f"{words}{where}") from None


def _remember(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.meta[_DEBUG] = ctx.meta.get(_DEBUG, False) or value


def _debug() -> click.Option:
    return click.Option(
        ["--debug"],
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="Show the trace of an error that was not foreseen.",
    )


@click.group(cls=_Commands, epilog="Example: pruneviz prune lenet5 --all 0.5 --sparsity conv1=0.2")
@click.version_option(package_name="pruneviz")
def main() -> None:
    """See and steer neural-network pruning."""


for command in (
    models,
    criteria,
    glossary,
    layers,
    groups,
    prune,
    shrink,
    cost,
    scan,
    compare,
    judge,
    allocate,
    pareto,
    train,
    export,
    replay_recipe,
    write,
    settings,
    lessons,
    app,
):
    command.params.append(_debug())
    main.add_command(command)
main.params.append(_debug())
