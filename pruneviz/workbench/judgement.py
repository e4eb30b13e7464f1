"""How does what another tool made of a network stand beside a plan of it?"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from torch import nn

from pruneviz.history.comparison import (
    PlanComparison,
    class_targets,
    compare,
    costs_apart,
    masks_apart,
)
from pruneviz.history.records import measurement_of
from pruneviz.measuring.bench import Bench
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.progress import Progress, silent
from pruneviz.workbench.inspection import ledger_of
from pruneviz.workbench.other_tool import Other, open_version

_DENSE = Plan()


@dataclass(frozen=True)
class Judgement:
    """A plan of a network, first, beside what another tool made of that network, second.

    version, plan: the second, and its zeros as a plan. first, second: measured on all validation
    samples, both against the dense network. comparison: second minus first, as of two plans of the
    history. masks: layer by layer, how far they are apart; empty where why_no_masks says why.
    costs: ledger beside ledger; empty where it was not asked for.
    """

    version: Bench = field(repr=False)
    plan: Plan
    first: Evaluation
    second: Evaluation
    comparison: PlanComparison
    masks: pd.DataFrame
    why_no_masks: str
    costs: pd.DataFrame


def judge(
    bench: Bench,
    other: Other | Bench,
    plan: Plan = _DENSE,
    *,
    cost: bool = False,
    unsafe: bool = False,
    progress: Progress = silent,
) -> Judgement:
    """What another tool made of this network, measured beside `plan` (the dense one by default).

    other, unsafe: as `Workbench.version` takes them, or what it gave. cost: measure both ledgers,
    too, which takes some seconds. Raises ValueError as `version` does.

    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    >>> bench = pv.open(network, (torch.randn(40, 4), torch.arange(40) % 3))
    >>> plan = pv.Plan(sparsity={"0": 0.5})
    >>> int(bench.judge(bench.prune(plan).model, plan).masks["differ"].sum())
    0
    """
    progress("opening what another tool left", 0.0)
    if isinstance(other, str | Path | bytes | nn.Module):
        other = open_version(bench, other, unsafe=unsafe)
    version = other
    progress("measuring the first", 0.2)
    first = bench.evaluate(plan)
    progress("measuring the second", 0.5)
    second = version.evaluate(version.plan)
    comparison = compare(
        measurement_of(first, bench.counts(plan), bench.masks(plan)),
        measurement_of(second, version.counts(version.plan), version.masks(version.plan)),
        class_targets(bench.source.validation),
    )
    why = why_no_masks(bench, version)
    return Judgement(
        version,
        version.plan,
        first,
        second,
        comparison,
        pd.DataFrame() if why else masks_apart(bench.masks(plan), version.masks(version.plan)),
        why,
        _costs(((bench, plan), (version, version.plan)), progress) if cost else pd.DataFrame(),
    )


def why_no_masks(one: Bench, other: Bench) -> str:
    """Why masks of two networks cannot be laid on each other, or ""."""
    shapes = [{name: layer.shape for name, layer in b.layer_of.items()} for b in (one, other)]
    if shapes[0] == shapes[1]:
        return ""
    return "the two networks have layers of other shapes: there are no masks to compare"


def _costs(
    sides: tuple[tuple[Bench, Plan], tuple[Bench, Plan]], progress: Progress
) -> pd.DataFrame:
    progress("ledger of the first", 0.8)
    first = ledger_of(*sides[0])
    progress("ledger of the second", 0.9)
    return costs_apart(first, ledger_of(*sides[1]))
