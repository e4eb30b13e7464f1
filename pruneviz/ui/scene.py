"""What must the browser know to repaint by itself while a thumb moves?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pruneviz.graph import belongings, norm_scale
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.granularity import expand
from pruneviz.pruning.layers import Layer
from pruneviz.pruning.masks import Ranking
from pruneviz.ui.board import packed
from pruneviz.workbench import Workbench

STEPS = 256
BINS = 64
ROWS, COLUMNS = 128, 160
_SKEWED = 20.0


def scene_id(bench: Workbench, plan: Plan, locked: Mapping[str, str]) -> str:
    """The name of all that stays the same while one drags."""
    pool = "+".join(sorted(locked)) if plan.scope == "global" else ""
    kind = f"{plan.criterion}|{plan.granularity}|{plan.scope}|{plan.relative}|{plan.seed}"
    return f"{bench.name}|{bench.fingerprint}|{kind}|{pool}"


def cannot(bench: Workbench, plan: Plan) -> dict[str, str]:
    """Layer -> why nothing can be cut there under the plan's criterion and granularity."""
    criterion = CRITERIA[plan.criterion]
    reasons = {}
    for name, layer in bench.found.items():
        if "scale" in criterion.needs and norm_scale(bench.graph, layer) is None:
            reasons[name] = f"{criterion.label}: no batch norm follows this layer"
        elif ":" in plan.granularity and _ranking(bench, plan, name).only == 0:
            reasons[name] = f"{plan.granularity}: a row has only {layer.size // layer.units} inputs"
    return reasons


def describe(bench: Workbench, plan: Plan) -> dict[str, object]:
    """Tables for every layer: quantiles and histogram of its scores, what an item costs."""
    reasons = cannot(bench, plan)
    pooled = plan.scope == "global"
    members = [name for name in bench.found if name in plan.sparsity and name not in reasons]
    ranked = bench.rankings(replace(plan, sparsity=dict.fromkeys(members, 0.0)))
    total = sum(r.items for r in ranked.values())
    every = (
        np.sort(np.concatenate([_flat(r) for r in ranked.values()])) if pooled and ranked else None
    )
    cost = bench.cost(Plan())
    layers = []
    for name, layer in bench.found.items():
        ranking = ranked.get(name)
        if ranking is None and name not in reasons:
            ranking = _ranking(bench, plan, name)
        entry = _entry(bench, plan, layer, ranking, reasons.get(name))
        entry["reach"] = packed(_reach(ranking, total)) if pooled and name in ranked else None
        layers.append(entry)
    return {
        "model": bench.name,
        "criterion": plan.criterion,
        "criterion_label": CRITERIA[plan.criterion].label,
        "scope": plan.scope,
        "granularity": plan.granularity,
        "item": "unit" if plan.granularity == "neuron" else "weight",
        "total_params": cost.params,
        "total_macs": cost.macs,
        "pool_total": total if pooled else None,
        "pool_scores": packed(_quantiles(every)) if every is not None else None,
        "layers": layers,
    }


def picture(bench: Workbench, plan: Plan, focus: str) -> dict[str, object]:
    """The weights of one layer as a matrix [units, inputs], cut to a bound, with their ranks."""
    layer = bench.found[focus]
    weight = bench.weight(focus).reshape(layer.units, -1)
    in_pool = focus in plan.sparsity or plan.scope == "layer"
    rows, columns = _spread(layer.units, ROWS), _spread(weight.shape[1], COLUMNS)
    cells = np.ix_(rows, columns)
    scores, ranks, unit_rank = None, None, None
    if in_pool and focus not in cannot(bench, plan):
        ranking = _ranking(bench, plan, focus)
        shape = weight.shape
        scores = expand(layer, ranking.scores).reshape(shape).cpu().numpy()[cells]
        ranks = expand(layer, ranking.rank).reshape(shape).cpu().numpy()[cells]
        unit_rank = ranks[:, 0] if plan.granularity == "neuron" else None
    blank = np.zeros((len(rows), len(columns)))
    activation = bench.evidence()[focus].by_class if bench.evidence_ready else None
    shown = weight.cpu().numpy()[cells]
    return {
        "rows": len(rows),
        "cols": len(columns),
        "all_rows": layer.units,
        "all_cols": weight.shape[1],
        "note": _note(layer.units, len(rows), weight.shape[1], len(columns)),
        "row_word": layer.unit_word,
        "col_word": "input" if layer.kind == "linear" else "weight",
        "row_index": packed(rows),
        "col_index": packed(columns),
        "weight": packed(shown.astype(np.float64)),
        "score": packed(blank if scores is None else scores),
        "rank": packed(blank.astype(np.int64) + 2**30 if ranks is None else ranks),
        "limit_layer": float(weight.abs().max()),
        "limit_model": max(float(bench.weight(name).abs().max()) for name in bench.found),
        "classes": list(bench.source.classes),
        "activation": None if activation is None else packed(activation.cpu().numpy()[rows]),
        "activation_rows": None if activation is None else packed(rows),
        "unit_rank": None if unit_rank is None else packed(unit_rank),
    }


def _entry(
    bench: Workbench, plan: Plan, layer: Layer, ranking: Ranking | None, reason: str | None
) -> dict[str, object]:
    neuron = plan.granularity == "neuron"
    scores = np.zeros(1) if ranking is None else np.sort(_flat(ranking))
    owned = belongings(bench.graph, layer) if neuron else ()
    return {
        "name": layer.name,
        "kind": layer.kind,
        "shape": "×".join(str(size) for size in layer.shape),
        "block": block_of(layer.name),
        "items": layer.units if neuron else layer.size,
        "item_params": layer.size // layer.units + len(owned) if neuron else 1,
        "weights": layer.size,
        "macs": bench.macs[layer.name],
        "snap": None if ranking is None else ranking.only,
        "disabled": reason,
        "scores": packed(_quantiles(scores)),
        "hist": _histogram(scores),
    }


def block_of(name: str) -> str:
    """The block a layer folds into: its path up to and with the last number in it."""
    parts = name.split(".")
    numbers = [i for i, part in enumerate(parts[:-1]) if part.isdigit()]
    return ".".join(parts[: numbers[-1] + 1]) if numbers else ""


def _ranking(bench: Workbench, plan: Plan, name: str) -> Ranking:
    if plan.scope == "global" and name in plan.sparsity:
        return bench.rankings(plan)[name]
    return bench.rankings(replace(plan, scope="layer", sparsity={name: 0.0}))[name]


def _flat(ranking: Ranking) -> NDArray[np.float64]:
    return ranking.scores.flatten().cpu().numpy()


def _quantiles(ascending: NDArray[np.float64]) -> NDArray[np.float64]:
    places = np.rint(np.linspace(0, 1, STEPS + 1) * (len(ascending) - 1)).astype(int)
    return np.take(ascending, places)


def _reach(ranking: Ranking | None, total: int) -> NDArray[np.float64]:
    assert ranking is not None
    ranks = np.sort(ranking.rank.flatten().cpu().numpy())
    cuts = np.rint(np.linspace(0, 1, STEPS + 1) * total)
    reach: NDArray[np.float64] = np.searchsorted(ranks, cuts, side="left").astype(np.float64)
    return reach


def _histogram(scores: NDArray[np.float64]) -> dict[str, object]:
    positive = scores[scores > 0]
    middle = float(np.median(positive)) if len(positive) else 0.0
    log = bool(len(positive)) and float(scores.max()) > _SKEWED * middle
    values = np.log10(positive) if log else scores
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, _ = np.histogram(values, bins=BINS, range=(low, high))
    counts[0] += len(scores) - len(values)  # zeros have no logarithm and stand leftmost
    return {"lo": low, "hi": high, "log": log, "counts": counts.tolist()}


def _spread(size: int, bound: int) -> NDArray[np.int64]:
    step = -(-size // bound)
    return np.arange(0, size, step, dtype=np.int64)


def _note(rows: int, shown_rows: int, columns: int, shown_columns: int) -> str:
    parts = []
    for size, shown, word in ((rows, shown_rows, "rows"), (columns, shown_columns, "columns")):
        if shown < size:
            parts.append(f"every {_ordinal(-(-size // shown))} of {size:,} {word}")
    return f"drawn: {' and '.join(parts)}" if parts else ""


def _ordinal(number: int) -> str:
    return {2: "2nd", 3: "3rd"}.get(number, f"{number}th")
