"""How does damage become accuracy?"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from pruneviz.sensitivity.damage import Table

_PARTS = 5  # the mix of features is looked for in steps of a fifth
# An error is no larger than nine others in nine of ten cases; a few more, as the mix that is chosen
# misses its own plans less than others.
_NEAR = 15


@dataclass(frozen=True, eq=False)
class DamageModel:
    """Features mixed into one damage, and the score that goes with it.

    mix: feature -> its share in the damage of the mean plan, together 1. weights: by what the
    features are multiplied, >= 0. link, reach, error: as in `Predictor`. plans: that had a score.
    """

    mix: dict[str, float]
    weights: dict[str, float]
    link: tuple[Table, Table]
    reach: tuple[Table, Table]
    error: float
    plans: int


def fit(sums: Mapping[str, Table], scores: Table, dense: float, finest: float = 0.0) -> DamageModel:
    """The mix of features, with the link from it to the scores, that misses the plans least.

    sums: feature -> [plans], its damage. scores: [plans]; of those not finite nothing is learnt.
    finest: by how much a score is rounded. Each mix is judged by links that do not know the plan
    they are asked about.
    """
    finite = np.isfinite(scores)
    scores, parts = scores[finite], {name: values[finite] for name, values in sums.items()}
    scale = {name: float(values.mean()) for name, values in parts.items() if values.any()}
    best: dict[str, float] = {}
    damage = errors = np.zeros(len(scores))
    for mix in _mixes(list(scale)):
        weights = {name: share / scale[name] for name, share in mix.items()}
        candidate = sum((w * parts[name] for name, w in weights.items()), np.zeros(len(scores)))
        off = scores - _leave_one_out(candidate, scores, dense)
        if not best or np.abs(off).mean() < np.abs(errors).mean() - 1e-9:
            best, damage, errors = mix, candidate, off
    return DamageModel(
        mix=best,
        weights={name: share / scale[name] for name, share in best.items()},
        link=link_of(damage, scores, dense),
        reach=_reach(damage, np.abs(errors) + finest),
        error=float(np.abs(errors).mean()) if len(scores) else 0.0,
        plans=len(scores),
    )


def link_of(damage: Table, scores: Table, dense: float) -> tuple[Table, Table]:
    """(damage, rising, from 0; score there, never rising, from `dense`).

    Isotonic regression, which is flat in parts, as a line through the middles of these.
    """
    xs, ys = [0.0], [dense]
    if len(damage):
        order = np.argsort(damage, kind="stable")
        flat = isotonic_regression(np.minimum(scores[order], dense), increasing=False)
        for start, stop in itertools.pairwise(flat.blocks.tolist()):
            middle = float(damage[order][start:stop].mean())
            if middle > xs[-1]:
                xs.append(middle)
                ys.append(float(flat.x[start]))
    return np.array(xs), np.array(ys)


def _leave_one_out(damage: Table, scores: Table, dense: float) -> Table:
    """For each plan what a link says that was fitted to the others."""
    every = np.arange(len(damage))
    errors = [
        np.interp(damage[k], *link_of(damage[every != k], scores[every != k], dense))
        for k in every.tolist()
    ]
    return np.array(errors, dtype=float)


def _reach(damage: Table, errors: Table) -> tuple[Table, Table]:
    """At each plan's damage the largest error of the plans nearest to it in rank."""
    if not len(damage):
        return np.zeros(1), np.zeros(1)
    order = np.argsort(damage, kind="stable")
    ranked_errors = errors[order]
    starts = [min(max(k - _NEAR // 2, 0), max(len(order) - _NEAR, 0)) for k in range(len(order))]
    halves = [float(ranked_errors[start : start + _NEAR].max()) for start in starts]
    return damage[order], np.array(halves)


def _mixes(names: Sequence[str]) -> list[dict[str, float]]:
    """Every way to share the whole out among the features, in steps."""
    shares = itertools.product(range(_PARTS + 1), repeat=len(names))
    return [
        {name: part / _PARTS for name, part in zip(names, parts, strict=True) if part}
        for parts in shares
        if sum(parts) == _PARTS
    ]
