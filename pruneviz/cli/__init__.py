"""How is the engine used from a terminal?"""

from __future__ import annotations

import click

from pruneviz.cli.allocating import allocate
from pruneviz.cli.comparing import compare
from pruneviz.cli.costing import cost
from pruneviz.cli.exporting import export
from pruneviz.cli.listing import criteria, groups, layers, models
from pruneviz.cli.pruning import prune
from pruneviz.cli.replaying import replay_recipe
from pruneviz.cli.reporting import write
from pruneviz.cli.scanning import scan
from pruneviz.cli.serving import app
from pruneviz.cli.shrinking import shrink
from pruneviz.cli.training import train


@click.group(epilog="Example: pruneviz prune lenet5 --all 0.5 --sparsity conv1=0.2")
@click.version_option(package_name="pruneviz")
def main() -> None:
    """See and steer neural-network pruning."""


for command in (
    models,
    criteria,
    layers,
    groups,
    prune,
    shrink,
    cost,
    scan,
    compare,
    allocate,
    train,
    export,
    replay_recipe,
    write,
    app,
):
    main.add_command(command)
