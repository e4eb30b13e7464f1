"""What must the browser know to repaint by itself while a thumb moves?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruneviz.graph import belongings, norm_scale
from pruneviz.plan import Plan, pattern
from pruneviz.pruning import prune
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
_HUGE = 2**22  # weights; to rank as many takes half a second
_MARKS: WeakKeyDictionary[Workbench, int] = WeakKeyDictionary()
_NUMBERS = count()


def scene_id(bench: Workbench, plan: Plan, locked: Mapping[str, str]) -> str:
    """The name of all that stays the same while one drags."""
    pool = "+".join(sorted(locked)) if plan.scope == "global" else ""
    kind = f"{plan.criterion}|{plan.granularity}|{plan.scope}|{plan.relative}|{plan.seed}"
    return f"{bench.name}|{bench.fingerprint}|{_mark(bench)}|{kind}|{pool}"


def _mark(bench: Workbench) -> int:
    # The same weights may stand over other data, which another session has uploaded.
    return _MARKS.setdefault(bench, next(_NUMBERS))


def cannot(bench: Workbench, plan: Plan) -> dict[str, str]:
    """Layer -> why nothing can be cut there under the plan's criterion and granularity."""
    criterion = CRITERIA[plan.criterion]
    reasons = {}
    for name, layer in bench.found.items():
        reason = prune.cannot(layer, criterion, plan.granularity)
        if reason is not None:
            reasons[name] = reason
        elif "scale" in criterion.needs and norm_scale(bench.graph, layer) is None:
            reasons[name] = f"{criterion.label}: no batch norm follows this layer"
    return reasons


def describe(bench: Workbench, plan: Plan) -> dict[str, object]:
    """What an item of each layer costs, and what a shared ranking takes from it.

    Only a pool is ranked: in scope "layer" no layer is scored before it is looked at.
    """
    reasons = cannot(bench, plan)
    pooled = plan.scope == "global"
    members = [name for name in bench.found if name in plan.sparsity and name not in reasons]
    ranked: dict[str, Ranking] = {}
    if pooled:
        ranked = dict(bench.rankings(replace(plan, sparsity=dict.fromkeys(members, 0.0))))
    total = sum(r.items for r in ranked.values())
    cost = bench.cost(Plan())
    layers = []
    for name, layer in bench.found.items():
        entry = _entry(bench, plan, layer, reasons.get(name))
        entry["reach"] = packed(_reach(ranked[name], total)) if name in ranked else None
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
        "pool_scores": packed(_quantiles(_in_order(ranked))) if ranked else None,
        "layers": layers,
    }


def is_scored(bench: Workbench, plan: Plan, locked: Mapping[str, str], focus: str) -> bool:
    """Whether the layer in focus is worth ranking: not one that is huge, locked and whole."""
    whole = focus in locked and not plan.sparsity.get(focus)
    return not (whole and bench.found[focus].size > _HUGE)


def picture(bench: Workbench, plan: Plan, focus: str, *, scored: bool = True) -> dict[str, object]:
    """The weights of one layer as a matrix [units, inputs], cut to a bound; if `scored` with
    their ranks, and the quantiles and the histogram of its scores.
    """
    layer, weight = bench.found[focus], bench.weight(focus)
    inputs = layer.size // layer.units
    rows, columns = _spread(layer.units, ROWS), _spread(inputs, COLUMNS)
    blank = np.zeros((len(rows), len(columns)))
    scores, ranks, sorted_scores = blank, blank.astype(np.int64) + 2**30, np.zeros(1)
    unit_rank = None
    if scored and focus not in cannot(bench, plan):
        ranking = _ranking(bench, plan, focus)
        scores = _cells(expand(layer, ranking.scores), rows, columns)
        sorted_scores = np.sort(ranking.scores.flatten().cpu().numpy())
        if focus in plan.sparsity or plan.scope == "layer":
            ranks = _cells(expand(layer, ranking.rank), rows, columns)
            unit_rank = ranks[:, 0] if plan.granularity == "neuron" else None
    activation = _activation(bench, focus, rows)
    return {
        "rows": len(rows),
        "cols": len(columns),
        "all_rows": layer.units,
        "all_cols": inputs,
        "note": _note(layer.units, len(rows), inputs, len(columns)),
        "row_word": layer.unit_word,
        "col_word": "input" if layer.kind == "linear" else "weight",
        "row_index": packed(rows),
        "col_index": packed(columns),
        "weight": packed(_cells(weight, rows, columns)),
        "score": packed(scores),
        "rank": packed(ranks),
        "scores": packed(_quantiles(sorted_scores)),
        "hist": _histogram(sorted_scores) if scored else None,
        "limit_layer": _limit(weight),
        "classes": list(bench.columns),
        "activation": None if activation is None else packed(activation),
        "activation_rows": None if activation is None else packed(rows),
        "unit_rank": None if unit_rank is None else packed(unit_rank),
    }


def _activation(
    bench: Workbench, focus: str, rows: NDArray[np.int64]
) -> NDArray[np.float32] | None:
    """Mean activation [shown units, columns], once it has been gathered."""
    known = bench.evidence("activity")[focus].by_class if bench.has_evidence("activity") else None
    return None if known is None else known[torch.from_numpy(rows)].float().cpu().numpy()


def _cells(values: Tensor, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[Any]:
    # Picked before anything is converted: the tensor may be mapped from a file, and huge.
    picked = values.detach()[torch.from_numpy(rows)].flatten(1)[:, torch.from_numpy(columns)]
    return (picked.float() if picked.is_floating_point() else picked).cpu().numpy()


def _limit(weight: Tensor) -> float:
    low, high = weight.detach().aminmax()
    return max(abs(float(low)), abs(float(high)))


def _entry(bench: Workbench, plan: Plan, layer: Layer, reason: str | None) -> dict[str, object]:
    neuron = plan.granularity == "neuron"
    owned = belongings(bench.graph, layer) if neuron else ()
    shape = pattern(plan.granularity)
    inputs = layer.size // layer.units
    snap = None if shape is None else layer.units * (inputs // shape[1]) * (shape[1] - shape[0])
    return {
        "name": layer.name,
        "kind": layer.kind,
        "shape": "×".join(str(size) for size in layer.shape),
        "block": block_of(layer.name),
        "items": layer.units if neuron else layer.size,
        "item_params": inputs + len(owned) if neuron else 1,
        "weights": layer.size,
        "macs": bench.macs[layer.name],
        "snap": snap,
        "disabled": reason,
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


def _in_order(ranked: Mapping[str, Ranking]) -> NDArray[np.float64]:
    """The scores of a pool, lowest first: its ranks say where each belongs."""
    ascending = np.empty(sum(r.items for r in ranked.values()))
    for ranking in ranked.values():
        ascending[ranking.rank.flatten().cpu().numpy()] = ranking.scores.flatten().cpu().numpy()
    return ascending


def _quantiles(ascending: NDArray[np.float64]) -> NDArray[np.float64]:
    places = np.rint(np.linspace(0, 1, STEPS + 1) * (len(ascending) - 1)).astype(int)
    return np.take(ascending, places)


def _reach(ranking: Ranking, total: int) -> NDArray[np.float64]:
    """How many items of the layer go when the pool cuts j/256 of its items."""
    cuts = np.rint(np.linspace(0, 1, STEPS + 1) * total)
    first = np.searchsorted(cuts, ranking.rank.flatten().cpu().numpy(), side="right")
    reach: NDArray[np.float64] = np.bincount(first, minlength=STEPS + 2)[: STEPS + 1].cumsum() * 1.0
    return reach


def _histogram(ascending: NDArray[np.float64]) -> dict[str, object]:
    # Counted by looking up the bins' edges: no second array of millions of scores.
    positive = ascending[np.searchsorted(ascending, 0, side="right") :]
    n = len(positive)
    middle = float(positive[(n - 1) // 2] + positive[n // 2]) / 2 if n else 0.0
    log = bool(n) and float(ascending[-1]) > _SKEWED * middle
    shown = positive if log else ascending
    low, high = (float(np.log10(x) if log else x) for x in (shown[0], shown[-1]))
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, BINS + 1)[1:-1]
    inner = np.searchsorted(shown, (10**edges if log else edges).astype(shown.dtype))
    counts = np.diff([0, *inner, len(shown)])
    counts[0] += len(ascending) - len(shown)  # zeros have no logarithm and stand leftmost
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
