"""What is one line for every budget worth, beside a method or a search for each?

python -m tests.benchmarks.pareto_line [network[+granularity] ...]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import pruneviz as pv
from pruneviz.allocation.pareto_line import ParetoLine
from pruneviz.allocation.request import SearchRequest
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench

NETWORKS = ("lenet300", "lenet5", "vit", "resnet20", "lenet5+neuron")
TARGETS = (0.5, 0.7, 0.8, 0.9)
FORMULAS = ("uniform", "erk", "lamp", "owl")


def main(names: list[str]) -> None:
    """Draw, search, judge both on the half of the samples that neither has seen, and print."""
    torch.set_num_threads(1)
    print(
        "| network | target | best formula | line, predicted | line, measured | search "
        "| line, processor seconds | search, processor seconds |\n"
        "|---|---:|---|---:|---:|---:|---:|---:|"
    )
    errors: list[str] = []
    for name in names or list(NETWORKS):
        network, _, granularity = name.partition("+")
        bench = pv.open(network)
        plan = Plan(granularity=granularity or "weight")
        request = SearchRequest(plan, locked=[*bench.locks])
        bench.studies.curves(plan)
        line, seconds = timed(lambda bench=bench, r=request: bench.studies.pareto(r))
        for target in TARGETS:
            print(row(name, bench, request, line, seconds, target), flush=True)
            seconds = 0.0
        errors.append(judged(name, bench, line))
    print("\n| network | points | mean error of the prediction | within the interval |")
    print("|---|---:|---:|---:|\n" + "\n".join(errors))


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What the work gives, and the processor seconds that it took."""
    begun = time.process_time()
    return work(), time.process_time() - begun


def row(
    name: str,
    bench: Workbench,
    request: SearchRequest,
    line: ParetoLine,
    seconds: float,
    target: float,
) -> str:
    """One target: a formula, the point of the line that takes away as much, a search."""
    formulas = {m: unseen(bench, bench.studies.search(m, target, request).plan) for m in FORMULAS}
    best = max(formulas, key=lambda method: formulas[method])
    point = next((p for p in line.points if p.removed >= target), line.points[-1])
    search, spent = timed(lambda: bench.studies.search("sensitivity", target, request))
    drawn = f"{seconds:.1f}" if seconds else ""
    return (
        f"| {name} | {100 * target:.0f} % | {100 * formulas[best]:.1f} ({best}) "
        f"| {100 * point.prediction.accuracy:.1f} | {100 * unseen(bench, point.plan):.1f} "
        f"| {100 * unseen(bench, search.plan):.1f} | {drawn} | {spent:.1f} |"
    )


def unseen(bench: Workbench, plan: Plan) -> float:
    """Accuracy on the half of the validation samples that no search uses."""
    samples = len(bench.source.validation)
    return bench.evaluate(plan, samples, samples // 2).accuracy


def judged(name: str, bench: Workbench, line: ParetoLine) -> str:
    """How well the line foretold itself."""
    measured = np.array([unseen(bench, one.plan) for one in line.points])
    said = [one.prediction for one in line.points]
    error = np.abs(measured - [one.accuracy for one in said]).mean()
    pairs = zip(said, measured, strict=True)
    within = np.mean([one.low <= value <= one.high for one, value in pairs])
    return f"| {name} | {len(measured)} | {100 * error:.1f} points | {100 * within:.0f} % |"


if __name__ == "__main__":
    main(sys.argv[1:])
