"""What does each repair bring back when filters of resnet20 are removed?

Run from the top of the checkout: python -m tests.benchmarks.repair
Prints the README's table: the same part of the filters of every unlocked layer, lowest L2 norm
first, one shot, no training; accuracy on all 2,000 validation digits with its 95 % interval; the
seconds that the repair takes with the first 1,000 calibration digits.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pruneviz as pv

NETWORK = "resnet20"
CRITERIA = ("magnitude", "l2")
LEVELS = (0.25, 0.5)
REPAIRS: dict[str, tuple[str, ...]] = {
    "none": (),
    "recalibrate": ("recalibrate",),
    "fold": ("fold",),
    "fold, recalibrate": ("fold", "recalibrate"),
    "reconstruct": ("reconstruct",),
    "reconstruct, recalibrate": ("reconstruct", "recalibrate"),
    "all": ("fold", "reconstruct", "recalibrate"),
}


def main() -> None:
    """Print the table."""
    bench = pv.open(NETWORK)
    bench.confirm_dense()
    dense = bench.evaluate(pv.Plan())
    print(f"{NETWORK}, dense: {told(dense)}\n")
    print("| criterion | repair |", end="")
    print("".join(f" {level:.0%} of filters | seconds |" for level in LEVELS))
    print("|---|---|" + "---:|---:|" * len(LEVELS))
    for criterion in CRITERIA:
        for label, names in REPAIRS.items():
            cells = "".join(cell(bench, criterion, level, names) for level in LEVELS)
            print(f"| {criterion} | {label} |{cells}", flush=True)


def cell(bench: pv.Workbench, criterion: str, level: float, names: tuple[str, ...]) -> str:
    """Accuracy with its interval, and seconds that the repair adds to the pruning."""
    levels = {layer: level for layer in bench.layer_of if layer not in bench.locks}
    raw = pv.Plan(criterion, "neuron", sparsity=levels)
    bench.prune(raw)  # groups and rankings are made once, and no part of a repair
    plan = replace(raw, repair=names)
    start = time.perf_counter()
    bench.prune(plan)
    seconds = f"{time.perf_counter() - start:.1f}" if names else ""
    return f" {told(bench.evaluate(plan))} | {seconds} |"


def told(found: pv.Evaluation) -> str:
    """An accuracy as the table shows it."""
    return f"{100 * found.accuracy:.1f} ({100 * found.low:.1f}–{100 * found.high:.1f})"


if __name__ == "__main__":
    main()
