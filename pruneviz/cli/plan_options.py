"""Which words of a command line say what is to be pruned?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

import click

from pruneviz.cli.shared import plain_errors
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import find_criterion
from pruneviz.pruning.locks import unit_locks
from pruneviz.pruning.prune import cannot
from pruneviz.pruning.units import cannot_units
from pruneviz.workbench import Workbench

F = TypeVar("F", bound=Callable[..., Any])

_RANKING = {
    "criterion": click.option("--criterion", default="magnitude", show_default=True,
                              help="How importance is scored."),
    "granularity": click.option("--granularity", default="weight", show_default=True,
                                help="weight, neuron, head, block or N:M."),
    "seed": click.option("--seed", default=0, show_default=True, help="Of the random criterion."),
    "aggregate": click.option("--aggregate", default="mean", show_default=True,
                              help="How the scores of layers that are cut together are combined: "
                                   "mean, "
                              "sum or max."),
    "repair": click.option("--repair", multiple=True, metavar="NAME",
                           help="Mend the damage without training: fold, reconstruct, "
                           "update (of single weights) or recalibrate; repeatable."),
}  # fmt: skip
RANKING = tuple(_RANKING)
_LEVELS = (
    click.option("--scope", default="layer", show_default=True,
                 help="layer, global, or alike: among layers of the same kind and shape."),
    click.option("--relative", is_flag=True, help="Divide scores by their layer's L2 norm first."),
    click.option("--all", "everywhere", type=float, help="Sparsity of every unlocked layer, 0..1."),
    click.option("--unlocked", is_flag=True,
                 help="Apply --all to layers that are locked by default, too."),
    click.option("--sparsity", multiple=True, metavar="LAYER=X", help="Of one layer; repeatable."),
    click.option("--pin", multiple=True, metavar="LAYER:UNIT=cut|keep",
                 help="Cut or keep one unit by hand, whatever its score; repeatable."),
)  # fmt: skip
_CHOICES = ("criterion", "granularity", "scope", "relative")
_PINS = {"cut": False, "keep": True}


def ranking_options(*names: str) -> Callable[[F], F]:
    """The options of RANKING, or those named: what is ranked and cut, without how much."""

    def add(command: F) -> F:
        for name in reversed(names or RANKING):
            command = _RANKING[name](command)
        return command

    return add


def take_ranking(values: dict[str, Any]) -> Plan:
    """The plan, nothing cut yet, that the options of `ranking_options` ask for; they are taken out
    of `values`.
    """
    choices = {name: values.pop(name) for name in RANKING if name in values}
    with plain_errors():
        return Plan(**choices)


def plan_options(command: F) -> F:
    """The options that say what is to be pruned; `take_plan` makes a plan of them."""
    for option in reversed(_LEVELS):
        command = option(command)
    return ranking_options()(command)


def take_plan(bench: Workbench, values: dict[str, Any]) -> tuple[Plan, dict[str, str]]:
    """The plan that the options of `plan_options` ask for; they are taken out of `values`.

    Where they ask for nothing it is the plan that the network begins with.
    Also tells which layers --all left alone, and why. ValueError names what does not fit.
    """
    everywhere = values.pop("everywhere")
    alone = {} if everywhere is None else _exceptions(bench, values)
    del values["unlocked"]
    levels = {name: everywhere for name in bench.layer_of if everywhere is not None}
    levels = {name: level for name, level in levels.items() if name not in alone}
    levels |= dict(_level(text) for text in values.pop("sparsity"))
    pinned: dict[str, Any] = {}
    for name, place, kept in map(_pin, values.pop("pin")):
        pinned.setdefault(name, {})[place] = kept
    usual = all(values[f.name] == f.default for f in fields(Plan) if f.name in _CHOICES)
    if everywhere is None and not levels and not pinned and usual:
        levels, pinned = dict(bench.plan.sparsity), dict(bench.plan.pinned)
    if everywhere is not None and not levels and not pinned:
        raise ValueError(
            "nothing to prune: every layer is locked: "
            + ", ".join(f"{name} ({why})" for name, why in alone.items())
            + "; name one with --sparsity, or use --unlocked"
        )
    plan = Plan(
        criterion=values.pop("criterion"),
        granularity=values.pop("granularity"),
        scope=values.pop("scope"),
        sparsity=levels,
        relative=values.pop("relative"),
        seed=values.pop("seed"),
        pinned=pinned,
        aggregate=values.pop("aggregate"),
        repair=values.pop("repair"),
    )
    return plan, {name: why for name, why in alone.items() if name not in plan.sparsity}


def _exceptions(bench: Workbench, values: Mapping[str, Any]) -> dict[str, str]:
    """Layer -> why --all does not mean it: locked, or nothing in it can be cut so."""
    granularity = values["granularity"]
    groups = bench.graph_cache.groups_for(granularity)
    locks = bench.locks if groups is None else unit_locks(bench.locks, groups)
    alone = {} if values["unlocked"] else dict(locks)
    if groups is not None:
        criterion = find_criterion(values["criterion"], granularity)
        for name, layer in bench.layer_of.items():
            why = cannot(layer, criterion, granularity)
            why = why or cannot_units(groups, layer, granularity)
            if why is not None:
                alone.setdefault(name, why)
    return alone


def _level(text: str) -> tuple[str, float]:
    name, sign, value = text.rpartition("=")
    try:
        if sign:
            return name, float(value)
    except ValueError:
        pass
    raise ValueError(f"--sparsity takes LAYER=X such as conv1=0.5, got {text!r}")


def _pin(text: str) -> tuple[str, str, bool]:
    name, colon, rest = text.partition(":")
    place, _, word = rest.rpartition("=")
    if not colon or not place or word not in _PINS:
        raise ValueError(f"--pin takes LAYER:UNIT=cut or =keep such as conv1:5=cut, got {text!r}")
    return name, place, _PINS[word]
