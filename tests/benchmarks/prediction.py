"""How well do the curves of single layers foretell whole plans? Prints the README's tables.

Run from the top of the checkout: python -m tests.benchmarks.prediction [names]
A name is a network, with "+neuron" for whole units and "+recalibrate" for that repair. One thread.
Spearman: rank correlation of predicted and measured accuracy over 100 random plans, none of which
was fitted to, on all validation samples. Ceiling: that of the accuracies measured on the two halves
of the samples, brought to their whole length (Spearman-Brown); no prediction can be expected to do
better. Sum: that of the overall sparsity, for comparison; Taylor: of the Taylor term alone.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import spearmanr

import pruneviz as pv
from pruneviz.sensitivity.curves import Curves
from pruneviz.sensitivity.prediction import Prediction, Predictor, random_plans
from pruneviz.sensitivity.taylor import LEVELS, rises

NAMES = (
    *("lenet300", "lenet5", "vit", "resnet20", "resnet20+recalibrate"),
    *("lenet5+neuron", "resnet20+neuron+recalibrate"),
)
PLANS, SEED = 100, 3
SPARSITY = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
ACCURACY = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
HEAD = (
    "| network | Spearman | ceiling | Taylor alone | overall sparsity alone "
    "| mean absolute error | within the interval | seconds to fit | mix |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|---|"
)


@dataclass(frozen=True)
class Judged:
    """What was predicted of a plan, and measured: on all samples, and on either half."""

    sparsity: float
    told: Prediction
    measured: float
    first: float
    second: float

    @property
    def error(self) -> float:
        return abs(self.told.accuracy - self.measured)


def main(names: Sequence[str]) -> None:
    """Scan, fit, judge, and print."""
    torch.set_num_threads(1)
    print(HEAD)
    found = {}
    for name in names:
        line, found[name] = row(name)
        print(line, flush=True)
    bands("overall sparsity", SPARSITY, found, "sparsity")
    bands("measured accuracy", ACCURACY, found, "measured")


def row(name: str) -> tuple[str, list[Judged]]:
    """A row of the first table, and the plans."""
    network, *choices = name.split("+")
    bench = pv.open(network)
    granularity = "neuron" if "neuron" in choices else "weight"
    repair = tuple(choice for choice in choices if choice != "neuron")
    curves = bench.studies.curves(pv.Plan(granularity=granularity, repair=repair))
    start = time.perf_counter()
    predictor = bench.studies.predictor(curves.plan)
    took = time.perf_counter() - start
    whole = bench.evaluate(pv.Plan()).accuracy
    plans = random_plans(curves, PLANS, SEED, whole)
    rows = [judged(bench, predictor, plan) for plan in plans]
    first, second = [row.first for row in rows], [row.second for row in rows]
    halves = rank(first, second)
    measured = [row.measured for row in rows]
    told = rank([row.told.accuracy for row in rows], measured)
    within = sum(row.told.low <= row.measured <= row.told.high for row in rows)
    error = 100 * np.mean([row.error for row in rows])
    mix = ", ".join(f"{100 * share:.0f} % {feature}" for feature, share in predictor.mix.items())
    naive = rank([-row.sparsity for row in rows], measured)
    return (
        f"| {name} | {told:.3f} | {2 * halves / (1 + halves):.3f} "
        f"| {taylor_alone(bench, curves, plans, measured)} | {naive:.3f} | {error:.1f} points "
        f"| {within} % | {took:.0f} | {mix} |"
    ), rows


def judged(bench: pv.Workbench, predictor: Predictor, plan: pv.Plan) -> Judged:
    """What was said of a plan, and what it does."""
    measured, first, second = measure(bench, plan)
    counts = bench.counts(plan)
    sparsity = 1 - counts.params_kept / counts.params
    return Judged(sparsity, predictor.predict(plan), measured, first, second)


def measure(bench: pv.Workbench, plan: pv.Plan) -> tuple[float, float, float]:
    """Its accuracy on all validation samples, on the first half and on the second."""
    every = len(bench.source.validation)
    whole = bench.evaluate(plan).accuracy
    half = every // 2
    return whole, bench.evaluate(plan, half).accuracy, bench.evaluate(plan, every, half).accuracy


def taylor_alone(
    bench: pv.Workbench, curves: Curves, plans: Sequence[pv.Plan], measured: Sequence[float]
) -> str:
    """The rank correlation of the Taylor term, or a dash where it cannot be told."""
    sliders = [curve.slider for curve in curves.curves if curve.points]
    tables = rises(bench, curves.plan, sliders)
    if not tables:
        return "–"
    sums = [
        sum(float(np.interp(s.level(plan), LEVELS, tables[s.name])) for s in sliders)
        for plan in plans
    ]
    return f"{rank([-value for value in sums], measured):.3f}"


def rank(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's rank correlation."""
    return float(spearmanr(one, other).statistic)


def bands(title: str, edges: Sequence[float], found: dict[str, list[Judged]], of: str) -> None:
    """Print the mean absolute error, in points, by band of something, with how many plans."""
    pairs = list(itertools.pairwise(edges))
    heads = [f"{100 * low:.0f}–{100 * high:.0f} %" for low, high in pairs]
    print(f"\n| error by {title} | " + " | ".join(heads) + " |\n|---|" + "---:|" * len(pairs))
    for name, rows in found.items():
        cells = []
        for low, high in pairs:
            inside = [
                row.error
                for row in rows
                if low <= getattr(row, of) < high or getattr(row, of) == high == 1
            ]
            cells.append(f"{100 * np.mean(inside):.1f} ({len(inside)})" if inside else "–")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main(sys.argv[1:] or NAMES)
