"""Which allocation leaves most of the accuracy? Prints the README's tables.

python -m tests.benchmarks.allocation [--moves N] [network[+recalibrate] ...]
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace

import torch
from torch import Tensor

from pruneviz.allocation.request import SearchRequest
from pruneviz.allocation.search import EVALUATIONS, SearchResult
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.measuring.intervals import paired_difference
from pruneviz.plan import Plan
from pruneviz.sources.registered import load_registered
from pruneviz.workbench import Workbench

NETWORKS = ("lenet300", "lenet5", "vit", "resnet20", "resnet20+recalibrate")
TARGETS = (0.5, 0.7, 0.8, 0.9, 0.95)
METHODS = ("uniform", "uniform+", "global", "erk", "lamp")
SEEDS = (0, 1, 2)
CALIBRATED = 0.8  # of the calibration samples, drawn anew for each seed
LOSE = 0.01


def main(names: list[str], moves: int = EVALUATIONS) -> None:
    """Search, measure on samples that no search has seen, and print."""
    torch.set_num_threads(1)
    print(
        "| network | target | " + " | ".join(METHODS) + " | ours | ours − best other, by seed "
        "| plans measured |\n|---|---:|" + "---:|" * (len(METHODS) + 1) + "---|---:|"
    )
    cells: list[str] = []
    small: list[str] = []
    for name in names or list(NETWORKS):
        began = time.perf_counter()
        benches = [bench_of(name.split("+")[0], seed) for seed in SEEDS]
        plan = Plan(repair=tuple(name.split("+")[1:]))
        for target in TARGETS:
            line, verdicts = row(name, benches, plan, target, moves)
            print(line, flush=True)
            cells += verdicts
        small.append(least(name, benches[0], plan))
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    print(f"\nOf {len(cells)} cells ours is " + ", ".join(
        f"{word} in {cells.count(word)}" for word in ("better", "tied", "worse")
    ))  # fmt: skip
    print(
        "\n| network | goes | stays | plans measured | loss, search samples | loss, others "
        "| seconds |\n|---|---:|---:|---:|---|---|---:|"
    )
    print("\n".join(small))


def bench_of(name: str, seed: int) -> Workbench:
    """A sample network with another split: which samples calibrate, search and judge."""
    source = load_registered(name)
    draw = torch.Generator().manual_seed(seed)
    calibration = source.calibration.take(_some(len(source.calibration), CALIBRATED, draw))
    validation = source.validation.take(_some(len(source.validation), 1.0, draw))
    return Workbench(replace(source, calibration=calibration, validation=validation, dense=None))


def _some(number: int, share: float, draw: torch.Generator) -> Tensor:
    return torch.randperm(number, generator=draw)[: round(share * number)]


def row(
    name: str, benches: list[Workbench], plan: Plan, target: float, moves: int
) -> tuple[str, list[str]]:
    """One row of the table, means over the seeds, and the verdict for each seed."""
    sums = dict.fromkeys((*METHODS, "ours"), 0.0)
    said, verdicts, measured = [], [], 0
    for bench in benches:
        found = bench.studies.search("sensitivity", target, SearchRequest(plan, evaluations=moves))
        assert found.holdout is not None
        start = len(bench.source.validation) - found.holdout.n
        held = {m: _judged(bench, m, target, plan, start) for m in METHODS}
        for method, result in (*held.items(), ("ours", found.holdout)):
            sums[method] += 100 * result.accuracy / len(benches)
        best = max(held.values(), key=lambda result: result.accuracy)
        targets = bench.source.validation.targets
        assert targets is not None
        difference, low, high = _paired(found.holdout, best, targets[start:])
        said.append(f"{100 * difference:+.1f} ({100 * low:+.1f} … {100 * high:+.1f})")
        verdicts.append("worse" if high < 0 else "better" if low > 0 else "tied")
        measured += found.evaluations
    cells = " | ".join(f"{value:.1f}" for value in sums.values())
    of = f"{measured / len(benches):.0f}"
    return f"| {name} | {100 * target:g} % | {cells} | {'; '.join(said)} | {of} |", verdicts


def _judged(bench: Workbench, method: str, target: float, plan: Plan, start: int) -> Evaluation:
    own = bench.allocate(method, target, plan)
    return bench.evaluate(own, len(bench.source.validation), start)


def _paired(ours: Evaluation, other: Evaluation, targets: Tensor) -> tuple[float, float, float]:
    now, was = ours.predicted == targets, other.predicted == targets
    return paired_difference(int((now & ~was).sum()), int((was & ~now).sum()), len(now))


def least(name: str, bench: Workbench, plan: Plan) -> str:
    """The smallest plan that loses at most a point."""
    began = time.perf_counter()
    found: SearchResult = bench.studies.smallest(LOSE, plan)
    seconds = time.perf_counter() - began
    counts = bench.counts(found.plan)
    assert found.result is not None
    assert found.holdout is not None
    return (
        f"| {name} | {100 * found.got:.1f} % | {counts.params_kept:,} of {counts.params:,} "
        f"| {found.evaluations} | {_points(found.result)} | {_points(found.holdout)} "
        f"| {seconds:.0f} |"
    )


def _points(result: Evaluation) -> str:
    low, high = 100 * result.delta_low, 100 * result.delta_high
    return f"{100 * result.delta:+.1f} ({low:+.1f} … {high:+.1f})"


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("networks", nargs="*")
    asked.add_argument("--moves", type=int, default=EVALUATIONS)
    given = asked.parse_args()
    main(given.networks, given.moves)
