"""Are the multiply-accumulates that are told those of an independent count? Prints the table.

python -m tests.benchmarks.counting            every network of tests/zoo.py and the samples
python -m tests.benchmarks.counting NAME …     those named
"""

from __future__ import annotations

import sys

from torch import nn

import pruneviz as pv
from pruneviz.measuring.counts import macs_of_network
from pruneviz.network.forward_pass import call
from pruneviz.network.replica import replica
from tests.benchmarks.rows import print_rows
from tests.products import by_hand
from tests.zoo import LARGE, SMALL, made

SHARE = 0.5
SAMPLES = ("lenet300", "lenet5", "resnet20", "vit")
HEAD = (
    "| network | MACs, told = by hand | half its units: predicted = counted = by hand |\n"
    "|---|---:|---:|"
)


def hand_count(bench: pv.Workbench, network: nn.Module) -> int:
    """Multiply-accumulates of one sample by the formulas of tests/products.py."""
    sample = bench.source.validation.first(1).inputs
    return by_hand(replica(network), lambda copy: call(copy, sample))


def row(name: str) -> str:
    """One line of the table; ValueError where two counts of a network differ."""
    bench = pv.open(name) if name in SAMPLES else pv.open(*made(name))
    dense = bench.counts(pv.Plan())
    plan = pv.Plan("l2", "neuron", sparsity=dict.fromkeys(bench.groups.groups, SHARE))
    counts, small = bench.counts(plan), bench.prune(plan).shrink()
    anew = macs_of_network(small, bench.source.validation)
    first, second = hand_count(bench, bench.source.model), hand_count(bench, small)
    if dense.macs != first or not counts.macs_shrunk == anew == second:
        told = (dense.macs, first, counts.macs_shrunk, anew, second)
        raise ValueError(f"counts differ: {told}")
    return f"| {name} | {first:,} | {second:,} |"


if __name__ == "__main__":
    print_rows(HEAD, row, sys.argv[1:] or [*SAMPLES, *SMALL, *LARGE])
