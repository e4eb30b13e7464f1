"""What does updating the weights that stay bring back when single weights are cut?

Run from the top of the checkout: python -m tests.benchmarks.update [NETWORK …] [--cut 70%]
Prints the rows of the table in update.md: the lowest magnitudes of every unlocked layer, one shot,
no training; accuracy on all 2,000 validation digits. Each of three disjoint thousands of training
digits calibrates once; the least and the most of the three. --large: seconds and memory of one
layer of 4,096 x 4,096.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

import torch
from torch import nn

import pruneviz as pv
from pruneviz.pruning.repair import repair, weight_update
from pruneviz.workbench import Workbench

NETWORKS = ("lenet300", "lenet5", "resnet20", "vit")
LEVELS = ((0.5, "weight"), (0.7, "weight"), (0.8, "weight"), (0.9, "weight"), (0.5, "2:4"))
SPLITS, SAMPLES = 3, 1000
LARGE, ROWS = 4096, 4096


def main() -> None:
    """Print the rows asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*")
    parser.add_argument("--cut", help="one row alone: 50%, 70%, 80%, 90% or 2:4".replace("%", "%%"))
    parser.add_argument("--large", action="store_true")
    request = parser.parse_args()
    if request.large:
        large()
        return
    print("| network | cut | mask alone | recalibrate | update | update, recalibrate "
          "| update, columns in order | units instead, reconstruct |")  # fmt: skip
    print("|---|---|" + "---:|" * 6)
    for network in request.networks or NETWORKS:
        benches = list(splits(network))
        for level, granularity in LEVELS:
            if request.cut in (None, words(level, granularity)):
                print(row(network, benches, level, granularity), flush=True)


def splits(network: str) -> Iterator[Workbench]:
    """The network with one thousand of its training digits after the other to calibrate it."""
    source = pv.open(network).source
    assert source.training is not None
    for place in range(SPLITS):
        part = slice(place * SAMPLES, (place + 1) * SAMPLES)
        yield Workbench(replace(source, calibration=source.training.take(part)))


def row(network: str, benches: list[Workbench], level: float, granularity: str) -> str:
    """One line of the table."""
    levels = {name: level for name in benches[0].layer_of if name not in benches[0].locks}
    raw = pv.Plan("magnitude", granularity, sparsity=levels)
    units = pv.Plan("magnitude", "neuron", sparsity=levels, repair=("reconstruct",))
    norms = network == "resnet20"
    cells = [
        f"{100 * benches[0].evaluate(raw).accuracy:.1f}",
        told(benches, replace(raw, repair=("recalibrate",))) if norms else "",
        told(benches, replace(raw, repair=("update",))),
        told(benches, replace(raw, repair=("update", "recalibrate"))) if norms else "",
    ]
    with columns_in_order():
        fresh = [Workbench(bench.source) for bench in benches]
        cells.append(told(fresh, replace(raw, repair=("update",))))
    cells.append(told(benches, units) if granularity == "weight" else "")
    return f"| {network} | {words(level, granularity)} | " + " | ".join(cells) + " |"


def words(level: float, granularity: str) -> str:
    """What is cut, as the table says it."""
    return granularity if granularity != "weight" else f"{level:.0%}"


@contextmanager
def columns_in_order() -> Iterator[None]:
    """As in layers whose optimum is not affordable."""
    with mock.patch.object(weight_update, "_AFFORDABLE", -1):
        yield


def told(benches: list[Workbench], plan: pv.Plan) -> str:
    """The least and the most accuracy, in per cent; * where a split has refused the repair."""
    results = [100 * bench.evaluate(plan).accuracy for bench in benches]
    star = "*" if any(bench.prune(plan).notes for bench in benches) else ""
    return f"{min(results):.1f}–{max(results):.1f}{star}"


def large() -> None:
    """Seconds and memory of one large layer."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(LARGE, LARGE), nn.ReLU(), nn.Linear(LARGE, 2)).eval()
    inputs = torch.randn(ROWS, 64) @ torch.randn(64, LARGE) + torch.randn(ROWS, LARGE)
    plan = pv.Plan(sparsity={"0": 0.5})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pruned = pv.prune(model, plan)
    start = time.perf_counter()
    repair(
        model, pv.find_layers(model), None, None, replace(plan, repair=("update",)),
        pruned.parameter_masks, {}, pv.Data(inputs), samples=ROWS,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"{LARGE} x {LARGE}, {ROWS:,} rows, {torch.get_num_threads()} thread(s): "
          f"{seconds:.0f} s, {peak / 2**20:.1f} GiB at most beside the network")  # fmt: skip


if __name__ == "__main__":
    main()
