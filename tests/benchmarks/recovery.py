"""How much of the accuracy does training bring back after a cut?

Run from the top of the checkout: python -m tests.benchmarks.recovery [lenet300] [lenet5]
Prints the README's table. The levels of the layers are LAMP's on the dense network, the usual locks
hold, and what is left is counted over the weights of all layers, locked ones too. All ways start
from the same trained network and train as it was trained itself (AdamW, one-cycle, weight decay,
moved digits), for as many epochs in all, where they do not say otherwise; seeds differ in the order
of the digits and in how they are moved. The control is the dense network, trained on alike.
"""

from __future__ import annotations

from collections.abc import Iterator

from pruneviz.plan import Plan
from pruneviz.training import Trained, Training
from pruneviz.workbench import Workbench
from tests.benchmarks.seeds import (
    Study,
    differences,
    end,
    ends,
    kept,
    plan_of,
    points,
    rows,
    share,
    study,
)

LEFT = {"lenet300": (0.08, 0.064), "lenet5": (0.08,)}
SEEDS, ROUNDS = 3, 5
EPOCHS = {"lenet300": 20, "lenet5": 40}  # in all
RATES = {"lenet300": 2e-3, "lenet5": 4e-3}  # at which the dense networks were trained
ALIKE = Training(rounds=ROUNDS, schedule="one-cycle", weight_decay=0.05, augmentation="move")
LONGER: dict[str, object] = {"epochs": 16, "learning_rate": 2e-3}  # of each round
FREE = "the same, no layer locked"
WAYS: dict[str, tuple[str, dict[str, object]]] = {
    "one-shot": ("one-shot", {}),
    "iterative": ("iterative", {}),
    "iterative, digits not moved": ("iterative", {"augmentation": "none"}),
    "iterative, twice as long at half the rate": ("iterative", LONGER),
    FREE: ("iterative", LONGER),
}
MORE = {"lenet300": 2, "lenet5": 5}  # how many of the ways
HEAD = (
    "| network | weights left | way | accuracy | − dense as opened "
    "| recovered, of all seeds | − dense trained on | gap |"
)


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    with study(__doc__, SEEDS, arguments) as asked:
        names = [name for name in LEFT if name in asked.names or not asked.names]
        rows(HEAD, (line for name in names for line in lines(asked, name)))


def lines(asked: Study, name: str) -> Iterator[str]:
    """The rows of one network."""
    bench = asked.bench(name)
    opened = bench.evaluate(Plan())
    yield f"| {name} | 100 % | dense as opened | {100 * opened.accuracy:.1f} | | | | |"
    dense = runs(asked, bench, Plan(), "dense", {})
    yield line("dense trained on", dense, dense)
    for left in LEFT[name]:
        plan = plan_of(bench, left)
        cut = bench.evaluate(plan)
        yield (
            f"| | {100 * left:.1f} % | cut, not trained | {100 * cut.accuracy:.1f} "
            f"| {100 * cut.delta:+.1f} | | | |"
        )
        for way in list(WAYS)[: MORE[name]]:
            own = plan_of(bench, left, locked=()) if way == FREE else plan
            yield line(way, runs(asked, bench, own, *WAYS[way]), dense)


def runs(
    asked: Study, bench: Workbench, plan: Plan, method: str, other: dict[str, object]
) -> list[Trained]:
    """One training a seed; epochs in all are the same."""
    name = bench.source.name
    epochs = EPOCHS[name] // (ROUNDS if method == "iterative" else 1)
    usual = {**ALIKE.as_dict(), "method": method, "epochs": epochs, "learning_rate": RATES[name]}
    one = Training.from_dict(usual | other)
    return [asked.train(bench, plan, again(one, seed)) for seed in range(asked.seeds)]


def again(training: Training, seed: int) -> Training:
    """The same with another seed."""
    return Training.from_dict({**training.as_dict(), "seed": seed})


def line(way: str, found: list[Trained], dense: list[Trained]) -> str:
    """A row: mean over the seeds with Student's t, and in how many the paired interval to the dense
    network, over the digits, does not lie below zero.
    """
    back = sum(end(run)["delta_high"] >= 0 for run in found)
    beside = "" if found is dense else points(differences(ends(found), ends(dense)))
    gap = 100 * sum(ends(found, "gap")) / len(found)
    return (
        f"| | {100 * kept(found[0]):.1f} % | {way} | {share(ends(found))} "
        f"| {points(ends(found, 'delta'))} | {back} of {len(found)} | {beside} | {gap:.1f} |"
    )


if __name__ == "__main__":
    main()
