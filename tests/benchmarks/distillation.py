"""Does learning from the dense network bring back more than the targets alone?

Run from the top of the checkout: python -m tests.benchmarks.distillation [lenet5] [writer] …
Prints the rows of distillation.md: at one hard plan a network (layers that are locked as usual
whole) the pruned network is trained by its targets alone, by half targets and half answers of the
dense one (T = 2), and by those answers alone, which needs no targets; three seeds, which change the
order of the samples (and how digits are moved). All ways of a network take the same steps from the
same masks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pruneviz.plan import Plan
from pruneviz.training import Trained, Training
from tests.benchmarks.recovery import again
from tests.benchmarks.seeds import Study, differences, end, ends, points, rows, share, study

SEEDS = 3
WAYS = {"targets alone": 0.0, "half of each": 0.5, "dense network alone": 1.0}
HEAD = (
    "| network | plan | way | score | − dense | − targets alone, by seed "
    "| recovered, of all seeds |"
)


@dataclass(frozen=True)
class Course:
    """One hard plan for a network, and how it is trained."""

    criterion: str
    granularity: str
    target: float
    method: str
    training: Training = field(default_factory=Training)

    @property
    def words(self) -> str:
        """The plan in a cell."""
        return f"{self.method} {self.criterion} {self.granularity}, {100 * self.target:.0f} %"


def _digits(samples: int, epochs: int, rate: float) -> Training:
    return Training(
        epochs=epochs, samples=samples, learning_rate=rate, weight_decay=0.05, augmentation="move"
    )


COURSES = {
    "lenet300": Course("magnitude", "weight", 0.97, "lamp", _digits(4_000, 4, 2e-3)),
    "lenet5": Course("magnitude", "weight", 0.95, "lamp", _digits(4_000, 4, 2e-3)),
    "vit": Course("magnitude", "weight", 0.85, "lamp", _digits(2_000, 3, 1e-3)),
    "resnet20": Course("l2", "neuron", 0.5, "uniform", _digits(1_000, 2, 2e-3)),
    "writer": Course(
        "magnitude", "weight", 0.7, "uniform", Training(epochs=1, samples=2_000, learning_rate=1e-3)
    ),
}


def main(arguments: list[str] | None = None) -> None:
    """Print the rows."""
    with study(__doc__, SEEDS, arguments) as asked:
        names = [name for name in COURSES if name in asked.names or not asked.names]
        rows(HEAD, (line for name in names for line in lines(asked, name)))


def lines(asked: Study, name: str) -> Iterator[str]:
    """The rows of one network."""
    bench, course = asked.bench(name), COURSES[name]
    plan = bench.allocate(
        course.method,
        course.target,
        Plan(course.criterion, course.granularity),
        locked=[*bench.locks],
    )
    cut = bench.evaluate(plan)
    yield f"| {name} | {course.words} | cut, not trained | {100 * cut.accuracy:.1f} " + (
        f"| {100 * cut.delta:+.1f} | | |"
    )
    base: list[Trained] = []
    for way, share_of_dense in WAYS.items():
        one = Training.from_dict({**course.training.as_dict(), "distill": share_of_dense})
        found = [asked.train(bench, plan, again(one, seed)) for seed in range(asked.seeds)]
        base = base or found
        yield line(way, found, base)


def line(way: str, found: list[Trained], base: list[Trained]) -> str:
    """A row: means over the seeds with Student's t; differences are paired by seed."""
    beside = "" if found is base else points(differences(ends(found), ends(base)))
    back = sum(end(run)["delta_high"] >= 0 for run in found)
    return (
        f"| | | {way} | {share(ends(found))} | {points(ends(found, 'delta'))} | {beside} "
        f"| {back} of {len(found)} |"
    )


if __name__ == "__main__":
    main()
