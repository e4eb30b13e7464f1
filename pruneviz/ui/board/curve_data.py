"""What must the board know of curves, estimates and allocations?"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from pruneviz.allocation.methods import ALLOCATIONS
from pruneviz.allocation.request import SearchRequest
from pruneviz.plan import Plan, pattern, settings_of
from pruneviz.sensitivity.curves import LOSE, Curve, Curves
from pruneviz.sensitivity.prediction import Predictor
from pruneviz.storage.faults import public
from pruneviz.ui.board import pack, scene
from pruneviz.workbench import Workbench

TARGETS = tuple(k / 100 for k in range(101))
_SHORT = {name: name.upper() for name in ("erk", "lamp", "owl")}


def evidence_key(bench: Workbench, plan: Plan) -> str:
    """The name of all that `sensitivity_evidence` tells; another one once more was measured."""
    network = scene.scene_id(bench, settings_of(plan), {})
    return f"{network}|{plan.repair}|{plan.scope}|{bench.studies.memory.version}"


def sensitivity_evidence(bench: Workbench, plan: Plan, lose: float = LOSE) -> dict[str, object]:
    """The curves by slider, what they predict, and by what a target can be shared out.

    lose: the loss whose certainty is marked in the tracks. Nothing is measured.
    """
    curves = bench.studies.known_curves(plan)
    content: dict[str, object] = {
        "lose": lose,
        "complete": curves.complete,
        "words": curves.words,
        "layers": _layers(curves, lose),
        "estimate": _estimate(bench.studies.known_predictor(plan)),
        "methods": _methods(plan, curves),
    }
    return content | {"id": _id(content)}


def allocation_key(bench: Workbench, plan: Plan, method: str, locked: Collection[str]) -> str:
    """The name of all that `allocation` tells."""
    network = scene.scene_id(bench, settings_of(plan), {})
    measured = bench.studies.memory.version if ALLOCATIONS[method].measured else ""
    return f"{network}|{plan.repair}|{plan.scope}|{method}|{'+'.join(sorted(locked))}|{measured}"


def allocation(
    bench: Workbench, plan: Plan, method: str, locked: Collection[str]
) -> dict[str, object]:
    """The level of every layer that may move, at each of TARGETS of the bulk slider.

    Where they cannot be told `words` says why, and there are none.
    """
    layers: Mapping[str, Any] = {}
    words = "" if method == "uniform" else why_not(plan, None)
    if not words and method != "uniform":
        try:
            request = SearchRequest(settings_of(plan), locked=tuple(sorted(locked)))
            layers = bench.studies.levels(method, TARGETS, request)
        except ValueError as error:
            words = public(error)
    tables = {name: pack(np.asarray(levels, float)) for name, levels in layers.items()}
    content: dict[str, object] = {"method": method, "words": words, "layers": tables}
    return content | {"id": _id(content)}


def why_not(plan: Plan, curves: Curves | None) -> str:
    """Why a target cannot be shared out otherwise than evenly, or ""; with curves: by them."""
    if plan.scope == "global":
        return "in the global scope one threshold decides how much each layer loses"
    if plan.scope == "alike":
        return "in the scope alike a threshold decides what each of the layers alike loses"
    if pattern(plan.granularity) is not None:
        return f"{plan.granularity} knows one sparsity only"
    if plan.granularity == "block":
        return "blocks go whole, the lowest scores first"
    if curves is not None and not any(curve.points for curve in curves.curves):
        return "nothing was scanned yet with this criterion and granularity"
    return ""


def _methods(plan: Plan, curves: Curves) -> list[dict[str, str]]:
    return [
        {
            "name": method.name,
            "label": _SHORT.get(method.name, method.name),
            "says": " ".join(method.meaning.split()),
            "why_not": ""
            if method.name == "uniform"
            else why_not(plan, curves if method.measured else None),
        }
        for method in ALLOCATIONS.values()
    ]


def _layers(curves: Curves, lose: float) -> dict[str, dict[str, object]]:
    """Slider -> its curve, once anything was scanned; a no-op has words and no curve."""
    if not any(curve.points for curve in curves.curves):
        return {}
    words = {c.slider.name: curves.words_of(c.slider.name, lose) for c in curves.curves}
    return {
        curve.slider.name: {"words": words[curve.slider.name], **_curve(curve, lose)}
        for curve in curves.curves
    }


def _curve(curve: Curve, lose: float) -> dict[str, object]:
    points = curve.points
    if not points:
        return {"no_op": curve.no_op}
    return {
        "x": pack(np.array([point.sparsity for point in points])),
        "delta": pack(np.array([point.delta for point in points])),
        "low": pack(np.array([point.delta_low for point in points])),
        "high": pack(np.array([point.delta_high for point in points])),
        "knee": curve.knee,
        "certain": curve.certain(lose),
        "robust": curve.robust(lose),
        "no_op": "",
    }


def _estimate(predictor: Predictor | None) -> dict[str, object] | None:
    if predictor is None:
        return None
    (damage, accuracy), (missed_at, error) = predictor.link, predictor.reach
    return {
        "tables": {name: pack(np.asarray(t, float)) for name, t in predictor.tables.items()},
        "damage": pack(np.asarray(damage, float)),
        "accuracy": pack(np.asarray(accuracy, float)),
        "missed_at": pack(np.asarray(missed_at, float)),
        "missed": pack(np.asarray(error, float)),
        "bounds": [bound if math.isfinite(bound) else None for bound in predictor.bounds],
        "words": predictor.words,
    }


def _id(content: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
