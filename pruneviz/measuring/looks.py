"""How sure is a verdict, also after several looks at the same samples?"""

from __future__ import annotations

from pruneviz.measuring.evaluate import Evaluation
from pruneviz.measuring.intervals import ALPHA, fewest, mean_difference
from pruneviz.measuring.score import change


def looks(block: int, of: int, precision: float) -> dict[int, float]:
    """Samples that a point may have seen -> by how much its verdict may err there, to each side.

    By doubling from those after which a point of which no answer has changed is told to lose no
    more than `precision`, up to all `of` them. Whoever looks again until a verdict falls errs more
    often than in one look: the first may err in half of what all together may (2.5 %), each later
    one in half of that before it (Bonferroni's inequality; alpha spending of Lan & DeMets 1983).
    """
    alpha = ALPHA / 4
    n = min(of, -(-fewest(precision, alpha) // block) * block)
    alphas = {n: alpha}
    while n < of:
        n, alpha = min(2 * n, of), alpha / 2
        alphas[n] = alpha
    return alphas


def surely(now: Evaluation, was: Evaluation, alpha: float = ALPHA / 2) -> tuple[float, float]:
    """(low, high) of the change between two evaluations of the same samples, for a verdict.

    The true change lies below `low` in at most `alpha` of all samples, and as rarely above `high`:
    also of few answers, right or wrong, where the paired interval errs a little more often to one
    side. Never narrower than that interval itself.
    """
    task, scores = now.task, (now.scores, was.scores, now.weight)
    _, low, high = mean_difference(*scores, task.bounds, 2 * alpha)
    _, paired_low, paired_high = change(*scores, task)
    return min(low, paired_low), max(high, paired_high)
