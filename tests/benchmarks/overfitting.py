"""Does pruning during training keep a network from overfitting?

Run from the top of the checkout: python -m tests.benchmarks.overfitting [gradual] [rigl] [l1]
Prints the README's table: lenet300 from new weights on the first 500 training digits, which are not
moved; dense, and pruned during training by three schedules to three sparsities (of fc1 and fc2;
fc3, the head, stays whole), all for the same number of epochs at the same rates. The control is the
dense network of the same seed: same first weights, same order of the digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pruneviz.plan import Plan
from pruneviz.training import Trained, Training
from tests.benchmarks.seeds import (
    Study,
    differences,
    end,
    ends,
    free,
    points,
    rows,
    share,
    signed,
    study,
)

NETWORK, SEEDS, LEVELS = "lenet300", 5, (0.5, 0.8, 0.95)
ALIKE = Training("dense", epochs=60, start="new", samples=500, every=5)
# gradual: ever more goes until seven tenths of the training are over; rigl: sparse from the first
# step, rewired; l1: weights are kept small for seven tenths of it, then all goes at once.
METHODS = ("gradual", "rigl", "l1")
HEAD = (
    "| method | cut | training | validation | gap | validation − dense | gap − dense "
    "| validation loss − dense |"
)


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    with study(__doc__, SEEDS, arguments) as asked:
        rows(HEAD, lines(asked))


def lines(asked: Study) -> Iterator[str]:
    """Dense, and each method at each sparsity."""
    bench = asked.bench(NETWORK)

    def runs(plan: Plan, method: str) -> list[Trained]:
        ways = [replace(ALIKE, method=method, seed=seed) for seed in range(asked.seeds)]
        return [asked.train(bench, plan, way) for way in ways]

    dense = runs(Plan(), "dense")
    yield line("dense", 0.0, dense, dense)
    for method in METHODS:
        if method in asked.names or not asked.names:
            for level in LEVELS:
                plan = Plan(sparsity=dict.fromkeys(free(bench), level))
                yield line(method, level, runs(plan, method), dense)


def line(method: str, level: float, found: list[Trained], dense: list[Trained]) -> str:
    """A row: means over the seeds; differences to dense are paired by seed."""
    training = sum(ends(found, "train_accuracy")) / len(found)
    head = f"| {method} | {100 * level:.0f} % | {100 * training:.1f} | {share(ends(found))} "
    own = f"{head}| {points(ends(found, 'gap'))} |"
    if found is dense:
        return f"{own} | | |"
    beside = (points(differences(ends(found, c), ends(dense, c))) for c in ("accuracy", "gap"))
    loss = signed(differences(losses(found), losses(dense)), 2)
    return f"{own} {' | '.join(beside)} | {loss} |"


def losses(found: list[Trained]) -> list[float]:
    """By seed, the validation loss at the end."""
    return [float(end(run)["validation_loss"]) for run in found]


if __name__ == "__main__":
    main()
