"""How long until the first mask of many weights, and the next ones, beside torch's own pruning?

Run from the top of the checkout: python -m tests.benchmarks.first_touch [millions of weights]
One thread, seconds of the processor's time, medians of three rounds in which all sides take turns,
each on a fresh network of normal weights; memory is the peak over the bare network, of the weights'
own, each side in a process of its own. Ours: `rank` and `apply`, as a slider has it: scores, masks
and report. torch: `l1_unstructured` for one layer, `global_unstructured` for a pool. Sorted: one
stable sort of all scores, which the masks must equal to the last bit.
"""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from pruneviz.network.layers import find_layers
from pruneviz.plan import Plan
from pruneviz.pruning.evidence import weights_only
from pruneviz.pruning.prune import apply, rank

SIDES = ("ours", "torch")
SIZES = (0.1, 0.3, 1.0, 3.0, 10.0, 16.8, 25.0, 90.0)  # millions of weights
LAYER = 16.8  # this size as one layer of 4096 × 4096, the others as a pool of layers
HEAD = (
    "| weights | equal | ours, first | next | third | torch, first | sorted, first | "
    "torch / ours | memory ours | torch |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def network(millions: float) -> nn.Module:
    """Layers of 4096 inputs or fewer with so many weights together."""
    wide = 4096 if millions >= 10 else 512
    rows = round(millions * 1e6 / wide)
    number = 1 if millions == LAYER else 8
    sizes = [4096] if millions == LAYER else [rows // number] * number
    return nn.ModuleList([nn.Linear(wide, size, bias=False) for size in sizes])


class Ours:
    """Masks of one network at a position after the other."""

    def __init__(self, model: nn.Module) -> None:
        self.model, self.layers = model, find_layers(model)
        scope = "global" if len(self.layers) > 1 else "layer"
        self.plan = Plan(scope=scope, sparsity=dict.fromkeys(self.layers, 0.5))
        self.rankings = None

    def at(self, level: float) -> list[Tensor]:
        """The masks when this share goes."""
        plan = Plan(scope=self.plan.scope, sparsity=dict.fromkeys(self.layers, level))
        if self.rankings is None:
            self.rankings = rank(self.layers, weights_only(self.model, self.layers), plan)
        return list(apply(self.model, plan, self.layers, self.rankings).masks.values())


def by_torch(model: nn.Module, level: float) -> list[Tensor]:
    """The masks that torch's own pruning makes."""
    modules = list(model.children())
    if len(modules) == 1:
        prune.l1_unstructured(modules[0], "weight", level)
    else:
        pairs = [(module, "weight") for module in modules]
        prune.global_unstructured(pairs, prune.L1Unstructured, amount=level)
    return [module.weight_mask for module in modules]


def by_sorting(model: nn.Module, level: float) -> list[Tensor]:
    """The masks by the rule itself: a stable sort of all scores."""
    weights = [module.weight.detach() for module in model.children()]
    scores = torch.cat([weight.abs().flatten() for weight in weights])
    cut = round(level * len(scores))
    mask = torch.ones(len(scores), dtype=torch.bool)
    mask[torch.argsort(scores, stable=True)[:cut]] = False
    parts = torch.split(mask, [weight.numel() for weight in weights])
    return [part.reshape(weight.shape) for part, weight in zip(parts, weights, strict=True)]


def timed(work: Callable[[], list[Tensor]]) -> tuple[float, list[Tensor]]:
    """Processor seconds of a call, and what it gave."""
    start = time.process_time()
    value = work()
    return time.process_time() - start, value


def row(millions: float) -> tuple[str, float]:
    """One line of the table, and the seconds until our first mask."""
    seconds: dict[str, list[float]] = {n: [] for n in ("first", "next", "third", "torch", "sorted")}
    equal = True
    for _ in range(3):
        model = network(millions)
        ours = Ours(model)
        for name, level in (("first", 0.5), ("next", 0.7), ("third", 0.31)):
            took, masks = timed(lambda ours=ours, level=level: ours.at(level))
            seconds[name].append(took)
        took, truth = timed(lambda model=model: by_sorting(model, 0.31))
        seconds["sorted"].append(took)
        equal &= all(map(torch.equal, masks, truth))
        del ours, masks, truth
        seconds["torch"].append(timed(lambda model=model: by_torch(model, 0.5))[0])
    median = {name: statistics.median(each) for name, each in seconds.items()}
    peaks = [f"{peak(side, millions):.2f} ×" for side in SIDES]
    ratio = median["torch"] / median["first"]
    times = [f"{1000 * median[n]:.1f} ms" for n in ("first", "next", "third", "torch", "sorted")]
    kind = "one layer" if millions == LAYER else "pool"
    cells = [f"{millions:g} M, {kind}", "yes" if equal else "NO", *times, f"{ratio:.1f} ×", *peaks]
    return "| " + " | ".join(cells) + " |", median["first"]


def peak(side: str, millions: float) -> float:
    """Peak memory of one side over the bare network, of its weights'."""
    call = [sys.executable, "-m", "tests.benchmarks.first_touch", side, str(millions)]
    return float(subprocess.run(call, check=True, capture_output=True, text=True).stdout)


def measure(side: str, millions: float) -> None:
    """Print what `peak` asks for, in this process."""
    warm = network(0.1)  # what is loaded when anything is first pruned is not counted
    Ours(warm).at(0.5)
    by_torch(warm, 0.5)
    model = network(millions)
    before = _memory("VmRSS")
    if side == "ours":
        ours = Ours(model)
        for level in (0.5, 0.7):
            ours.at(level)
    else:
        by_torch(model, 0.5)
    print((_memory("VmHWM") - before) / sum(p.nbytes for p in model.parameters()))


def _memory(field: str) -> int:
    """Bytes, as Linux counts them for this process: VmRSS now, VmHWM at the most so far."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def main() -> None:
    """Print the table, and how the seconds grow with the weights."""
    torch.set_num_threads(1)
    if len(sys.argv) == 3 and sys.argv[1] in SIDES:
        measure(sys.argv[1], float(sys.argv[2]))
        return
    print(HEAD)
    points = []
    for millions in [float(text) for text in sys.argv[1:]] or SIZES:
        line, seconds = row(millions)
        points.append((math.log(millions), math.log(seconds)))
        print(line, flush=True)
    x, y = zip(*points, strict=True)
    if len(x) > 1:
        print(f"\nslope: {statistics.linear_regression(x, y).slope:.2f}")


if __name__ == "__main__":
    main()
