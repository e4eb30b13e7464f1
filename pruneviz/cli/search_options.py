"""What may a search from a terminal move, and what does it count?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from pruneviz.allocation.budgets import BUDGETS
from pruneviz.allocation.request import SearchRequest
from pruneviz.cli.plan_options import ranking_options, take_ranking
from pruneviz.plan import Plan
from pruneviz.pruning.locks import unit_locks
from pruneviz.workbench import Workbench

Command = Callable[..., None]


@dataclass(frozen=True)
class SearchLimits:
    """The options as they were given; what they mean depends on the network."""

    budget: str
    floor: float | dict[str, float]
    plan: Plan
    lock: tuple[str, ...]
    unlocked: bool

    def locks(self, bench: Workbench) -> dict[str, str]:
        """Layer -> why it stays as it is."""
        usual = {} if self.unlocked else bench.locks
        groups = bench.graph_cache.groups_for(self.plan.granularity)
        if groups is not None:
            usual = unit_locks(usual, groups)
        return dict.fromkeys(self.lock, "locked by --lock") | usual

    def request(self, bench: Workbench) -> SearchRequest:
        """The same for the engine."""
        return SearchRequest(self.plan, self.budget, [*self.locks(bench)], self.floor)


_OPTIONS = (
    click.option("--budget", type=click.Choice([*BUDGETS]), default="parameters", show_default=True,
                 help="What the target counts."),
    click.option("--floor", multiple=True, metavar="X|LAYER=X", help="The fraction that every "
                                                                     "layer, or one layer, keeps "
                                                                     "at least; repeatable."),
    click.option("--lock", multiple=True, metavar="LAYER", help="Leave this layer whole; "
                                                                "repeatable."),
    click.option("--unlocked", is_flag=True, help="Layers that are locked by default may move "
                                                  "too."),
    ranking_options("criterion", "seed", "aggregate", "repair"),
    click.option("--granularity", default="weight", show_default=True,
                 help="weight, neuron, head or block."),
)  # fmt: skip


def search_options(command: Command) -> Command:
    """The options of what may move, in the order of the help."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_limits(values: dict[str, Any]) -> SearchLimits:
    """What the options say; they are taken out of `values`."""
    floor = _floor(values.pop("floor"))
    own = {name: values.pop(name) for name in ("budget", "lock", "unlocked")}
    return SearchLimits(floor=floor, plan=take_ranking(values), **own)


def _floor(texts: tuple[str, ...]) -> float | dict[str, float]:
    """One number for all, or one for each layer named."""
    floors: dict[str, float] = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        try:
            floors[name] = float(value)
        except ValueError:
            raise click.BadParameter(
                f"takes X or LAYER=X such as 0.02 or conv1=0.2, got {text!r}", param_hint="--floor"
            ) from None
    if "" not in floors:
        return floors or 0.0
    if len(floors) > 1:
        raise click.BadParameter("takes one X for all layers, or LAYER=X", param_hint="--floor")
    return floors[""]
