"""Are the units that say least while a network trains the right ones to cut?

Run from the top of the checkout: python -m tests.benchmarks.activity [lenet300] [lenet5]
Prints the README's table: accuracy against the fraction of units that is cut from every unlocked
layer while the trained network trains on, little by little by the same cubic law at the same steps,
with the same training otherwise: the least active units, those of the smallest L2 norm, and, as the
control, random ones (other ones for each seed). Differences are paired by seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pruneviz.plan import Plan
from pruneviz.training import Trained, Training
from pruneviz.workbench import Workbench
from tests.benchmarks.seeds import Study, differences, ends, free, points, rows, share, study

NETWORKS, SEEDS, LEVELS = ("lenet300", "lenet5"), 3, (0.25, 0.5, 0.75, 0.9)
ALIKE = Training("gradual", epochs=3, augmentation="move", every=50)
WAYS = {
    "activity": ("activity", "l2"),
    "L2 norm": ("gradual", "l2"),
    "random": ("gradual", "random"),
}
HEAD = "| network | cut | activity | L2 norm | random | activity − random | activity − L2 norm |"


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    with study(__doc__, SEEDS, arguments) as asked:
        names = [name for name in NETWORKS if name in asked.names or not asked.names]
        rows(HEAD, (line for name in names for line in lines(asked, name)))


def lines(asked: Study, name: str) -> Iterator[str]:
    """The rows of one network."""
    bench = asked.bench(name)
    for level in LEVELS:
        found = {way: ends(runs(asked, bench, level, *WAYS[way])) for way in WAYS}
        active = found["activity"]
        cells = [share(values) for values in found.values()]
        cells += [points(differences(active, found[way])) for way in ("random", "L2 norm")]
        yield f"| {name} | {100 * level:.0f} % | {' | '.join(cells)} |"


def runs(
    asked: Study, bench: Workbench, level: float, method: str, criterion: str
) -> list[Trained]:
    """One training a seed."""
    plan = Plan(criterion, "neuron", sparsity=dict.fromkeys(free(bench), level))
    return [
        asked.train(bench, replace(plan, seed=seed), replace(ALIKE, method=method, seed=seed))
        for seed in range(asked.seeds)
    ]


if __name__ == "__main__":
    main()
