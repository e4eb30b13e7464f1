"""How often do intervals hold the truth, and how often are verdicts wrong?

Prints the tables of the manual: every row is simulated with a fixed seed, in a minute or two.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from pruneviz.measuring.intervals import (
    ALPHA,
    mean_difference,
    mean_interval,
    paired_difference,
    wilson,
)
from pruneviz.measuring.looks import looks
from pruneviz.pruning.sliders import Slider
from pruneviz.sensitivity.curves import LOSE, Curve, Point
from pruneviz.tasks.task_scores import judge_values, prefix_values

DRAWS = 1000
BLOCK, OF, PRECISION = 64, 2000, 0.01

Interval = tuple[float, float]
BELOW_1 = (-math.inf, 1.0)  # what R² can be
Chance = np.random.Generator


@dataclass(frozen=True)
class Row:
    """One simulation: what it is, of how many samples, and how often it was as it should be."""

    what: str
    truth: str
    n: int
    share: float
    width: float = math.nan


# -- intervals ---------------------------------------------------------------------------------


def right_or_wrong(chance: Chance, n: int, share: float) -> Interval:
    """Of the share of right answers."""
    return wilson(int(chance.binomial(n, share)), n)


def flips(chance: Chance, n: int, gain: float, loss: float) -> Interval:
    """Of a change where answers are right or wrong."""
    up, down, _ = chance.multinomial(n, [gain, loss, 1 - gain - loss])
    return paired_difference(int(up), int(down), n)[1:]


def windows(chance: Chance, n: int, tokens: tuple[int, int]) -> Interval:
    """Of accuracy per position, 0.6, where windows are harder or easier as a whole."""
    weight = chance.integers(*tokens, size=n)
    hits = chance.binomial(weight, chance.beta(6, 4, size=n))
    return mean_interval(torch.from_numpy(hits / weight), torch.from_numpy(weight))[1:]


def scattered(chance: Chance, n: int, rate: float, tokens: int = 60) -> Interval:
    """Of a change of single tokens, each by itself: −rate."""
    lost = torch.from_numpy(chance.binomial(tokens, rate, size=n) / tokens)
    return mean_difference(1 - lost, torch.ones(n))[1:]


def clustered(chance: Chance, n: int, rate: float, tokens: int = 60) -> Interval:
    """Of a change that takes half of a window's tokens at once, in 2·rate of all windows."""
    hit = chance.random(n) < 2 * rate
    lost = torch.from_numpy(np.where(hit, chance.binomial(tokens, 0.5, size=n) / tokens, 0.0))
    return mean_difference(1 - lost, torch.ones(n))[1:]


def fitted(chance: Chance, n: int, noise: float) -> Interval:
    """Of R², 1 − noise², where outputs are off by so much of the targets' own spread."""
    targets = torch.from_numpy(chance.standard_normal((n, 1)))
    return mean_interval(_quotients(targets, targets + _noise(chance, n, noise)), bounds=BELOW_1)[
        1:
    ]


def refitted(chance: Chance, n: int, more: float, noise: float = 0.5) -> Interval:
    """Of its change, −more², where so much error is added to what was off by `noise`."""
    targets = torch.from_numpy(chance.standard_normal((n, 1)))
    dense = targets + _noise(chance, n, noise)
    scores = [_quotients(targets, outputs) for outputs in (dense + _noise(chance, n, more), dense)]
    return mean_difference(scores[0], scores[1], bounds=BELOW_1)[1:]


def _noise(chance: Chance, n: int, spread: float) -> torch.Tensor:
    return torch.from_numpy(spread * chance.standard_normal((n, 1)))


def _quotients(targets: torch.Tensor, outputs: torch.Tensor) -> torch.Tensor:
    """The scores whose mean is R², as evaluation makes them."""
    answers = judge_values(targets.var(0, correction=0), outputs, targets)
    score = prefix_values(True, answers, targets).score
    assert score is not None
    return score


def covered(
    draw: Callable[[Chance], Interval], truth: float, draws: int, seed: int = 0
) -> tuple[float, float]:
    """(share of intervals that hold the truth, their mean width)."""
    chance = np.random.default_rng(seed)
    found = [draw(chance) for _ in range(draws)]
    held = np.mean([low <= truth <= high for low, high in found])
    return float(held), float(np.mean([high - low for low, high in found]))


# -- verdicts ----------------------------------------------------------------------------------


@cache
def sure(gained: int, lost: int, n: int, alpha: float) -> Interval:
    """What a verdict rests on, of so many answers gained and lost."""
    change = torch.zeros(n)
    change[:gained], change[gained : gained + lost] = 1.0, -1.0
    _, low, high = mean_difference(change.clamp(min=0), -change.clamp(max=0), alpha=2 * alpha)
    paired = paired_difference(gained, lost, n)
    return min(low, paired[1]), max(high, paired[2])


def scanned(chance: Chance, gain: float, loss: float, level: float = 0.5, of: int = OF) -> Point:
    """A point as a scan leaves it: samples are doubled until it is fine."""
    seen, up, down = 0, 0, 0
    for n, alpha in looks(BLOCK, of, PRECISION).items():
        more = chance.multinomial(n - seen, [gain, loss, 1 - gain - loss])
        seen, up, down = n, up + int(more[0]), down + int(more[1])
        delta, low, high = paired_difference(up, down, n)
        point = Point(
            level, level, n, 0.9 + delta, 0.0, 1.0, delta, low, high, 0.1, 0.9, 0.1,
            *sure(up, down, n, alpha),
        )  # fmt: skip
        if point.fine(PRECISION):
            break
    return point


def curve(chance: Chance, losses: dict[float, float], gain: float = 0.0) -> Curve:
    """A curve as a scan leaves it, of the true loss at each level."""
    points = (scanned(chance, gain, gain + loss, level) for level, loss in losses.items())
    return Curve(Slider("layer", ("layer",), 100), tuple(points))


def robust_wrong(chance: Chance, loss: float, gain: float) -> bool:
    """Whether a level that truly loses `loss`, after ones that lose nothing, is called robust."""
    found = curve(chance, {0.1: 0.0, 0.5: loss, 0.9: 2 * loss}, gain)
    return (found.robust() or 0.0) >= 0.5


def certain_wrong(chance: Chance, loss: float, gain: float) -> bool:
    """Whether a level that truly loses `loss`, no more than a point, is called a certain loss."""
    level = curve(chance, {0.5: loss, 0.9: 0.3}, gain).certain()
    return level is not None and level <= 0.5


def at_most_wrong(chance: Chance, loss: float, n: int) -> bool:
    """Whether "loses at most one point" is said of a plan that loses `loss`."""
    down = int(chance.binomial(n, loss))
    return sure(0, down, n, ALPHA / 2)[0] >= -LOSE


def wrong(draw: Callable[[Chance], bool], draws: int, seed: int = 0) -> float:
    """The share of draws in which a verdict is wrong."""
    chance = np.random.default_rng(seed)
    return float(np.mean([draw(chance) for _ in range(draws)]))


# -- tables ------------------------------------------------------------------------------------


def intervals(draws: int) -> list[Row]:
    """Every interval, where it is easy and where it is hard."""
    cases: list[tuple[str, str, int, Callable[[Chance], Interval], float]] = []
    for share, n in ((0.975, 200), (0.6, 100), (0.99, 64)):
        cases.append(("right or wrong: Wilson", f"{100 * share:g} %", n,
                      lambda c, n=n, p=share: right_or_wrong(c, n, p), share))  # fmt: skip
    for gain, loss, n in ((0.03, 0.06, 200), (0.0, 0.01, 276), (0.1, 0.3, 100)):
        cases.append(("change of right or wrong: Bonett–Price", f"{100 * (gain - loss):+g}", n,
                      lambda c, n=n, g=gain, q=loss: flips(c, n, g, q), gain - loss))  # fmt: skip
    for n, tokens in ((5, (20, 21)), (25, (5, 60)), (100, (5, 60))):
        cases.append(("accuracy per position, windows differ", "60 %", n,
                      lambda c, n=n, t=tokens: windows(c, n, t), 0.6))  # fmt: skip
    for n, rate in ((5, 0.002), (25, 0.01), (100, 0.01)):
        cases.append(("its change, tokens by themselves", f"{-100 * rate:+g}", n,
                      lambda c, n=n, r=rate: scattered(c, n, r), -rate))  # fmt: skip
    for n, rate in ((5, 0.01), (25, 0.01), (100, 0.02)):
        cases.append(("its change, half a window at once", f"{-100 * rate:+g}", n,
                      lambda c, n=n, r=rate: clustered(c, n, r), -rate))  # fmt: skip
    for n, noise in ((20, 0.5), (100, 0.5), (100, 0.9)):
        cases.append(("R²: Student's t", f"{100 * (1 - noise**2):g} %", n,
                      lambda c, n=n, e=noise: fitted(c, n, e), 1 - noise**2))  # fmt: skip
    for n, more in ((20, 0.2), (100, 0.2), (100, 0.5)):
        cases.append(("change of R²: Student's t", f"{-100 * more**2:+g}", n,
                      lambda c, n=n, e=more: refitted(c, n, e), -(more**2)))  # fmt: skip
    return [
        Row(what, truth, n, *covered(draw, value, draws)) for what, truth, n, draw, value in cases
    ]


def verdicts(draws: int) -> list[Row]:
    """Every verdict, where the truth is a hundredth of a point beyond it."""
    rows = []
    for gain in (0.0, 0.01, 0.05):
        truth = f"loses 1.01 points, {100 * gain:g} % gained"
        share = wrong(lambda c, g=gain: robust_wrong(c, LOSE + 1e-4, g), draws)
        rows.append(Row("robust to", truth, OF, share))
    for gain in (0.0, 0.01, 0.05):
        truth = f"loses 0.99 points, {100 * gain:g} % gained"
        share = wrong(lambda c, g=gain: certain_wrong(c, LOSE - 1e-4, g), draws)
        rows.append(Row("certain loss from", truth, OF, share))
    for n in (368, 500, 1000):
        share = wrong(lambda c, n=n: at_most_wrong(c, LOSE + 1e-4, n), draws)
        rows.append(Row("loses at most 1 point", "loses 1.01 points", n, share))
    return rows


def main() -> None:
    """Print both tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=DRAWS)
    draws = parser.parse_args().draws
    print("| interval (95 %) | truth | samples | covers | mean width, points |")
    print("|---|---|---:|---:|---:|")
    for row in intervals(draws):
        print(f"| {row.what} | {row.truth} | {row.n} | {100 * row.share:.1f} % "
              f"| {100 * row.width:.1f} |")  # fmt: skip
    print("\n| verdict | truth | samples | wrong (at most 2.5 %) |")
    print("|---|---|---:|---:|")
    for row in verdicts(4 * draws):
        print(f"| {row.what} | {row.truth} | {row.n} | {100 * row.share:.2f} % |")


if __name__ == "__main__":
    main()
