"""Which plans lose least at every budget, as the curves of single layers tell?"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pruneviz.allocation.exact_target import Field, field_of, movable
from pruneviz.allocation.least_damage import least_damage
from pruneviz.allocation.request import SearchRequest
from pruneviz.allocation.search import half_of
from pruneviz.measuring.bench import Bench
from pruneviz.plan import Plan
from pruneviz.progress import Progress, part
from pruneviz.scale import Scale
from pruneviz.sensitivity.curves import Curves
from pruneviz.sensitivity.keys import key_of
from pruneviz.sensitivity.prediction import (
    SAMPLES,
    Prediction,
    Predictor,
    digest_of,
    features_by_slider,
    make_predictor,
    measured_change,
    predictor,
)
from pruneviz.sensitivity.taylor import LEVELS
from pruneviz.storage.measurement_store import Memory

POINTS = 40
ROUNDS, PER_ROUND = 4, 10  # plans of the line that are measured to correct it
_SCHEME = 1  # to be raised where a line would come out differently


@dataclass(frozen=True)
class LinePoint:
    """A plan that no other on the line is predicted to beat at what it takes away.

    removed: the fraction of what is free to go, in the unit of the budget, as counted. params: that
    stay in the whole network.
    """

    plan: Plan
    removed: float
    params: int
    prediction: Prediction


@dataclass(frozen=True)
class ParetoLine:
    """Plans from dense to all that may go, by rising `removed`; their accuracy is predicted.

    plans, samples: how many plans of earlier lines were measured to correct it, and on how many
    samples at most. error: by how much they were missed on average, each by a link that did not
    know it; a fraction, or the unit of the score.
    """

    points: tuple[LinePoint, ...]
    plans: int
    samples: int
    error: float
    scale: Scale

    @property
    def words(self) -> str:
        """What it rests on, in a sentence."""
        error = self.scale.change_text(self.error).removeprefix("+")
        return (
            f"predicted from the curves of single layers, corrected by {self.plans} plans measured "
            f"on {self.samples:,} samples each, which were off by {error}"
        )

    @property
    def table(self) -> pd.DataFrame:
        """One row a plan: removed, params, accuracy, low, high (predicted), and each layer's
        sparsity.
        """
        return pd.DataFrame(
            {"removed": one.removed, "params": one.params, **vars(one.prediction)}
            | dict(one.plan.sparsity)
            for one in self.points
        )


def pareto_line(
    bench: Bench, curves: Curves, memory: Memory, request: SearchRequest, progress: Progress
) -> ParetoLine:
    """The line for what the request leaves free, whatever target one has in mind.

    A prediction that was fitted to random plans is too good where plans are chosen by it. So ten
    plans of the line are measured, the prediction is fitted to plans of the line alone, and the
    line is drawn anew, four times. Only the half of the validation samples is used that a search
    may use. What `memory` holds is not measured again; `progress` may raise to stop.
    Raises ValueError where nothing was scanned or nothing may move.
    """
    known = known_line(bench, curves, memory, request)
    if known is not None:
        return known
    space = line_field(bench, request)
    fitted = predictor(bench, curves, memory, part(progress, 0.0, 0.5))
    features = features_by_slider(bench, curves)
    dense, samples = bench.evaluate(Plan()), min(SAMPLES, half_of(bench))
    scores: dict[Plan, float] = {}
    line = _draw(space, fitted)
    for turn in range(ROUNDS):
        for place, one in enumerate(_spread(line, turn / ROUNDS)):
            done = (turn + place / PER_ROUND) / ROUNDS
            progress("plans of the line, to correct it", 0.5 + done / 2)
            change = measured_change(bench, one.plan, samples, memory)
            scores[one.plan] = dense.accuracy + change
        fitted = replace(
            make_predictor(
                curves, features, [*scores], [*scores.values()], dense.accuracy,
                dense.task.bounds, samples,
            ),
            scale=dense.task.scale,
        )  # fmt: skip
        line = _draw(space, fitted)
    result = ParetoLine(_unbeaten(line), len(scores), samples, fitted.error, fitted.scale)
    memory.put(_key(bench, curves, request), _text(result))
    return result


def line_field(bench: Bench, request: SearchRequest) -> Field:
    """What may move along a line; ValueError where there is none."""
    if request.plan.granularity == "block":
        raise ValueError(
            "blocks stay or go whole, so there is no line of them: allocate with method "
            "'sensitivity' drops them one by one"
        )
    return field_of(bench, request)


def known_line(
    bench: Bench, curves: Curves, memory: Memory, request: SearchRequest
) -> ParetoLine | None:
    """What `pareto_line` drew before for this request and these very curves, or None; quick."""
    text = memory.get(_key(bench, curves, request))
    try:
        return None if text is None else _read(text, bench)
    except (ValueError, TypeError, KeyError):  # what is damaged is drawn again
        return None


def _spread(line: Sequence[LinePoint], offset: float) -> list[LinePoint]:
    """Ten of the line, at even distances along it as it is drawn: budget across, accuracy up."""
    steps = [
        abs(b.removed - a.removed) + abs(b.prediction.accuracy - a.prediction.accuracy)
        for a, b in itertools.pairwise(line)
    ]
    along = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = (np.arange(PER_ROUND) + offset) / (PER_ROUND - 1 + offset) * along[-1]
    nearest = {int(np.abs(along - place).argmin()): None for place in wanted}
    return [line[place] for place in nearest]


def _draw(space: Field, fitted: Predictor) -> list[LinePoint]:
    """At most forty plans of least damage, at even distances; each slider at whole per cents."""
    parts = [one for one in space.parts if one.slider.name in fitted.tables]
    whole = sum(one.cost for one in parts)
    tops = [int(np.floor(one.most * (len(LEVELS) - 1) + 1e-9)) + 1 for one in parts]
    damages = [fitted.tables[p.slider.name][:top] for p, top in zip(parts, tops, strict=True)]
    takes = [p.cost / whole * LEVELS[:top] for p, top in zip(parts, tops, strict=True)]
    highest = sum(float(one[-1]) for one in takes)
    plans: dict[Plan, None] = {}  # each once
    for row in least_damage(damages, takes, np.linspace(0.0, highest, POINTS)):
        chosen = {p.slider.name: float(LEVELS[k]) for p, k in zip(parts, row, strict=True)}
        plans[space.plan([chosen.get(one.slider.name, 0.0) for one in space.parts])] = None
    counts = space.bench.counts
    return [
        LinePoint(plan, space.fraction(plan), counts(plan).params_kept, fitted.predict(plan))
        for plan in plans
    ]


def _unbeaten(line: Sequence[LinePoint]) -> tuple[LinePoint, ...]:
    """Without plans that another one is predicted to match with no more left."""
    result: list[LinePoint] = []
    for one in sorted(line, key=lambda one: (-one.removed, -one.prediction.accuracy)):
        if not result or one.prediction.accuracy > result[-1].prediction.accuracy:
            result.append(one)
    return tuple(reversed(result))


# -- memory --------------------------------------------------------------------------------


def _key(bench: Bench, curves: Curves, request: SearchRequest) -> str:
    floor = request.floor if isinstance(request.floor, float | int) else dict(request.floor)
    base, _ = movable(bench, request)
    base = replace(base, sparsity={name: level for name, level in base.sparsity.items() if level})
    what = request.budget, sorted(request.locked), floor, base, digest_of(curves)
    return key_of(bench, "pareto line", _SCHEME, *what)


def _text(line: ParetoLine) -> str:
    points = [
        [one.plan.as_dict(), one.removed, one.params, *vars(one.prediction).values()]
        for one in line.points
    ]
    return json.dumps([points, line.plans, line.samples, line.error])


def _read(text: str, bench: Bench) -> ParetoLine:
    points, plans, samples, error = json.loads(text)
    line = tuple(
        LinePoint(Plan.from_dict(plan), removed, params, Prediction(*numbers))
        for plan, removed, params, *numbers in points
    )
    return ParetoLine(line, plans, samples, error, bench.task.scale)
