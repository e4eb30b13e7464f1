"""How much faster is one step of a drag than pruning from scratch?

Run from the top of the checkout: python tests/benchmarks/drag.py
Both sides make the masks of one plan for every layer, in one process, interleaved; the ratio of
medians is what counts, milliseconds depend on the machine.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable

from torch import nn
from torch.nn.utils import prune as torch_prune

import pruneviz as pv

ROUNDS = 15


def main() -> None:
    """Print, for each sample network, the two medians and their ratio."""
    for name in ("lenet300", "lenet5", "resnet20", "vit"):
        bench = pv.open(name)
        ours, theirs = [], []
        for place in range(ROUNDS):
            level = (1 + place) / 100  # never the same plan twice: nothing comes from a cache
            ours.append(seconds(step, bench, level))
            theirs.append(seconds(from_scratch, bench, level))
        a, b = statistics.median(ours[1:]), statistics.median(theirs[1:])
        print(f"{name}: {1e3 * a:.2f} ms a step, {1e3 * b:.2f} ms from scratch, {b / a:.1f}x")


def step(bench: pv.Workbench, level: float) -> pv.Pruned:
    """What a drag asks: masks from rankings that were made when the criterion was chosen."""
    return bench.prune(pv.Plan(sparsity=dict.fromkeys(bench.layer_of, level)))


def from_scratch(bench: pv.Workbench, level: float) -> nn.Module:
    """What torch.nn.utils.prune asks: a copy to start from, because it cannot go back."""
    model = copy.deepcopy(bench.source.model)
    for name in bench.layer_of:
        torch_prune.l1_unstructured(model.get_submodule(name), "weight", level)
    return model


def seconds(run: Callable[[pv.Workbench, float], object], bench: pv.Workbench, at: float) -> float:
    """Seconds that one call takes."""
    start = time.perf_counter()
    run(bench, at)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
