"""How much cheaper does training become when units are removed on the way?

Run from the top of the checkout: python -m tests.benchmarks.cheaper [half-removed] [half-masked]
Prints the README's table: resnet20 from new weights on the first 2,000 training digits; dense, and
losing half of the filters of every unlocked group while it trains, really removed or, as another
control, only masked. All go on in turns, an epoch each, on one thread, so that what
else the machine does meets all alike; ratios are of epochs that ran one after the other, medians
over the last epochs of all seeds. Removing itself (a trace, a proof) is counted where it happens.
"""

from __future__ import annotations

import statistics
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import torch

from pruneviz.plan import Plan
from pruneviz.pruning.locks import unit_locks
from pruneviz.training import Moment, Trained, Training, train
from pruneviz.workbench import Workbench
from tests.benchmarks.seeds import Study, differences, end, ends, points, rows, share, study

NETWORK, SEEDS = "resnet20", 3
ALIKE = Training(
    "gradual", epochs=6, start="new", samples=2_000, learning_rate=3e-3, end=0.5, every=48
)
LAST = 2  # epochs, long after the last removal
WAYS = {
    "dense": (0.0, False),
    "half-removed": (0.5, True),
    "half-masked": (0.5, False),
}
HEAD = (
    "| way | parameters at the end | seconds an epoch at the end ÷ dense "
    "| all seconds ÷ dense | accuracy | − dense |"
)


class Turns:
    """Lets threads go on one at a time, an epoch each, in order."""

    def __init__(self, number: int) -> None:
        self._waiting, self._whose = threading.Condition(), 0
        self._there = list(range(number))

    def take(self, mine: int) -> None:
        """Wait for one's turn."""
        with self._waiting:
            self._waiting.wait_for(lambda: self._there[self._whose] == mine)

    def give(self) -> None:
        """The next one's turn."""
        with self._waiting:
            self._whose = (self._whose + 1) % len(self._there)
            self._waiting.notify_all()

    def leave(self) -> None:
        """The next one's turn, and none of one's own any more."""
        with self._waiting:
            del self._there[self._whose]
            self._whose %= max(1, len(self._there))
            self._waiting.notify_all()


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    with study(__doc__, SEEDS, arguments) as asked:
        bench = asked.bench(NETWORK)
        ways = [way for way in WAYS if way in ("dense", *(asked.names or WAYS))]
        trained = [side_by_side(asked, bench, ways, seed) for seed in range(asked.seeds)]
        rows(HEAD, lines({way: [found[way] for found in trained] for way in ways}))


def side_by_side(asked: Study, bench: Workbench, ways: list[str], seed: int) -> dict[str, Trained]:
    """Every way with this seed, in turns."""
    turns = Turns(len(ways))
    locked = unit_locks(bench.locks, bench.groups)

    def one(number: int, way: str) -> Trained:
        level, remove = WAYS[way]
        cut = {name: level for name in bench.layer_of if name not in locked and level}
        method = ALIKE.method if level else "dense"
        training = replace(ALIKE, method=method, remove=remove, seed=seed)
        if asked.quick:
            training = replace(training, epochs=2, samples=128, every=1)
        torch.set_num_threads(1)  # each thread has a number of its own
        seen = 0

        def watch(moment: Moment) -> None:
            nonlocal seen
            if len(moment.rows) > seen:  # an epoch is over, its seconds are taken
                seen = len(moment.rows)
                turns.give()
                turns.take(number)

        turns.take(number)
        try:
            return train(bench, Plan("l2", "neuron", sparsity=cut), training, watch=watch)
        finally:
            turns.leave()

    with ThreadPoolExecutor(len(ways)) as pool:
        waiting = [pool.submit(one, number, way) for number, way in enumerate(ways)]
        return dict(zip(ways, (one.result() for one in waiting), strict=True))


def lines(trained: dict[str, list[Trained]]) -> Iterator[str]:
    """A row a way."""
    dense = trained["dense"]
    for way, found in trained.items():
        late = ratio(found, dense, -LAST)
        whole = [run.seconds / other.seconds for run, other in zip(found, dense, strict=True)]
        beside = "" if found is dense else points(differences(ends(found), ends(dense)))
        size = int(end(found[0])["size"])
        yield (
            f"| {way} | {size:,} | {late:.2f} | {statistics.median(whole):.2f} "
            f"| {share(ends(found))} | {beside} |"
        )


def ratio(found: list[Trained], dense: list[Trained], start: int) -> float:
    """The median of one epoch against the dense one beside it."""
    pairs = zip(found, dense, strict=True)
    return statistics.median(
        mine / other
        for run, beside in pairs
        for mine, other in zip(seconds(run)[start:], seconds(beside)[start:], strict=True)
    )


def seconds(run: Trained) -> list[float]:
    """Of each epoch."""
    return [float(s) for s in run.table["seconds"] if s > 0]


if __name__ == "__main__":
    main()
