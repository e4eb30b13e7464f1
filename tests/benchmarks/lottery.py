"""Is a winning ticket better than new weights in its place, and than a random mask?

Run from the top of the checkout: python -m tests.benchmarks.lottery [--picture FILE.html]
Prints the README's table: lenet300 from new weights on all 8,000 training digits, not moved; in
each round the smallest weights go (the same fraction of what is left, of the head half of it), the
others go back to where they began, and the network trains again for as many epochs. The controls
have as many weights of each layer: the ticket's mask with newly drawn weights, and a mask with its
places shuffled under the first weights. Each seed draws its own network.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from plotly import graph_objects

from pruneviz.plan import Plan
from pruneviz.training import Trained, Training
from tests.benchmarks.recovery import again
from tests.benchmarks.seeds import differences, interval, points, rows, share, study

NETWORK, SEEDS = "lenet300", 3
LEVELS = {"fc1": 0.967, "fc2": 0.967, "fc3": 0.78}
TRAINING = Training(
    "lottery", epochs=8, rounds=8, start="new", controls=True,
    optimizer="adam", learning_rate=1.2e-3, schedule="cosine",
)  # fmt: skip
KINDS = ("ticket", "new weights", "random mask")
HEAD = (
    "| weights left | ticket | new weights | random mask | ticket − new weights "
    "| ticket − random mask | after one epoch: ticket | new weights | random mask |"
)


def main(arguments: list[str] | None = None) -> None:
    """Print the table; draw the picture where one is asked for."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    picture = None
    if "--picture" in given:
        place = given.index("--picture")
        picture, given = given[place + 1], given[:place] + given[place + 2 :]
    with study(__doc__, SEEDS, given) as asked:
        bench = asked.bench(NETWORK)
        total = sum(layer.size for layer in bench.layer_of.values())
        seeds = range(asked.seeds)
        runs = [asked.train(bench, Plan(sparsity=LEVELS), again(TRAINING, s)) for s in seeds]
        rows(HEAD, lines(runs, total))
        if picture is not None:
            Path(picture).write_text(drawn(runs, total), encoding="utf-8")


def lines(runs: list[Trained], total: int) -> Iterator[str]:
    """Dense, and a row a round."""
    whole, early = found(runs, "dense", -1), found(runs, "dense", 1)
    yield f"| 100 % | {share(whole)} | | | | | {mean(early)} | | |"
    for number in range(1, rounds(runs) + 1):
        legs = [f"{kind} {number}" for kind in KINDS]
        last = [found(runs, leg, -1) for leg in legs]
        cells = [share(values) for values in last]
        cells += [points(differences(last[0], other)) for other in last[1:]]
        cells += [mean(found(runs, leg, 1)) for leg in legs]
        yield f"| {100 * left(runs, legs[0], total):.1f} % | {' | '.join(cells)} |"


def rounds(runs: list[Trained]) -> int:
    """How many there were."""
    return len({leg for leg in runs[0].table["leg"] if leg.startswith("ticket")})


def left(runs: list[Trained], leg: str, total: int) -> float:
    """The fraction of all weights that the leg trains; biases are never cut."""
    gone = runs[0].table["size"] - runs[0].table["params"]
    return 1 - float(gone[runs[0].table["leg"] == leg].iloc[-1]) / total


def found(runs: list[Trained], leg: str, epoch: int) -> list[float]:
    """By seed, the accuracy in a leg after an epoch; -1: after the last."""
    tables: list[pd.DataFrame] = [run.table[run.table["leg"] == leg] for run in runs]
    return [float(table["accuracy"].iloc[epoch]) for table in tables]


def mean(values: list[float]) -> str:
    """Per cent alone."""
    return f"{100 * sum(values) / len(values):.1f}"


def drawn(runs: list[Trained], total: int) -> str:
    """Accuracy against what is left, each kind with its interval, as a page of its own."""
    numbers = range(1, rounds(runs) + 1)
    figure = graph_objects.Figure()
    for kind in KINDS:
        known = [interval(found(runs, f"{kind} {number}", -1)) for number in numbers]
        figure.add_scatter(
            x=[100 * left(runs, f"{kind} {number}", total) for number in numbers],
            y=[100 * middle for middle, _, _ in known],
            error_y={"array": [100 * (high - middle) for middle, _, high in known]},
            name=kind,
        )
    whole = interval(found(runs, "dense", -1))[0]
    figure.add_hline(100 * whole, line_dash="dot", annotation_text="dense")
    marks = [100 * left(runs, f"ticket {number}", total) for number in numbers]
    figure.update_xaxes(
        type="log",
        autorange="reversed",
        title="weights left, %",
        tickvals=marks,
        ticktext=[f"{mark:.1f}" for mark in marks],
    )
    figure.update_yaxes(title="validation accuracy, % (95 %, Student's t)")
    figure.update_layout(template="plotly_white")
    page: str = figure.to_html(include_plotlyjs=True)
    return page


if __name__ == "__main__":
    main()
