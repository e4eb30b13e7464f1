"""How soon is a thumb on a late layer of a big network answered? Prints a table."""

from __future__ import annotations

import copy
import statistics
import time

import torch
from torch import nn
from torch.nn.utils import prune

import pruneviz as pv
from pruneviz.data import Data
from pruneviz.ui.session.jobs import so_far, waits
from pruneviz.workbench.opening import open_workbench
from tests import optional

NETWORKS = ("resnet50", "vit_base_patch16_224")
SAMPLES, MOVES, LAYERS = 32, 12, 5  # LAYERS: of the last third, its first and its last among them
HEAD = (
    "| network, layer | behind it | first answer, s | later, s (median) | samples | by hand, s |\n"
    "|---|---:|---:|---:|---:|---:|"
)


def by_hand(model: nn.Module, layer: str, level: float, inputs: torch.Tensor) -> float:
    """Seconds for the same: a copy that is cut and answers all the samples."""
    start = time.perf_counter()
    other = copy.deepcopy(model)
    prune.l1_unstructured(other.get_submodule(layer), "weight", level)
    with torch.inference_mode():
        for one in inputs:
            other(one[None])
    return time.perf_counter() - start


def row(bench: pv.Workbench, layer: str) -> str:
    """Drag one layer and wait for each answer; beside each the same by hand."""
    inputs, mine, theirs, n = bench.source.validation.inputs, [], [], 0
    assert isinstance(inputs, torch.Tensor)
    for step in range(MOVES):
        plan = pv.Plan(sparsity={layer: 0.3 + 0.02 * step})
        if waits(bench, plan):
            return f"| {bench.name}, `{layer}` | | on release | | | |"
        start = time.perf_counter()
        result = so_far(bench, plan)
        mine.append(time.perf_counter() - start)
        n = 0 if result is None else result.n
        if step % 4 == 3:
            theirs.append(by_hand(bench.source.model, layer, plan.sparsity[layer], inputs[:n]))
    parts = bench._evaluation_cache._parts()
    left = 1.0 if parts is None else parts.part_left(bench.prune(plan).versions)
    return (
        f"| {bench.name}, `{layer}` | {100 * left:.0f} % | {mine[0]:.2f} | "
        f"{statistics.median(mine[1:]):.2f} | {n} | {statistics.median(theirs):.2f} |"
    )


def main() -> None:
    """Drag layers of the last third of each network, one after the other."""
    print(HEAD)
    for name in NETWORKS:
        torch.manual_seed(0)
        model = optional.timm().create_model(name).eval()
        bench = open_workbench(model, Data(torch.randn(SAMPLES, 3, 224, 224)))
        bench.name = name
        _ = bench.graph
        bench.evaluate(pv.Plan())
        layers = list(bench.layer_of)[2 * len(bench.layer_of) // 3 :]
        for layer in layers[:: max(1, (len(layers) - 1) // (LAYERS - 1))]:
            print(row(bench, layer), flush=True)


if __name__ == "__main__":
    main()
