"""What must the browser know to repaint by itself while a thumb moves?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruneviz.network.groups import Groups
from pruneviz.network.layers import Layer
from pruneviz.plan import Plan, pattern
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.granularity import expand
from pruneviz.pruning.masks import Ranking, in_ranks, pools_of
from pruneviz.ui.board import pack
from pruneviz.ui.board.tables import histogram, in_order, quantiles, reach
from pruneviz.workbench import Workbench, units

ROWS, COLUMNS = 128, 160
HUGE = 2**22  # weights; to rank as many takes half a second
STAYS = 2**30  # the rank of what is not in the ranking
_MARKS: WeakKeyDictionary[Workbench, int] = WeakKeyDictionary()
_NUMBERS = count()


def scene_id(bench: Workbench, plan: Plan, locked: Mapping[str, str]) -> str:
    """The name of all that stays the same while one drags."""
    pool = "+".join(sorted(locked)) + pins_id(plan) if plan.scope != "layer" else ""
    kind = f"{plan.criterion}|{plan.granularity}|{plan.scope}|{plan.relative}|{plan.seed}"
    kind += f"|{plan.aggregate}" if units.by_unit(plan) else ""
    return f"{bench.name}|{bench.fingerprint}|{_mark(bench)}|{kind}|{pool}"


def picture_id(bench: Workbench, plan: Plan, focus: str, *, scored: bool) -> str:
    """The name of the picture of a layer within its scene."""
    members = units.groups_for(bench, plan).members(focus)
    pins = pins_id(plan, *members)
    return f"{focus}|{scored}|{bench.has_evidence('activity')}|{pins}"


def pins_id(plan: Plan, *layers: str) -> str:
    """A short name of what is pinned by hand, in some layers or in all; "" where nothing is."""
    pins = {n: plan.pinned[n] for n in sorted(plan.pinned) if not layers or n in layers}
    return hashlib.sha256(repr(pins).encode()).hexdigest()[:16] if pins else ""


def _mark(bench: Workbench) -> int:
    # The same weights may stand over other data, which another session has uploaded.
    return _MARKS.setdefault(bench, next(_NUMBERS))


def describe(bench: Workbench, plan: Plan) -> dict[str, object]:
    """What an item of each layer costs, and what a shared ranking takes from it.

    Only a pool is ranked: in scope "layer" no layer is scored before it is looked at.
    """
    reasons = bench.cannot(plan)
    pooled = plan.scope != "layer"
    members = [name for name in bench.layer_of if name in plan.sparsity and name not in reasons]
    ranked: dict[str, Ranking] = {}
    if pooled:
        ranked = dict(bench.rankings(replace(plan, sparsity=dict.fromkeys(members, 0.0))))
    cost, groups = bench.counts(Plan()), units.groups_for(bench, plan)
    pools = pools_of(ranked)
    totals = {name: sum(r.items for r in pool.values()) for name, pool in pools.items()}
    reaches = {name: pack(reach(one, totals[one.pool])) for name, one in ranked.items()}
    order = units.block_order(bench, plan, groups)
    layers = []
    for name, layer in bench.layer_of.items():
        entry = _entry(bench, plan, groups, layer)
        free = name in members
        layers.append(
            entry
            | units.block_facts(groups, name, order)
            | {
                "disabled": reasons.get(name),
                "reach": reaches.get(groups.lead(name)) if free else None,
                "pool": ranked[groups.lead(name)].pool if free and pooled else None,
            }
        )
    return {
        "model": bench.name,
        "criterion": plan.criterion,
        "criterion_label": CRITERIA[plan.criterion].label,
        "scope": plan.scope,
        "granularity": plan.granularity,
        "item": {"neuron": "unit", "head": "head", "block": "block"}.get(
            plan.granularity, "weight"
        ),
        "total_params": cost.params_kept,
        "total_macs": cost.macs_kept,
        "total_bytes": cost.bytes_shrunk,
        "dense": {"params": cost.params, "macs": cost.macs, "bytes": cost.bytes_dense},
        "pools": {
            name: {"total": totals[name], "scores": pack(quantiles(in_order(pool)))}
            for name, pool in pools.items()
        },
        "products": units.products(groups),
        "layers": layers,
    }


def is_scored(bench: Workbench, plan: Plan, locked: Mapping[str, str], focus: str) -> bool:
    """Whether the layer in focus is worth ranking: not one that is huge, locked and whole."""
    whole = focus in locked and not plan.sparsity.get(focus)
    return not (whole and bench.layer_of[focus].size > HUGE)


def picture(bench: Workbench, plan: Plan, focus: str, *, scored: bool = True) -> dict[str, object]:
    """The weights of one layer as a matrix [units, inputs], cut to a bound; if `scored` with
    their ranks, and the quantiles and the histogram of its scores.
    """
    layer, weight = bench.layer_of[focus], bench.weight(focus)
    inputs = layer.size // layer.units
    rows, columns = drawn_cells(layer)
    blank = np.zeros((len(rows), len(columns)))
    scores, ranks, sorted_scores = blank, blank.astype(np.int64) + STAYS, np.zeros(1)
    ascending, unit_rank = sorted_scores, None
    if scored and focus not in bench.cannot(plan):
        ranking = ranking_of(bench, plan, focus)
        sorted_scores = np.sort(ranking.scores.flatten().cpu().numpy())
        alone = plan.scope == "layer" and bool(ranking.cut or ranking.keep)
        ascending = in_order({focus: ranking}) if alone else sorted_scores
        ranking = by_row(bench, plan, layer, ranking)
        scores = _cells(expand(layer, ranking.scores), rows, columns)
        if focus in plan.sparsity or plan.scope == "layer":
            ranks = _cells(expand(layer, ranking.rank), rows, columns)
            unit_rank = ranks[:, 0] if units.by_unit(plan) else None
    activation = _activation(bench, focus, rows)
    return {
        "rows": len(rows),
        "cols": len(columns),
        "all_rows": layer.units,
        "all_cols": inputs,
        "note": note(layer.units, len(rows), inputs, len(columns)),
        "row_word": layer.unit_word,
        "col_word": "input" if layer.flat else "weight",
        "row_index": pack(rows),
        "col_index": pack(columns),
        "weight": pack(_cells(weight, rows, columns)),
        "score": pack(scores),
        "rank": pack(ranks),
        "scores": pack(quantiles(ascending)),
        "hist": histogram(sorted_scores) if scored else None,
        "limit_layer": limit_of(weight),
        "classes": list(bench.columns),
        "activation": None if activation is None else pack(activation),
        "activation_rows": None if activation is None else pack(rows),
        "unit_rank": None if unit_rank is None else pack(unit_rank),
        **_heads(bench, plan, layer, rows),
    }


def drawn_cells(layer: Layer) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which rows and columns of a layer's matrix a picture shows."""
    return _spread(layer.units, ROWS), _spread(layer.size // layer.units, COLUMNS)


def by_row(bench: Workbench, plan: Plan, layer: Layer, ranking: Ranking) -> Ranking:
    """A group's ranking as one of the layer's rows; a row that stays has no score."""
    groups = units.groups_for(bench, plan)
    if groups.of(layer.name) is None:
        return ranking
    unit = torch.from_numpy(units.unit_of_row(groups, layer))
    stays, unit = unit < 0, unit.clamp(min=0)
    rank, scores = ranking.rank.cpu()[unit], ranking.scores.cpu()[unit].double()
    told = replace(ranking, scores=scores.masked_fill(stays, torch.nan))
    return in_ranks(told, rank.masked_fill(stays, STAYS))


def _heads(
    bench: Workbench, plan: Plan, layer: Layer, rows: NDArray[np.int64]
) -> dict[str, object]:
    """Where a unit is more than one row: the unit of each drawn row, and each unit's first row."""
    groups = units.groups_for(bench, plan)
    group = groups.of(layer.name)
    if group is None or group.word != "head":
        return {"units": None, "firsts": None}
    unit = units.unit_of_row(groups, layer)
    firsts = [int(np.argmax(unit == number)) for number in range(group.units)]
    return {"units": pack(unit[rows]), "firsts": pack(np.array(firsts))}


def _activation(
    bench: Workbench, focus: str, rows: NDArray[np.int64]
) -> NDArray[np.float32] | None:
    """Mean activation [shown units, columns], once it has been gathered."""
    means = bench.evidence("activity")[focus].by_class if bench.has_evidence("activity") else None
    return None if means is None else means[torch.from_numpy(rows)].float().cpu().numpy()


def _cells(values: Tensor, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[Any]:
    # Picked before anything is converted: the tensor may be mapped from a file, and huge.
    cells = values.detach()[torch.from_numpy(rows)].flatten(1)[:, torch.from_numpy(columns)]
    return (cells.float() if cells.is_floating_point() else cells).cpu().numpy()


def limit_of(weight: Tensor) -> float:
    low, high = weight.detach().aminmax()
    return max(abs(float(low)), abs(float(high)))


def _entry(bench: Workbench, plan: Plan, groups: Groups, layer: Layer) -> dict[str, object]:
    shape = pattern(plan.granularity)
    inputs = layer.size // layer.units
    snap = None if shape is None else layer.units * (inputs // shape[1]) * (shape[1] - shape[0])
    entry: dict[str, object] = {
        "name": layer.name,
        "kind": layer.kind,
        "shape": "×".join(str(size) for size in layer.shape),
        "block": block_of(layer.name),
        "items": layer.size,
        "item_params": 1,
        "weights": layer.size,
        "weight_bytes": bench.weight(layer.name).element_size(),
        "macs": bench.macs[layer.name],
        "snap": snap,
    }
    return entry | (units.unit_facts(bench, groups, layer) if units.by_unit(plan) else {})


def block_of(name: str) -> str:
    """The block a layer folds into: its path up to and with the last number in it."""
    parts = name.split(".")
    numbers = [i for i, part in enumerate(parts[:-1]) if part.isdigit()]
    return ".".join(parts[: numbers[-1] + 1]) if numbers else ""


def ranking_of(bench: Workbench, plan: Plan, name: str) -> Ranking:
    lead = units.groups_for(bench, plan).lead(name)
    if plan.scope != "layer" and name in plan.sparsity:
        return bench.rankings(plan)[lead]
    return bench.rankings(replace(plan, scope="layer", sparsity={name: 0.0}))[lead]


def _spread(size: int, bound: int) -> NDArray[np.int64]:
    step = -(-size // bound)
    return np.arange(0, size, step, dtype=np.int64)


def note(rows: int, shown_rows: int, columns: int, shown_columns: int) -> str:
    """What a picture leaves out, or ""."""
    parts = []
    for size, shown, word in ((rows, shown_rows, "rows"), (columns, shown_columns, "columns")):
        if shown < size:
            parts.append(f"every {_ordinal(-(-size // shown))} of {size:,} {word}")
    return f"drawn: {' and '.join(parts)}" if parts else ""


def _ordinal(number: int) -> str:
    return {2: "2nd", 3: "3rd"}.get(number, f"{number}th")
