"""What does a scan cost, beside one that measures every point on every sample?

Run from the top of the checkout: python -m tests.benchmarks.scan [names]
One process, one thread, nothing remembered; seconds of the processor's time, which does not count
what other programs take. The first table: `bench.scan()` by magnitude against the naive scan (deep
copy, `torch.nn.utils.prune.l1_unstructured`, all validation samples) of the same layers and levels;
agreed: points at which the naive change lies within our interval; again: seconds by the clock of
the same scan by a workbench opened afresh. The second: scans of weights and of neurons.
"""

from __future__ import annotations

import copy
import os
import sys
import tempfile
import time
from collections.abc import Iterable

import torch
from torch import nn
from torch.nn.utils import prune

import pruneviz as pv
from pruneviz.sensitivity.curves import Curve
from pruneviz.sensitivity.scan import LEVELS
from pruneviz.storage.home import VARIABLE
from tests.benchmarks.rows import print_rows

NAMES = ("lenet300", "lenet5", "resnet20", "vit")
AGAINST = (
    "| network | points | agreed | samples ours | naive | ours | naive | ratio | again |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
)
SCANS = (
    "| scan | points | samples | of all | seconds | most sensitive | most robust | no-op |\n"
    "|---|---:|---:|---:|---:|---|---|---:|"
)
PLANS = {
    "weights": pv.Plan(),
    "neurons": pv.Plan(granularity="neuron"),
    "neurons, recalibrated": pv.Plan(granularity="neuron", repair=("recalibrate",)),
}


def main(names: Iterable[str]) -> None:
    """Print both tables."""
    torch.set_num_threads(1)
    names = list(names)
    print_rows(AGAINST, against, names)
    print()
    print_rows(
        SCANS,
        scanned,
        [
            f"{name}, {label}"
            for name in names
            for label, plan in PLANS.items()
            if not plan.repair or has_batch_norm(name)
        ],
    )


def against(name: str) -> str:
    """A row of the first table."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ[VARIABLE] = folder
        bench = pv.open(name)
        start = time.process_time()
        bench.confirm_dense()
        curves = bench.studies.curves()
        ours = time.process_time() - start
        again = pv.open(name)
        start = time.perf_counter()
        same = again.scan().equals(curves.table)
        repeated = time.perf_counter() - start
        bench.studies.memory.close()
        again.studies.memory.close()
    if not same:
        raise ValueError("a repeated scan answers something else")
    start = time.process_time()
    changes = naive(bench)
    took = time.process_time() - start
    rows = list(curves.table.itertuples())
    agreed = sum(r.delta_low <= changes[r.layer, r.sparsity] <= r.delta_high for r in rows)
    samples = len(bench.source.validation) * len(changes)
    return (
        f"| {name} | {len(rows)} | {agreed} ({agreed / len(rows):.1%}) | {curves.spent:,} "
        f"| {samples:,} | {ours:.1f} s | {took:.1f} s | {took / ours:.1f} | {repeated:.2f} s |"
    )


def naive(bench: pv.Workbench) -> dict[tuple[str, float], float]:
    """(layer, level) -> change in accuracy on all validation samples, as tutorials do it."""
    dense = right(bench, bench.source.model)
    changes = {}
    for layer in bench.layer_of:
        for level in LEVELS:
            model = copy.deepcopy(bench.source.model)
            prune.l1_unstructured(model.get_submodule(layer), "weight", amount=level)
            changes[layer, level] = right(bench, model) - dense
    return changes


def right(bench: pv.Workbench, model: nn.Module) -> float:
    """The fraction of right answers on all validation samples."""
    data, hits = bench.source.validation, 0
    assert isinstance(data.inputs, torch.Tensor)
    assert data.targets is not None
    with torch.no_grad():
        for start in range(0, len(data), bench.block):
            part = slice(start, start + bench.block)
            hits += int((model(data.inputs[part]).argmax(1) == data.targets[part]).sum())
    return hits / len(data)


def scanned(what: str) -> str:
    """A row of the second table; what: "network, plan"."""
    name, _, label = what.partition(", ")
    plan = PLANS[label]
    with tempfile.TemporaryDirectory() as folder:
        os.environ[VARIABLE] = folder
        bench = pv.open(name)
        bench.confirm_dense()
        start = time.process_time()
        curves = bench.studies.curves(plan)
        took = time.process_time() - start
        bench.studies.memory.close()
    points = sum(len(curve.points) for curve in curves.curves)
    every = points * len(bench.source.validation)
    order = curves.ranked()
    nothing = sum(not curve.points for curve in curves.curves)
    return (
        f"| {name}, {label} | {points} | {curves.spent:,} | {curves.spent / every:.0%} "
        f"| {took:.1f} | {told(order[0])} | {told(order[-1])} | {nothing} |"
    )


def told(curve: Curve) -> str:
    """A slider with what it surely bears."""
    return f"`{curve.slider.name}` ({100 * (curve.robust() or 0):.0f} %)"


def has_batch_norm(name: str) -> bool:
    """Whether recalibration has anything to do."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d)
    return any(isinstance(module, kinds) for module in pv.open(name).source.model.modules())


if __name__ == "__main__":
    main(sys.argv[1:] or NAMES)
