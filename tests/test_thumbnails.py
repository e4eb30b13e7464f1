"""Do the small pictures of layers show what the engine cuts, at any level, within a bound?"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import pruneviz as pv
from pruneviz.plan import Plan
from pruneviz.pruning.masks import CUT, KEPT
from pruneviz.ui.board import scene, thumbnails
from pruneviz.ui.board.scene import describe, scene_id
from pruneviz.ui.board.thumbnails import (
    CODES,
    COLUMNS,
    ROWS,
    CellShape,
    blocks,
    codes_of,
    pin_marks,
    pooling_of,
    thumbnail,
    thumbnail_id,
)
from pruneviz.ui.session.hand import by_hand
from pruneviz.ui.session.levels import with_levels
from pruneviz.workbench import Workbench, units
from tests.node import run_board_tests

KINDS = {
    "weight": Plan(),
    "weight global": Plan(scope="global"),
    "alike": Plan(scope="alike"),
    "neuron": Plan("l2", "neuron"),
    "neuron global": Plan("l2", "neuron", "global"),
    "head": Plan("l2", "head"),
    "2:4": Plan(granularity="2:4"),
}
BYTES = 24_000  # that one picture may take on its way


def whole(text: object, size: int, kind: str = "<u2") -> NDArray[Any]:
    """Numbers of 16 bits, as the browser reads them."""
    assert isinstance(text, str)
    return np.frombuffer(base64.b64decode(text), dtype=kind)[:size]


@pytest.fixture
def lenet5(benches: Callable[[str], Workbench]) -> Workbench:
    return benches("lenet5")


# -- what is cut -------------------------------------------------------------------------------


def pinned(bench: Workbench, plan: Plan) -> Plan:
    """Something of the second layer cut by hand and something kept."""
    places: dict[str, bool | None] = {"3": False, "5": True}
    if not units.by_unit(plan):
        places = {"2:4,10:20": False, "5:6,0:9": True}
    return by_hand(bench, plan, list(bench.layer_of)[1], places)


def seen(bench: Workbench, kind: str, level: float, hand: bool = False) -> dict[str, object]:
    """A scene, a move, the pictures, and the share of each of their cells that the engine cuts."""
    base = with_levels(bench, KINDS[kind], dict.fromkeys(bench.layer_of, 0.0), {})
    base = pinned(bench, base) if hand else base
    board = describe(bench, base)
    layers: Any = board["layers"]
    able = [x["name"] for x in layers if not x["disabled"]]
    plan = with_levels(bench, base, dict.fromkeys(bench.layer_of, level), {})
    pruned = bench.masks(plan)
    pictures, cut = {}, {}
    for name in bench.layer_of:
        pictures[name] = thumbnail(bench, base, name)
        gone = ~pruned.masks[name].flatten(1).numpy()
        cut[name] = blocks(gone, pooling_of(*gone.shape))[0].mean(1).tolist()
    return {
        "name": f"{bench.name}, {kind}, {level}{' and by hand' if hand else ''}",
        "scene": board,
        "names": able,
        "share": level,
        "pictures": pictures,
        "cut": cut,
        "byHand": {name: hand_counts(bench, plan, name) for name in able},
        "exact": scene_is_exact(board),
    }


def hand_counts(bench: Workbench, plan: Plan, name: str) -> list[int]:
    ranking = scene.ranking_of(bench, plan, name)
    return [ranking.cut, ranking.keep]


def scene_is_exact(board: dict[str, object]) -> bool:
    pools: Any = board["pools"]
    return all(pool["total"] <= CODES for pool in pools.values())


def cases(benches: Callable[[str], Workbench]) -> Iterator[dict[str, object]]:
    for kind in KINDS:
        if kind != "head":
            for level in (0.0, 0.03, 0.5, 0.97, 1.0):
                yield seen(benches("lenet5"), kind, level)
    for kind in ("weight", "weight global", "alike", "neuron", "neuron global"):
        yield seen(benches("lenet5"), kind, 0.4, hand=True)
        yield seen(benches("resnet20"), kind, 0.37)
    for kind in ("head", "neuron", "weight"):
        yield seen(benches("vit"), kind, 0.5)


@pytest.mark.slow
def test_a_cell_is_as_blank_as_the_engine_cuts_it(
    benches: Callable[[str], Workbench], tmp_path: Path
) -> None:
    table = tmp_path / "cases.json"
    table.write_text(json.dumps(list(cases(benches))), "utf-8")
    run_board_tests("thumbnails", CASES=str(table))


# -- what is sent ------------------------------------------------------------------------------


def test_a_cell_has_the_largest_of_its_values_with_its_sign(lenet5: Workbench) -> None:
    for name, cell in (("conv1", (1, 1)), ("fc1", (9, 13)), ("conv2", (2, 5))):
        image: Any = thumbnail(lenet5, Plan(), name)["matrix"]
        weight = lenet5.weight(name).flatten(1).numpy()
        assert (image["down"], image["across"]) == cell
        assert image["limit"] == pytest.approx(float(abs(weight).max()))
        size = image["rows"] * image["cols"]
        values = whole(image["values"], size, "<i2").reshape(image["rows"], image["cols"])
        for r, c in ((0, 0), (1, 3), (image["rows"] - 1, image["cols"] - 1)):
            members = weight[r * cell[0] :, c * cell[1] :][: cell[0], : cell[1]].ravel()
            largest = members[abs(members).argmax()]
            assert values[r, c] / 32767 * image["limit"] == pytest.approx(
                largest, abs=image["limit"] / 60_000
            )


def test_what_is_no_number_is_told_apart_from_zero() -> None:
    cells, shape = blocks(np.arange(6).reshape(2, 3), CellShape(2, 2, 3))
    assert (cells.tolist(), shape) == ([[0, 1, 3, 4], [2, 2, 5, 5]], (1, 2))
    image: Any = thumbnails._image(np.array([[0.0, np.nan, -1.0]]), 1.0, None, [])
    assert whole(image["values"], 3, "<i2").tolist() == [0, -32768, -32767]


def test_ranks_are_told_exactly_as_far_as_16_bits_reach() -> None:
    rank = np.array([CUT, 0, 1, CODES - 1, 2**30, KEPT])
    assert codes_of(rank, CODES).tolist() == [0, 1, 2, CODES, 65535, 65535]
    total = 1_000_003
    rank = np.arange(total)
    codes = codes_of(rank, total).astype(np.int64)
    assert (np.diff(codes) >= 0).all()
    assert (codes[0], codes[-1]) == (1, CODES)
    for limit in (0, 1, 77_777, total):
        gone = codes < 1 + limit * CODES / total
        assert gone[:limit].all(), "what is cut is never shown as kept"
        assert gone[limit:].sum() <= total / CODES + 1, "and next to nothing the other way round"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["lenet300", "lenet5", "resnet20", "vit"])
def test_a_picture_is_bounded(benches: Callable[[str], Workbench], name: str, kind: str) -> None:
    bench = benches(name)
    plan = with_levels(bench, KINDS[kind], dict.fromkeys(bench.layer_of, 0.0), {})
    for layer in list(bench.layer_of)[::3]:
        assert len(json.dumps(thumbnail(bench, plan, layer))) < BYTES


@pytest.mark.parametrize("shape", [(1, 1), (42, 96), (43, 1), (1, 97), (4096, 9), (300, 784)])
def test_any_matrix_is_laid_on_few_pixels(shape: tuple[int, int]) -> None:
    pooling = pooling_of(*shape)
    _, (rows, columns) = blocks(np.zeros(shape), pooling)
    assert rows * pooling.depth <= ROWS
    assert columns * pooling.depth <= COLUMNS
    assert (pooling.depth == 1) == (shape in [(1, 1), (42, 96)])


def test_a_layer_too_large_to_rank_in_passing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = pv.open(nn.Sequential(nn.Linear(8, 20), nn.ReLU(), nn.Linear(20, 3)), torch.rand(40, 8))
    monkeypatch.setattr(thumbnails, "HUGE", 100)
    plan = with_levels(bench, Plan(), dict.fromkeys(bench.layer_of, 0.0), {})
    assert thumbnail(bench, plan, "0") == {
        "why": "160 weights are too many to be drawn in a row: put it into focus"
    }
    assert "matrix" in thumbnail(bench, plan, "2")


def test_activations_come_with_the_evidence(new_bench: Callable[[str], Workbench]) -> None:
    bench = new_bench("lenet5")
    plan = with_levels(bench, Plan("l2", "neuron"), dict.fromkeys(bench.layer_of, 0.0), {})
    assert thumbnail(bench, plan, "fc1")["activation"] is None
    means = bench.evidence("activity")["fc1"].by_class
    assert means is not None
    image: Any = thumbnail(bench, plan, "fc1")["activation"]
    assert (image["rows"], image["cols"], image["across"]) == (10, 30, 4)
    values = whole(image["values"], 300, "<i2").reshape(10, 30) / 32767 * image["limit"]
    largest = means.T.reshape(10, 30, 4)
    assert values == pytest.approx(largest.amax(2).numpy(), abs=image["limit"] / 60_000)
    (line,) = image["lines"]
    assert (line["group"], line["across"]) == ("fc1", True)


def test_another_name_where_anything_in_the_picture_is_another(lenet5: Workbench) -> None:
    def names(plan: Plan, activity: bool = False) -> list[str]:
        marks, here = pin_marks(plan), scene_id(lenet5, plan, {})
        return [
            thumbnail_id(here, name, activity, marks.get(name, marks.get("", "")))
            for name in ("conv2", "fc1")
        ]

    plan = with_levels(lenet5, Plan(), dict.fromkeys(lenet5.layer_of, 0.0), {})
    moved = with_levels(lenet5, Plan(), dict.fromkeys(lenet5.layer_of, 0.7), {})
    assert names(plan) == names(moved), "no slider needs another picture"
    assert not set(names(plan)) & set(names(plan, activity=True))
    by_weight = names(pinned(lenet5, plan))
    assert (by_weight[0] == names(plan)[0], by_weight[1] == names(plan)[1]) == (False, True)
    plan = with_levels(lenet5, Plan("l2", "neuron"), dict.fromkeys(lenet5.layer_of, 0.0), {})
    assert not set(names(plan)) & set(names(pinned(lenet5, plan))), "its columns are fc1's inputs"
