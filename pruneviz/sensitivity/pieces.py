"""How is a long measurement done so that somebody may stop it?"""

from __future__ import annotations

from pruneviz.measuring.bench import Bench
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.progress import Progress

_PIECE = 1.0  # seconds until somebody may stop it


def in_pieces(
    bench: Bench, plan: Plan, n: int, progress: Progress, words: str, step: int | None = None
) -> Evaluation:
    """A plan on the first n samples, `step` at a time (by default what takes about a second, in
    whole blocks). `progress` may raise to stop it: each piece is kept.
    """
    if step is None:
        step = bench.block * max(1, int(_PIECE / (bench.seconds_per_sample * bench.block)))
    while (done := bench.samples_measured(plan)) < n:
        progress(words, done / n)
        bench.evaluate(plan, min(n, done + step))
    return bench.evaluate(plan, n)
