"""What do the comparisons of trainings over several seeds share?"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import pandas as pd
import torch

from pruneviz.measuring.intervals import student
from pruneviz.plan import Plan
from pruneviz.sources.registered import load_registered
from pruneviz.storage.home import VARIABLE
from pruneviz.training import Trained, Training, train
from pruneviz.workbench import Workbench

Interval = tuple[float, float, float]


@dataclass(frozen=True)
class Study:
    """What was asked on the command line.

    quick: few digits, epochs and seeds, to see that it runs. folder: where trainings are kept, so
    that a study that was interrupted goes on; None keeps nothing. names: what it is limited to.
    """

    seeds: int
    quick: bool
    folder: Path | None
    names: tuple[str, ...]

    def bench(self, name: str) -> Workbench:
        """A sample network with its digits; few of them where it is to be quick."""
        source = load_registered(name)
        if self.quick:
            few = {"calibration": source.calibration.first(64)}
            few["validation"] = source.validation.first(128)
            source = replace(source, **few, dense=None)  # type: ignore[arg-type]
        return Workbench(source)

    def train(self, bench: Workbench, plan: Plan, training: Training) -> Trained:
        """Train; in short where it is to be quick."""
        if self.quick:
            training = replace(training, epochs=2, rounds=2, samples=128, rewind=0, every=1)
        return train(bench, plan, training, self.folder)


@contextmanager
def study(about: str | None, seeds: int, arguments: Sequence[str] | None = None) -> Iterator[Study]:
    """Read the command line; one thread, and a home of its own; tell what it took at the end."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="only these networks or methods")
    parser.add_argument("--seeds", type=int, default=seeds, help=f"how many ({seeds})")
    parser.add_argument("--quick", action="store_true", help="only to see that it runs")
    parser.add_argument("--folder", type=Path, help="keep trainings here, to go on with them")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    clock, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as home, mock.patch.dict(os.environ, {VARIABLE: home}):
        number = min(asked.seeds, 2) if asked.quick else asked.seeds
        yield Study(number, asked.quick, asked.folder, tuple(asked.names))
    print(
        f"{time.perf_counter() - clock:.0f} s by the clock, "
        f"{time.process_time() - cpu:.0f} s of the processor",
        file=sys.stderr,
    )


def interval(values: Sequence[float]) -> Interval:
    """(mean, low, high): 95 %, Student's t over the seeds; of one value there is none."""
    mean, n = statistics.fmean(values), len(values)
    if n == 1:
        return mean, float("-inf"), float("inf")
    half = student(n - 1) * statistics.stdev(values) / n**0.5
    return mean, mean - half, mean + half


def share(values: Sequence[float]) -> str:
    """The mean of fractions in per cent, with its interval."""
    mean, low, high = interval(values)
    return f"{100 * mean:.1f} ({100 * max(0.0, low):.1f}–{100 * min(1.0, high):.1f})"


def points(values: Sequence[float]) -> str:
    """The mean of differences between fractions in points, with its interval."""
    return signed([100 * value for value in values])


def signed(values: Sequence[float], places: int = 1) -> str:
    """The mean with its sign and its interval."""
    mean, low, high = interval(values)
    return f"{mean:+.{places}f} ({low:+.{places}f} … {high:+.{places}f})"


def differences(these: Sequence[float], those: Sequence[float]) -> list[float]:
    """By seed, one minus the other."""
    return [a - b for a, b in zip(these, those, strict=True)]


def ends(runs: Sequence[Trained], column: str = "accuracy") -> list[float]:
    """By seed, what the last epoch measured."""
    return [float(end(run)[column]) for run in runs]


def end(run: Trained) -> pd.Series[float]:
    """The last row of the table that belongs to no control."""
    table = run.table
    return table[~table["aside"].astype(bool)].iloc[-1]


def free(bench: Workbench) -> list[str]:
    """The layers that are not locked as usual."""
    return [name for name in bench.layer_of if name not in bench.locks]


def plan_of(bench: Workbench, left: float, locked: Collection[str] | None = None) -> Plan:
    """LAMP's plan of which `left` of the weights of all layers remain, those that are locked (as
    usual, where it is not said) whole.
    """
    locked = bench.locks if locked is None else locked
    sizes = {name: layer.size for name, layer in bench.layer_of.items()}
    able = sum(size for name, size in sizes.items() if name not in locked)
    return bench.allocate("lamp", (1 - left) * sum(sizes.values()) / able, locked=[*locked])


def kept(run: Trained) -> float:
    """The fraction of the weights of all layers that is left."""
    masks = run.masks.values()
    return sum(int(m.count_nonzero()) for m in masks) / sum(m.numel() for m in masks)


def rows(head: str, lines: Iterator[str] | Sequence[Callable[[], str]]) -> None:
    """Print a Markdown table row by row, as they come."""
    bars = head.count("|") - 1
    print(f"{head}\n|---|" + "---|" * (bars - 1))
    for line in lines:
        print(line if isinstance(line, str) else line(), flush=True)
