"""Which score tells best what a block is worth, and is leaving out blocks better than narrowing?

Run from the top of the checkout: python -m tests.benchmarks.blocks [NETWORK …]
Prints both tables of blocks.md. First: the score of the network without each block alone, on all
validation samples, against what criteria say of the block (Spearman's rank correlation; nothing is
trained or repaired). Second: k blocks left out, chosen on the first half of the validation samples
or by a criterion, against units (L2, the better of uniform and LAMP on that half) that take away
as many parameters; the other half judges, with batch norms measured again where there are any.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import torch

import pruneviz as pv
from pruneviz.allocation.search import half_of

NAMES = ("resnet20", "vit", "writer")
CRITERIA = ("cosine", "magnitude", "taylor", "fisher", "random")
STEPS = 40
HALVINGS = 12
WIDTHS = ("uniform", "lamp")
ALONE = "| network | blocks | dense | least and most lost | " + " | ".join(CRITERIA) + " |"
TOGETHER = (
    "| network | blocks left out | parameters left | measured | cosine | magnitude | random "
    "| by width | measured, recalibrated | by width, recalibrated |"
)


def settings(criterion: str, seed: int = 0) -> pv.Plan:
    """A plan of blocks in which nothing is left out yet."""
    return pv.Plan(criterion, "block", seed=seed)


def alone(bench: pv.Workbench) -> str:
    """One row of the first table."""
    blocks = list(bench.graph_cache.blocks.groups)
    dense = bench.evaluate(pv.Plan()).accuracy
    plans = {name: replace(settings("magnitude"), sparsity={name: 1.0}) for name in blocks}
    lost = pd.Series({name: dense - bench.evaluate(plan).accuracy for name, plan in plans.items()})
    cells = [bench.name, str(len(blocks)), f"{100 * dense:.1f} %"]
    cells.append(f"{100 * lost.min():.1f} … {100 * lost.max():.1f} points")
    for criterion in CRITERIA:
        ranking = bench.rankings(replace(settings(criterion), sparsity=dict.fromkeys(blocks, 0.0)))
        scores = pd.Series({name: float(ranking[name].scores[0]) for name in blocks})
        cells.append(f"{scores.rank().corr(lost.rank()):+.2f}")
    return "| " + " | ".join(cells) + " |"


def without(bench: pv.Workbench, method: str, plan: pv.Plan) -> dict[int, pv.Plan]:
    """How many blocks are left out -> the plan of a method that does so."""
    leads, plans = bench.graph_cache.blocks.groups, {}
    for step in range(1, STEPS):
        found = bench.allocate(method, step / STEPS, plan)
        number = sum(1 for name in leads if found.sparsity.get(name))
        plans.setdefault(number, found)
    return plans


def by_width(bench: pv.Workbench, method: str, left: int) -> pv.Plan:
    """Units cut so that as many parameters are left, as nearly as whole ones come."""
    low, high, best = 0.0, 0.99, pv.Plan()
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        plan = bench.allocate(method, middle, pv.Plan("l2", "neuron"))
        rest = bench.counts(plan).params_shrunk
        if abs(rest - left) <= abs(bench.counts(best).params_shrunk - left):
            best = plan
        low, high = (middle, high) if rest > left else (low, middle)
    return best


def together(bench: pv.Workbench) -> Iterator[str]:
    """The rows of the second table."""
    half = half_of(bench)

    def score(plan: pv.Plan | None, repair: tuple[str, ...] = ()) -> float:
        if plan is None:
            return float("nan")
        return bench.evaluate(replace(plan, repair=repair), start=half).accuracy

    def best(plans: list[pv.Plan], repair: tuple[str, ...]) -> float:
        chosen = max(plans, key=lambda p: bench.evaluate(replace(p, repair=repair), half).accuracy)
        return score(chosen, repair)

    def told(*values: float) -> str:
        fine = [value for value in values if value == value]
        return f"{100 * sum(fine) / len(fine):.1f} %" if fine else "–"

    measured = without(bench, "sensitivity", settings("magnitude"))
    others = {name: without(bench, "global", settings(name)) for name in ("cosine", "magnitude")}
    random = [without(bench, "global", settings("random", seed)) for seed in range(3)]
    norms = any("BatchNorm" in type(m).__name__ for m in bench.source.model.modules())
    for number, plan in measured.items():
        if not 0 < number <= 4:
            continue
        counts = bench.counts(plan)
        narrow = [by_width(bench, method, counts.params_shrunk) for method in WIDTHS]
        cells = [bench.name, str(number), f"{100 * counts.params_shrunk / counts.params:.1f} %"]
        cells.append(told(score(plan)))
        cells += [told(score(others[name].get(number))) for name in ("cosine", "magnitude")]
        cells += [told(*(score(one.get(number)) for one in random)), told(best(narrow, ()))]
        again = ("recalibrate",)
        cells.append(told(score(plan, again)) if norms else "–")
        cells.append(told(best(narrow, again)) if norms else "–")
        yield "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print both tables."""
    torch.set_num_threads(1)
    benches = [pv.open(name) for name in sys.argv[1:] or NAMES]
    for head, rows in (
        (ALONE, [alone(bench) for bench in benches]),
        (TOGETHER, [row for bench in benches for row in together(bench)]),
    ):
        print(head, "|" + "---|" * (head.count("|") - 1), *rows, "", sep="\n", flush=True)


if __name__ == "__main__":
    main()
