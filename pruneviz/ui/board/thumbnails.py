"""What must the browser know to draw a whole layer, with its mask, on few pixels?"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pruneviz.network.layers import Layer
from pruneviz.plan import Plan
from pruneviz.pruning.granularity import expand
from pruneviz.pruning.masks import CUT, Ranking
from pruneviz.ui.board import pack
from pruneviz.ui.board.scene import HUGE, STAYS, by_row, limit_of, pins_id, ranking_of
from pruneviz.ui.board.tables import histogram, in_order, quantiles
from pruneviz.workbench import Workbench, units

ROWS, COLUMNS = 42, 96  # pixels: a bigger matrix is pooled
DEPTH = 3  # a pooled cell is as many pixels high and wide
CODES = 65533  # a rank is told as one of so many steps
CUT_CODE, STAYS_CODE = 0, 65535
_UNKNOWN = -32768  # a value that is no number

Line = NDArray[np.uint16]


@dataclass(frozen=True)
class CellShape:
    """How a matrix is laid on few pixels: members of a cell down and across, pixels of its side."""

    down: int
    across: int
    depth: int


def pooling_of(rows: int, columns: int) -> CellShape:
    """One cell for each entry where they fit, else blocks of a size."""
    if rows <= ROWS and columns <= COLUMNS:
        return CellShape(1, 1, 1)
    return CellShape(-(-rows // (ROWS // DEPTH)), -(-columns // (COLUMNS // DEPTH)), DEPTH)


def thumbnail_id(scene_id: str, name: str, activity: bool, pins: str) -> str:
    """The name of the thumbnail of a layer; the browser makes the same of the same parts."""
    return f"{scene_id}|{name}|{int(activity)}|{pins}"


def pin_marks(plan: Plan) -> dict[str, str]:
    """Layer -> a short name of what is pinned in it, where anything is; "" -> that of all.

    A unit that is pinned shows in every layer that it is an input of.
    """
    if not plan.pinned or units.by_unit(plan):
        return {"": pins_id(plan)}
    return {name: pins_id(plan, name) for name in plan.pinned}


def thumbnail(bench: Workbench, plan: Plan, name: str) -> dict[str, object]:
    """Weights, ranks, activations and the histogram of one layer, pooled to a bound.

    Each cell of a matrix has the value of its member that is largest by magnitude, and the codes
    of members that are evenly spread by rank, the first and the last to go among them. So the
    browser can draw each share of a cell that is cut as that share of its pixels: one where one
    member is cut, all where all are.
    """
    layer = bench.layer_of[name]
    if layer.size > HUGE:
        return {
            "why": f"{layer.size:,} weights are too many to be drawn in a row: put it into focus"
        }
    ranking = None if name in bench.cannot(plan) else ranking_of(bench, plan, name)
    total = _pool_size(bench, plan, name)
    by_unit = units.by_unit(plan)
    codes: Line | None = None
    if ranking is not None and (name in plan.sparsity or plan.scope == "layer"):
        rank = expand(layer, by_row(bench, plan, layer, ranking).rank).flatten(1)
        codes = codes_of((rank[:, 0] if by_unit else rank).cpu().numpy(), total or ranking.items)
    weight = bench.weight(name).detach().flatten(1).float().cpu().numpy()
    rows = codes if by_unit else None
    lines = [] if rows is None else [(name, False, rows)]
    lines += [(group, True, line) for group, line in _input_codes(bench, plan, layer)]
    activation = _activation(bench, name)
    own = [] if rows is None else [(name, True, rows)]
    return {
        "matrix": _image(weight, limit_of(bench.weight(name)), None if by_unit else codes, lines),
        "activation": None
        if activation is None
        else _image(activation, float(np.abs(activation).max(initial=0)), None, own),
        **_scores(plan, name, ranking),
    }


def codes_of(rank: NDArray[Any], total: int) -> Line:
    """Ranks of a pool of `total` items as 16 bits: 1 + rank, or in CODES steps where there are
    more items than that; what was cut by hand is 0, and what stays the highest.
    """
    steps = min(total, CODES)
    codes = 1 + rank.astype(np.int64) * steps // max(total, 1)
    return np.where(rank == CUT, CUT_CODE, np.where(rank >= STAYS, STAYS_CODE, codes)).astype("<u2")


def _image(
    values: NDArray[Any],
    limit: float,
    codes: Line | None,
    lines: list[tuple[str, bool, Line]],
) -> dict[str, object]:
    """A matrix on few pixels. lines: [group, across, the codes of columns (or of rows)]."""
    pooling = pooling_of(*values.shape)
    cells, shape = blocks(values, pooling)
    low, high = cells.min(1), cells.max(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = np.where(high >= -low, high, low) / (limit or 1.0)
    known = np.isfinite(scaled)
    small = np.where(known, np.rint(np.where(known, scaled, 0) * 32767), _UNKNOWN)
    return {
        "rows": shape[0],
        "cols": shape[1],
        "down": pooling.down,
        "across": pooling.across,
        "depth": pooling.depth,
        "limit": limit,
        "values": _pack_short(small.astype("<i2")),
        "codes": None
        if codes is None
        else _pack_short(_spread(blocks(codes, pooling)[0], pooling.depth**2)),
        "lines": [
            {"group": group, "across": across, "codes": _pack_short(_line(line, across, pooling))}
            for group, across, line in lines
        ],
    }


def blocks(matrix: NDArray[Any], pooling: CellShape) -> tuple[NDArray[Any], tuple[int, int]]:
    """The members of each cell, [cells, members], and how many cells are down and across.

    At the border a cell that is not full has its last members twice.
    """
    high, wide = matrix.shape
    rows, columns = -(-high // pooling.down), -(-wide // pooling.across)
    more = ((0, rows * pooling.down - high), (0, columns * pooling.across - wide))
    full = np.pad(matrix, more, mode="edge") if more != ((0, 0), (0, 0)) else matrix
    parts = full.reshape(rows, pooling.down, columns, pooling.across).transpose(0, 2, 1, 3)
    return parts.reshape(rows * columns, pooling.down * pooling.across), (rows, columns)


def _line(codes: Line, across: bool, pooling: CellShape) -> Line:
    step = pooling.across if across else pooling.down
    cells, _ = blocks(codes[None], CellShape(1, step, 1))
    return _spread(cells, pooling.depth)


def _spread(cells: NDArray[np.uint16], number: int) -> Line:
    """Of each cell so many codes, rising, evenly spread, the lowest and the highest among them."""
    members = cells.shape[1]
    places = np.rint(np.linspace(0, members - 1, number)).astype(int)
    return np.sort(cells, axis=1, kind="stable")[:, places]


def _input_codes(bench: Workbench, plan: Plan, layer: Layer) -> list[tuple[str, Line]]:
    """[group, codes of the layer's columns]: what goes because units before it are cut."""
    groups, found = units.groups_for(bench, plan), []
    reasons = bench.cannot(plan)
    for group, unit in units.input_units(groups, layer).items():
        in_pool = group in plan.sparsity or plan.scope == "layer"
        if group in reasons or not in_pool or len(unit) != layer.shape[1]:
            continue
        ranking = ranking_of(bench, plan, group)
        total = _pool_size(bench, plan, group) or ranking.items
        codes = codes_of(ranking.rank.flatten().cpu().numpy(), total)
        line = np.append(codes, np.uint16(STAYS_CODE))[unit]
        found.append((group, np.repeat(line, layer.size // layer.units // len(unit))))
    return found


def _pool_size(bench: Workbench, plan: Plan, name: str) -> int:
    """Items of the pool that a layer is in, 0 where it has a ranking of its own."""
    lead = units.groups_for(bench, plan).lead(name)
    rankings = {} if plan.scope == "layer" else bench.rankings(plan)
    mine = rankings.get(lead)
    if mine is None:
        return 0
    return sum(ranking.items for ranking in rankings.values() if ranking.pool == mine.pool)


def _activation(bench: Workbench, name: str) -> NDArray[np.float32] | None:
    """Mean activation [columns, units], once it has been gathered."""
    means = bench.evidence("activity")[name].by_class if bench.has_evidence("activity") else None
    return None if means is None else means.float().cpu().numpy().T


def _scores(plan: Plan, name: str, ranking: Ranking | None) -> Mapping[str, object]:
    if ranking is None:
        return {"scores": None, "hist": None}
    sorted_scores = np.sort(ranking.scores.flatten().cpu().numpy())
    alone = plan.scope == "layer" and bool(ranking.cut or ranking.keep)
    ascending = in_order({name: ranking}) if alone else sorted_scores
    return {"scores": pack(quantiles(ascending)), "hist": histogram(sorted_scores)}


def _pack_short(values: NDArray[Any]) -> str:
    """Base64 of numbers of 16 bits, with a zero more where their number is odd."""
    flat = values.ravel()
    return base64.b64encode(np.pad(flat, (0, len(flat) % 2)).tobytes()).decode("ascii")
