"""Which accuracy does each criterion leave at each sparsity?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pruneviz.comparison.sameness import UNIFORM, plans_at
from pruneviz.comparison.similar import able_sliders, gather_for, levels_for
from pruneviz.comparison.verdicts import Verdict, verdict
from pruneviz.measuring.bench import Bench
from pruneviz.measuring.score import change, level
from pruneviz.plan import Plan, settings_of
from pruneviz.progress import Progress
from pruneviz.pruning.criteria import CRITERIA, find_criterion
from pruneviz.pruning.sliders import Slider
from pruneviz.sensitivity.answers import measure, recall
from pruneviz.sensitivity.curves import Curves
from pruneviz.storage.measurement_store import Memory
from pruneviz.tasks import Task

LEVELS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
SEEDS = 3
CONTROL, PLAIN = "random", "magnitude"
_DENSE = Plan()


@dataclass(frozen=True)
class ContestRequest:
    """What is to take part, and how.

    criteria: names; None: all that the granularity allows. The control takes part in any case.
    levels: sparsities in (0, 1]. plan: of granularity and repair. allocation: of ALLOCATIONS, told
    by the plan's own criterion; or "sliders": those of `plan`, scaled. locked: layers that stay
    whole. n: the first so many samples; None: all. seeds: of the control.
    """

    criteria: tuple[str, ...] | None = None
    levels: tuple[float, ...] = LEVELS
    plan: Plan = _DENSE
    allocation: str = UNIFORM
    locked: tuple[str, ...] = ()
    n: int | None = None
    seeds: int = SEEDS


@dataclass(frozen=True, order=True)
class Entry:
    """One plan of a contest; seed: of the control, 0 of the others."""

    sparsity: float
    criterion: str
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Contest:
    """What criteria leave of the score where all cut the same number from every layer.

    plan: granularity and repair, nothing cut. allocation: how the sparsity is shared out, the same
    for all. criteria: that take part, the control among them; left_out: criterion -> why not.
    layers: that are cut, those that all of them can cut. levels, seeds, n: as asked. answers:
    entry -> scores [n], as far as they are measured. dense: scores [n] of the dense network.
    """

    plan: Plan
    allocation: str
    criteria: tuple[str, ...]
    left_out: Mapping[str, str]
    layers: tuple[str, ...]
    levels: tuple[float, ...]
    seeds: int
    n: int
    task: Task
    dense: Tensor
    weight: Tensor | None
    answers: Mapping[Entry, Tensor]

    @property
    def complete(self) -> bool:
        """Whether everything is measured that was asked for."""
        return all(entry in self.answers for entry in self.entries)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is to be measured, level by level."""
        return tuple(
            Entry(at, name, seed)
            for at in self.levels
            for name in self.criteria
            for seed in range(self.seeds if name == CONTROL else 1)
        )

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a criterion and sparsity: criterion, seed, sparsity, n, accuracy, low, high,
        delta, delta_low, delta_high (paired, against dense).

        The control has a row for each seed, and one of their mean (seed NaN, as the others have),
        whose intervals span those of its seeds. An entry that is not measured has no row.
        """
        rows: list[dict[str, Any]] = []
        for name in self.criteria:
            for at in self.levels:
                rows += self._rows(name, at)
        columns = ["criterion", "seed", "sparsity", "n", "accuracy", "low", "high"]
        return pd.DataFrame(rows, columns=[*columns, "delta", "delta_low", "delta_high"])

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Which criterion at which sparsity; of the sparsities at which all are measured."""
        results = []
        for at in self.levels:
            here = {e: self.answers.get(e) for e in self.entries if e.sparsity == at}
            scores_of = {entry: scores for entry, scores in here.items() if scores is not None}
            if len(scores_of) < len(here) or self.n < 2:
                continue
            answers = {e.criterion: s for e, s in scores_of.items() if e.criterion != CONTROL}
            controls = [scores for e, scores in scores_of.items() if e.criterion == CONTROL]
            results.append(verdict(at, answers, self.weight, self.task, controls, CONTROL, PLAIN))
        return tuple(results)

    @property
    def summary(self) -> pd.DataFrame:
        """The verdicts as people read them: one row a sparsity, differences in the score's unit."""
        rows = []
        for one in self.verdicts:
            row = {
                "cut": f"{100 * one.sparsity:g} %",
                "best": one.best,
                self.task.word: f"{self.task.score_text(one.accuracy)} "
                f"({self.task.interval_text(one.low, one.high)})",
            }
            for head, role in (("runner-up", "runner-up"), (PLAIN, PLAIN), (CONTROL, "control")):
                margin = one.by_role(role)
                name = "" if margin is None or role != "runner-up" else f"{margin.other}: "
                row[f"minus {head}"] = "–" if margin is None else f"{name}{margin.words}"
            rows.append(row | {"in words": one.words})
        return pd.DataFrame(rows)

    @property
    def words(self) -> str:
        """How far it is, in a sentence."""
        number = sum(entry in self.answers for entry in self.entries)
        done = "" if self.complete else "; not finished"
        return f"{number} of {len(self.entries)} plans, {self.n:,} samples each{done}."

    def _rows(self, name: str, at: float) -> list[dict[str, Any]]:
        seeds = range(self.seeds if name == CONTROL else 1)
        entries = [Entry(at, name, seed) for seed in seeds]
        rows = [self._row(e, self.answers[e]) for e in entries if e in self.answers]
        if name != CONTROL:
            return [row | {"seed": float("nan")} for row in rows]
        if len(rows) < self.seeds:
            return rows
        mean = {key: float(np.mean([row[key] for row in rows])) for key in ("accuracy", "delta")}
        ends = {
            key: (min if key.endswith("low") else max)(row[key] for row in rows)
            for key in ("low", "high", "delta_low", "delta_high")
        }
        return [rows[0] | {"seed": float("nan")} | mean | ends, *rows]

    def _row(self, entry: Entry, scores: Tensor) -> dict[str, Any]:
        names = ("accuracy", "low", "high", "delta", "delta_low", "delta_high")
        head = {"criterion": entry.criterion, "seed": float(entry.seed)}
        values = (
            *level(scores, self.weight, self.task),
            *change(scores, self.dense, self.weight, self.task),
        )
        at = {"sparsity": entry.sparsity, "n": len(scores)}
        return head | at | dict(zip(names, values, strict=True))


def contest(
    bench: Bench,
    memory: Memory,
    request: ContestRequest,
    progress: Progress | None,
    curves: Curves | None = None,
    only: str | None = None,
) -> Contest:
    """Every criterion at every sparsity; without `progress` only what is known, quickly.

    What is measured is in `memory` at once; `progress` is called before each step and may raise to
    stop. curves: for the allocation that looks at them. only: the one criterion to measure.
    ValueError names what does not fit.
    """
    names, levels, n = _check(bench, request)
    sliders, left_out = _common(bench, request, names)
    plans = plans_at(bench, request.plan, request.allocation, sliders, levels, curves)
    dense = recall(bench.original, memory, Plan(), n)
    if dense is None and progress is not None:
        dense = measure(bench.original, memory, Plan(), n, partial(progress, "dense", 0.0))
    result = Contest(
        plan=settings_of(request.plan),
        allocation=request.allocation,
        criteria=tuple(name for name in names if name not in left_out),
        left_out=left_out,
        layers=tuple(slider.name for slider in sliders),
        levels=levels,
        seeds=request.seeds,
        n=n,
        task=bench.task,
        dense=torch.empty(0) if dense is None else dense.scores,
        weight=None if dense is None else dense.weight,
        answers={},
    )
    if dense is None or not sliders:
        return replace(result, criteria=result.criteria if sliders else ())
    names = result.criteria if only is None else (only,)
    answers = _measure(bench, memory, result, names, plans, left_out, progress)
    able = tuple(name for name in result.criteria if name not in left_out)
    return replace(result, criteria=able, answers=answers)


def _measure(
    bench: Bench,
    memory: Memory,
    entrants: Contest,
    names: tuple[str, ...],
    plans: Mapping[float, Plan],
    left_out: dict[str, str],
    progress: Progress | None,
) -> dict[Entry, Tensor]:
    """Entry -> its scores, of these criteria; one that fails goes into `left_out`, with why."""
    answers: dict[Entry, Tensor] = {}
    gathered = progress is None
    entries = [entry for entry in entrants.entries if entry.criterion in names]
    for place, entry in enumerate(entries):
        if entry.criterion in left_out:
            continue
        plan = replace(plans[entry.sparsity], criterion=entry.criterion, seed=entry.seed)
        done = place / len(entries)
        try:
            reply = recall(bench, memory, plan, entrants.n)
            if reply is None and progress is not None:
                if not gathered:
                    gather_for(bench, names, _at(progress, done))
                    gathered = True
                label = f"{entry.criterion} at {100 * entry.sparsity:g} %"
                reply = measure(bench, memory, plan, entrants.n, partial(progress, label, done))
        except ValueError as error:
            left_out[entry.criterion] = str(error)
            continue
        if reply is not None:
            answers[entry] = reply.scores
    return answers


def _at(progress: Progress, done: float) -> Progress:
    """Progress of a step that the whole does not count."""
    return lambda label, part: progress(f"{label}, {part:.0%}" if part else label, done)


def _check(bench: Bench, request: ContestRequest) -> tuple[tuple[str, ...], tuple[float, ...], int]:
    """(names with the control, levels, samples); ValueError names what does not fit."""
    granularity = request.plan.granularity
    if request.criteria is None:
        names = [name for name, criterion in CRITERIA.items() if criterion.allows(granularity)]
    else:
        names = [find_criterion(name, granularity).name for name in request.criteria]
    samples = len(bench.source.validation)
    n = samples if request.n is None else request.n
    if type(n) is not int or not 2 <= n <= samples:
        raise ValueError(f"n must be in 2..{samples} (the validation samples), got {n!r}")
    if type(request.seeds) is not int or request.seeds < 1:
        raise ValueError(f"seeds must be a whole number of 1 or more, got {request.seeds!r}")
    unknown = [name for name in request.locked if name not in bench.layer_of]
    if unknown:
        raise ValueError(f"no layer {unknown[0]!r} to lock; see the workbench's layers")
    return tuple(dict.fromkeys([*names, CONTROL])), levels_for(request.plan, request.levels), n


def _common(
    bench: Bench, request: ContestRequest, names: Sequence[str]
) -> tuple[tuple[Slider, ...], dict[str, str]]:
    """(what all criteria can move, criterion -> why it can move nothing)."""
    able, reasons = able_sliders(bench, settings_of(request.plan), names)
    out = {name: next(iter(reasons[name].values())) for name in names if not able[name]
           and reasons.get(name)}  # fmt: skip
    common = [
        slider
        for slider in able[CONTROL]
        if all(slider in able[name] for name in names if name not in out)
        and not any(layer in request.locked for layer in slider.layers)
    ]
    return tuple(common), out
