"""How accurate are the sample networks at each sparsity, by four criteria?

Run from the top of the checkout: python tests/benchmarks/criteria_table.py
Prints the README's table: single weights, the same sparsity in every layer, one shot, no
training afterwards, accuracy on all 2,000 validation digits. With the word `contest` behind it
prints the README's other table: which criterion is best at which sparsity, and whether the
difference is real; layers that the app locks stay whole, resnet20 is recalibrated.
"""

from __future__ import annotations

import sys

import torch

import pruneviz as pv
from pruneviz.comparison.contest import Contest, ContestRequest

NETWORKS = ("lenet300", "lenet5", "resnet20", "vit")
CRITERIA = ("magnitude", "wanda", "taylor", "random")
LEVELS = (0.3, 0.5, 0.7, 0.8, 0.9)
CONTESTS = {"lenet5": (), "resnet20": ("recalibrate",)}
CONTEST_LEVELS = (0.5, 0.8, 0.9, 0.95)
RIVALS = ("magnitude", "wanda", "taylor", "fisher")


def main() -> None:
    """Print the table, and the mean of each criterion over networks and levels."""
    print("| network | dense (95 % interval) | criterion |", end="")
    print("".join(f" {level:.0%} |" for level in LEVELS))
    print("|---|---|---|" + "---:|" * len(LEVELS))
    means: dict[str, list[float]] = {name: [] for name in CRITERIA}
    for network in NETWORKS:
        bench = pv.open(network)
        bench.confirm_dense()
        dense = bench.evaluate(pv.Plan())
        for name in CRITERIA:
            found = [accuracy(bench, name, level) for level in LEVELS]
            means[name] += found
            first = name == CRITERIA[0]
            head = f"{100 * dense.accuracy:.1f} ({100 * dense.low:.1f}–{100 * dense.high:.1f})"
            cells = "".join(f" {100 * value:.1f} |" for value in found)
            print(f"| {network if first else ''} | {head if first else ''} | {name} |{cells}")
    print()
    for name, found in means.items():
        print(f"mean of {name}: {100 * sum(found) / len(found):.1f}")


def contests() -> None:
    """Print what each criterion leaves in a contest, and the verdict at each sparsity."""
    torch.set_num_threads(1)
    names = (*RIVALS, "random")
    print("| network | cut | " + " | ".join(names) + " | best | minus runner-up "
          "| minus magnitude | minus random |")  # fmt: skip
    print("|---|---:|" + "---:|" * len(names) + "---|---|---|---|")
    for network, repair in CONTESTS.items():
        bench = pv.open(network)
        asked = ContestRequest(
            RIVALS, CONTEST_LEVELS, pv.Plan(repair=repair), locked=tuple(bench.locks)
        )
        rows(network, bench.studies.contest(asked), names)


def rows(network: str, found: Contest, names: tuple[str, ...]) -> None:
    """Print the rows of one network."""
    table = found.table[found.table["seed"].isna()].set_index(["criterion", "sparsity"])
    for place, verdict in enumerate(found.verdicts):
        line = found.summary.iloc[place]
        cells = [f"{100 * table.loc[(name, verdict.sparsity), 'accuracy']:.1f}" for name in names]
        cells += [str(line[name]) for name in ("best", *line.index[3:6])]
        print(f"| {'' if place else network} | {line['cut']} | " + " | ".join(cells) + " |")


def accuracy(bench: pv.Workbench, criterion: str, level: float) -> float:
    """Accuracy on all validation samples with `level` pruned in every layer."""
    plan = pv.Plan(criterion, sparsity=dict.fromkeys(bench.layer_of, level))
    return bench.evaluate(plan).accuracy


if __name__ == "__main__":
    contests() if sys.argv[1:] == ["contest"] else main()
