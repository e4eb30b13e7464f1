"""How long from one edit to the accuracy on all samples, beside what people do by hand?

Run from the top of the checkout: python -m tests.benchmarks.edits [names]
One process, one thread, both sides in turn; seconds of the processor's time. An edit moves one
layer's slider, all others rest (a third of them cut); naive: a deep copy of the network,
`torch.nn.utils.prune` with the very masks, all validation samples in blocks of 64. Of a layer
the first edit, which begins wherever the layer before it left off, and the median of the next.
The answers must be the same: equal counts how many edits gave the same number of right answers.
"""

from __future__ import annotations

import copy
import statistics
import sys
import time

import torch
from torch.nn.utils import prune

import pruneviz as pv
from tests.benchmarks.rows import print_rows

NAMES = ("lenet300", "lenet5", "resnet20", "vit")
LEVELS = (0.3, 0.5, 0.4, 0.6)
HEAD = (
    "| network | layers | equal | first edit | next edits | last quarter | naive ms | ours ms |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|"
)


def naive(bench: pv.Workbench, plan: pv.Plan) -> int:
    """Right answers of a copy of the network with the plan's masks."""
    model, data = copy.deepcopy(bench.source.model), bench.source.validation
    for name, mask in bench.prune(plan).masks.items():
        layer = bench.layer_of[name]
        path, _, parameter = layer.weight.rpartition(".")
        prune.custom_from_mask(model.get_submodule(path), parameter, mask)
    right = 0
    assert isinstance(data.inputs, torch.Tensor)
    assert data.targets is not None
    with torch.inference_mode():
        for inputs, targets in zip(data.inputs.split(64), data.targets.split(64), strict=True):
            right += int((model(inputs).argmax(1) == targets).sum())
    return right


def timed(work: object) -> tuple[float, object]:
    """Processor seconds of a call, and what it gave."""
    assert callable(work)
    start = time.process_time()
    value = work()
    return time.process_time() - start, value


def row(name: str) -> str:
    """One line of the table."""
    bench = pv.open(name)
    assert bench.graph
    rest = {layer: 0.2 for place, layer in enumerate(bench.layer_of) if place % 3 == 0}
    bench.evaluate(pv.Plan(sparsity=rest))
    first, later, equal, naives, ours = [], [], 0, [], []
    for layer in bench.layer_of:
        ratios = []
        for level in LEVELS:
            plan = pv.Plan(sparsity=rest | {layer: level})
            bench.prune(plan)  # the masks are made for both
            seconds, result = timed(lambda plan=plan: bench.evaluate(plan))
            by_hand, right = timed(lambda plan=plan: naive(bench, plan))
            equal += round(result.accuracy * result.n) == right  # type: ignore[attr-defined]
            ratios.append(by_hand / seconds)
            naives.append(by_hand)
            ours.append(seconds)
        first.append(ratios[0])
        later.append(statistics.median(ratios[1:]))
    last = later[-max(1, len(later) // 4) :]
    means = (f"{statistics.geometric_mean(part):.1f} ×" for part in (first, later, last))
    milliseconds = (f"{1000 * statistics.median(part):.1f}" for part in (naives, ours))
    cells = [name, str(len(later)), f"{equal}/{len(naives)}", *means, *milliseconds]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print_rows(HEAD, row, sys.argv[1:] or NAMES)


if __name__ == "__main__":
    main()
