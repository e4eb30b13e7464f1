"""How much sooner is a scan done by two processes than by one?

Run from the top of the checkout: python -m tests.benchmarks.workers [names]
Wall time, as that is what processes are for: one process with one thread, and two workers with one
thread each, in turn, everything measured afresh; medians of two rounds. Begin: until the first
point is there. Equal: whether both tables are the same to the last digit.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings

import pandas as pd
import torch

import pruneviz as pv
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.workbench.studies import Studies
from tests.benchmarks.rows import print_rows

NAMES = ("lenet5", "vit", "resnet20")
LEVELS, WORKERS, ROUNDS = (0.5, 0.9), 2, 2
HEAD = (
    "| network | points | equal | one, s | two, s | ratio | begin, one | begin, two |\n"
    "|---|---:|---|---:|---:|---:|---:|---:|"
)


class Timed(MeasurementStore):
    """A memory of its own that knows when it got its first point."""

    def __init__(self) -> None:
        super().__init__(None)
        self.start, self.first = time.perf_counter(), 0.0

    def put(self, key: str, value: str) -> None:
        """Keep a point."""
        self.first = self.first or time.perf_counter() - self.start
        super().put(key, value)


def scan(name: str, workers: int) -> tuple[float, float, pd.DataFrame]:
    """Seconds, seconds until the first point, and the table."""
    bench = pv.open(name)
    memory = Timed()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        curves = Studies(bench, memory).curves(levels=LEVELS, workers=workers)
    return time.perf_counter() - memory.start, memory.first, curves.table


def row(name: str) -> str:
    """One line of the table."""
    rounds = [[scan(name, workers) for workers in (1, WORKERS)] for _ in range(ROUNDS)]
    one, two = (statistics.median(pair[side][0] for pair in rounds) for side in (0, 1))
    begin = [statistics.median(pair[side][1] for pair in rounds) for side in (0, 1)]
    equal = all(pair[0][2].equals(pair[1][2]) for pair in rounds)
    points = str(len(rounds[0][0][2]))
    times = [f"{one:.0f}", f"{two:.0f}", f"{one / two:.2f} ×", *(f"{b:.1f} s" for b in begin)]
    return "| " + " | ".join([name, points, "yes" if equal else "NO", *times]) + " |"


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print_rows(HEAD, row, sys.argv[1:] or NAMES)


if __name__ == "__main__":
    main()
