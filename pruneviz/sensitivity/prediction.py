"""How well will the network answer with many layers cut, as the curves of single layers tell?"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pruneviz.measuring.bench import Bench
from pruneviz.plan import Plan, settings_of
from pruneviz.progress import Progress, part, silent
from pruneviz.scale import SHARE, Scale
from pruneviz.sensitivity.curves import Curve, Curves
from pruneviz.sensitivity.damage import Table, features_of
from pruneviz.sensitivity.damage_model import fit
from pruneviz.sensitivity.keys import key_of
from pruneviz.sensitivity.taylor import LEVELS, rises
from pruneviz.storage.measurement_store import Memory

PLANS, SAMPLES = 48, 512  # to fit on
_SCHEME = 2  # to be raised where a predictor would come out differently
_SEED = 1
_FINEST = 0.005  # the least density of a random plan


@dataclass(frozen=True)
class Prediction:
    """An estimate. low, high: nine of ten measurements should lie between them."""

    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Predictor:
    """What single layers tell about a whole plan.

    plan: the choices it was fitted for, nothing cut. layers: slider -> the layers it moves. tables:
    slider -> [101], its damage at k/100, >= 0 and never falling. The damage of a plan is their sum.
    link: damage, rising, and the accuracy there, never rising. reach: damage and by how much the
    fitting plans there were missed at most. error: by how much they were missed on average, each by
    a link that did not know it. mix: feature -> its share in the damage (see `features_of`).
    plans, samples: how many it was fitted on, and how many samples each of them answered at most.
    bounds: the least and the most that a score can be. scale: the unit in which it is told.
    """

    plan: Plan
    layers: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, Table]
    link: tuple[Table, Table]
    reach: tuple[Table, Table]
    error: float
    mix: Mapping[str, float]
    plans: int
    samples: int
    bounds: tuple[float, float]
    scale: Scale = SHARE

    def damage(self, plan: Plan) -> float:
        """The damage of a plan's levels, added up over the sliders.

        ValueError for a plan of other choices, of another scope than "layer", or with layers not
        known here.
        """
        if plan.scope != "layer":
            raise ValueError(
                f"scope {plan.scope!r} gives layers no levels of their own to predict from"
            )
        if settings_of(_seedless(plan)) != _seedless(self.plan):
            raise ValueError(f"this predictor is for {self.plan}, got {settings_of(plan)}")
        covered = {layer for layers in self.layers.values() for layer in layers}
        strange = [name for name in plan.sparsity if name not in covered]
        if strange:
            raise ValueError(f"no layer {strange[0]!r} to predict from")
        return _sum(self.tables, self.layers, plan)

    def predict(self, plan: Plan) -> Prediction:
        """The estimate for a plan; what is pinned in it is not seen. ValueError as `damage`."""
        damage = self.damage(plan)
        accuracy = float(np.interp(damage, *self.link))
        half = float(np.interp(damage, *self.reach)) if any(plan.sparsity.values()) else 0.0
        least, most = self.bounds
        return Prediction(accuracy, max(accuracy - half, least), min(accuracy + half, most))

    @property
    def words(self) -> str:
        """What it rests on, in a sentence."""
        if not self.plans:
            return "nothing can be cut, so nothing changes."
        error = self.scale.change_text(self.error).removeprefix("+")
        return (
            f"estimated from the curves of single layers; {self.plans} random plans, measured "
            f"on {self.samples:,} samples each, were off by {error}"
        )


def random_plans(curves: Curves, number: int, seed: int, whole: float = 1.0) -> list[Plan]:
    """Plans that cut all sliders, from harmless to ruin.

    Each has a direction of its own: slider s keeps exp(-t · w_s), w_s evenly from 0..2. How far it
    goes, t, lies evenly between 0 and where the drops of the single curves add up to `whole`, the
    score of the dense network (at most to where a slider of w_s = 1 keeps a two-hundredth).
    """
    draw = np.random.default_rng(seed)
    measured = [curve for curve in curves.curves if curve.points]
    plans = []
    for _ in range(number):
        weights, share = draw.uniform(0, 2, len(measured)), draw.uniform()
        levels = 1 - np.exp(-share * _ruin(measured, weights, whole) * weights)
        plan = curves.plan
        for curve, level in zip(measured, levels.round(4).tolist(), strict=True):
            plan = curve.slider.raise_to(plan, level)
        plans.append(plan)
    return plans


def predictor(bench: Bench, curves: Curves, memory: Memory, progress: Progress) -> Predictor:
    """Fitted on random plans; those that `memory` holds are not measured again.

    ValueError where nothing was scanned.
    """
    earlier = known_predictor(bench, curves, memory)
    if earlier is not None:
        return earlier
    measured = [curve for curve in curves.curves if curve.points]
    if not measured and any(not curve.no_op for curve in curves.curves):
        raise ValueError("nothing was scanned yet with these choices: scan first")
    dense = bench.evaluate(Plan())
    whole = abs(dense.accuracy) or 1.0
    plans = random_plans(curves, PLANS if measured else 0, _SEED, whole)
    steps = len(plans) + 1

    features = features_by_slider(bench, curves, part(progress, 0.0, 1 / steps))
    samples = min(SAMPLES, len(bench.source.validation))
    scores = []
    for number, plan in enumerate(plans, 1):
        progress(f"random plan {number} of {len(plans)}", number / steps)
        scores.append(dense.accuracy + measured_change(bench, plan, samples, memory))
    result = make_predictor(
        curves, features, plans, scores, dense.accuracy, dense.task.bounds, samples
    )
    result = replace(result, scale=dense.task.scale)
    memory.put(key_of(bench, "prediction", _SCHEME, digest_of(curves)), _text(result))
    return result


def features_by_slider(
    bench: Bench, curves: Curves, progress: Progress = silent
) -> dict[str, dict[str, Table]]:
    """What `make_predictor` mixes: the measured curves, and what gradients tell; see `features_of`.

    Nothing but the gradients of the calibration data has to be found out for it.
    """
    measured = [curve.slider for curve in curves.curves if curve.points]
    by_gradient = rises(
        bench, curves.plan, measured, partial(progress, "gradients of the calibration data")
    )
    return features_of(curves, bench.task.bounds, by_gradient)


def known_predictor(bench: Bench, curves: Curves, memory: Memory) -> Predictor | None:
    """What `predictor` fitted before to these very curves, or None; nothing is measured."""
    text = memory.get(key_of(bench, "prediction", _SCHEME, digest_of(curves)))
    try:
        return None if text is None else replace(_read(text), scale=bench.task.scale)
    except (ValueError, TypeError, KeyError):  # what is damaged is fitted again
        return None


def make_predictor(
    curves: Curves,
    features: Mapping[str, Mapping[str, Table]],
    plans: Sequence[Plan],
    scores: Sequence[float],
    dense: float,
    bounds: tuple[float, float],
    samples: int,
) -> Predictor:
    """The predictor that these features give, fitted to the scores of these plans."""
    layers = {curve.slider.name: curve.slider.layers for curve in curves.curves}
    sums = {
        feature: np.array([_sum(tables, layers, plan) for plan in plans], dtype=float)
        for feature, tables in features.items()
    }
    model = fit(sums, np.array(scores, dtype=float), dense, 1 / samples)
    none = np.zeros(len(LEVELS))
    return Predictor(
        plan=curves.plan,
        layers=layers,
        tables={
            name: sum((w * features[f][name] for f, w in model.weights.items()), none)
            for name in layers
        },
        link=model.link,
        reach=model.reach,
        error=model.error,
        mix=model.mix,
        plans=model.plans,
        samples=samples,
        bounds=bounds,
    )


def _sum(tables: Mapping[str, Table], layers: Mapping[str, tuple[str, ...]], plan: Plan) -> float:
    """The tables at the plan's levels, added up."""
    levels = plan.sparsity
    return math.fsum(
        np.interp(max((levels.get(one, 0.0) for one in layers[name]), default=0.0), LEVELS, table)
        for name, table in tables.items()
    )


def _ruin(curves: Sequence[Curve], weights: NDArray[np.float64], whole: float) -> float:
    """The strength at which the single drops add up to `whole`; halved until it is found."""
    low, high = 0.0, -math.log(_FINEST)
    for _ in range(30):
        middle = (low + high) / 2
        levels = (1 - np.exp(-middle * weights)).tolist()
        drop = sum(max(-c.at(level)[0], 0.0) for c, level in zip(curves, levels, strict=True))
        low, high = (middle, high) if drop < whole else (low, middle)
    return low


# -- memory --------------------------------------------------------------------------------


def measured_change(bench: Bench, plan: Plan, samples: int, memory: Memory) -> float:
    """What the score changes by on the first samples; what `memory` holds is not measured again."""
    key = key_of(bench, "prediction", _SCHEME, samples, plan)
    text = memory.get(key)
    try:
        if text is not None:
            return float(json.loads(text))
    except (ValueError, TypeError):  # what is damaged is measured again
        pass
    change = bench.evaluate(plan, samples).from_start.delta
    memory.put(key, json.dumps(change))
    return change


def _seedless(plan: Plan) -> Plan:
    return plan if plan.criterion == "random" else replace(plan, seed=0)


def digest_of(curves: Curves) -> str:
    """All that a fit to curves looks at."""
    points = [
        [curve.slider.name, *([p.got, p.accuracy, p.loss, p.n] for p in curve.points)]
        for curve in curves.curves
    ]
    return json.dumps([_seedless(curves.plan).as_dict(), points], sort_keys=True)


def _text(prediction: Predictor) -> str:
    def plain(table: Table) -> list[float]:
        return [float(f"{value:.6g}") for value in table.tolist()]

    return json.dumps(
        {
            "plan": prediction.plan.as_dict(),
            "layers": {name: list(layers) for name, layers in prediction.layers.items()},
            "tables": {name: plain(table) for name, table in prediction.tables.items()},
            "link": [table.tolist() for table in prediction.link],
            "reach": [table.tolist() for table in prediction.reach],
            "error": prediction.error,
            "mix": dict(prediction.mix),
            "plans": prediction.plans,
            "samples": prediction.samples,
            "bounds": list(prediction.bounds),
        }
    )


def _read(text: str) -> Predictor:
    values = json.loads(text)
    link, reach = (tuple(np.array(t, dtype=float) for t in values[n]) for n in ("link", "reach"))
    return Predictor(
        **values
        | {
            "plan": Plan.from_dict(values["plan"]),
            "layers": {name: tuple(layers) for name, layers in values["layers"].items()},
            "tables": {name: np.array(table) for name, table in values["tables"].items()},
            "link": link,
            "reach": reach,
            "bounds": tuple(values["bounds"]),
        }
    )
