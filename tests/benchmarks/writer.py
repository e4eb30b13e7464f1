"""Which skill of the small language model goes first, and which criterion keeps most?

Run: python -m tests.benchmarks.writer [CRITERION …] [--skills] [--heads] [--blocks]
Prints the rows of writer.md: the same share of every unlocked layer, one shot, no training, on the
first 500 validation stories; 512 training stories calibrate.
"""

from __future__ import annotations

import argparse
import json

import pruneviz as pv
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.workbench import Workbench
from sample_models.store import FOLDER

LEVELS = (0.2, 0.3, 0.5, 0.7)
CRITERIA = ("magnitude", "wanda", "ria", "obs", "random")
STORIES = 500
HEADS = ("magnitude", "l2", "taylor", "random")


def main() -> None:
    """Print the tables asked for; all of them where none is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("criteria", nargs="*")
    parser.add_argument("--skills", action="store_true")
    parser.add_argument("--heads", action="store_true")
    parser.add_argument("--blocks", action="store_true")
    request = parser.parse_args()
    bench = pv.open("writer")
    every = not (request.criteria or request.skills or request.heads or request.blocks)
    if every:
        dense()
    if every or request.criteria:
        weights(bench, request.criteria or list(CRITERIA))
    if every or request.skills:
        skills(bench)
    if every or request.heads:
        heads(bench)
    if every or request.blocks:
        blocks(bench)


def dense() -> None:
    """What the card tells."""
    card = json.loads((FOLDER / "writer.json").read_text("utf-8"))
    print("| measure | dense | 95 % interval | words |\n|---|---:|---:|---:|")
    rows = [("all tagged words", card, sum(one["n"] for one in card["skills"].values()))]
    rows += [(name, one, one["n"]) for name, one in card["skills"].items()]
    for name, one, n in rows:
        span = f"{100 * one['low']:.1f}–{100 * one['high']:.1f}"
        print(f"| {name} | {100 * one['accuracy']:.1f} % | {span} | {n:,} |")
    for name, one in card["beside"].items():
        share = 100 if "accuracy" in name else 1
        low, value, high = (share * one[part] for part in ("low", "value", "high"))
        print(f"| {name} | {value:.2f} | {low:.2f}–{high:.2f} | |")
    print()


def weights(bench: Workbench, criteria: list[str]) -> None:
    """Single weights: a row a criterion and repair, a column a level."""
    print("| criterion | repair | " + " | ".join(f"{level:.0%}" for level in LEVELS) + " |")
    print("|---|---|" + "---:|" * len(LEVELS))
    for criterion in criteria:
        for repair in ((), ("update",)):
            cells = [
                told(bench.evaluate(plan(bench, criterion, x, repair), STORIES)) for x in LEVELS
            ]
            words = ", ".join(repair)
            print(f"| {criterion} | {words} | " + " | ".join(cells) + " |", flush=True)
    print()


def plan(bench: Workbench, criterion: str, level: float, repair: tuple[str, ...] = ()) -> pv.Plan:
    """The same share of every layer that is not locked."""
    levels = {name: level for name in bench.layer_of if name not in bench.locks}
    return pv.Plan(criterion, sparsity=levels, repair=repair)


def told(result: Evaluation) -> str:
    """Accuracy of tagged words with its interval, and perplexity."""
    span = f"{100 * result.low:.1f}–{100 * result.high:.1f}"
    return f"{100 * result.accuracy:.1f} ({span}); {result.measures['perplexity']:.3g}"


def skills(bench: Workbench) -> None:
    """Each skill under magnitude, with the change's interval."""
    levels = (0.5, 0.6, 0.7, 0.8)
    results = [bench.evaluate(plan(bench, "magnitude", level), STORIES) for level in levels]
    print("| skill | " + " | ".join(f"{level:.0%}" for level in levels) + " |")
    print("|---|" + "---:|" * len(levels))
    for name in results[0].per_class:
        changes = [result.by_class.changes[name] for result in results]
        cells = [
            f"{100 * c.delta:+.1f} ({100 * c.low:+.1f} … {100 * c.high:+.1f})" for c in changes
        ]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    print()


def heads(bench: Workbench) -> None:
    """So many of the four heads of every block, by criterion."""
    print("| heads cut in each block | " + " | ".join(HEADS) + " |\n|---|" + "---:|" * len(HEADS))
    for number in (1, 2, 3):
        cells = []
        for criterion in HEADS:
            names = [slider.name for slider in bench.sliders(pv.Plan(criterion, "head"))]
            levels = dict.fromkeys(names, number / 4)
            cells.append(told(bench.evaluate(pv.Plan(criterion, "head", sparsity=levels), STORIES)))
        print(f"| {number} of 4 | " + " | ".join(cells) + " |", flush=True)
    print()


def blocks(bench: Workbench) -> None:
    """Each residual branch left out alone: what is left, and which skill pays most."""
    print("| left out | accuracy; perplexity | pays most |\n|---|---:|---|")
    for slider in bench.sliders(pv.Plan("magnitude", "block")):
        plan = pv.Plan("magnitude", "block", sparsity={slider.name: 1.0})
        result = bench.evaluate(plan, STORIES)
        name, change = min(result.by_class.changes.items(), key=lambda item: item[1].delta)
        branch = slider.name.rpartition(".")[0]
        print(f"| {branch} | {told(result)} | {name} {100 * change.delta:+.1f} |", flush=True)


if __name__ == "__main__":
    main()
