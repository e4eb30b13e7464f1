"""Do the tables that the browser repaints from tell what the engine cuts?"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pruneviz.plan import UNITS, Plan
from pruneviz.ui.board.scene import block_of, describe, picture, scene_id
from pruneviz.ui.session.levels import with_levels
from pruneviz.workbench import Workbench, units
from tests.cases import slow_but
from tests.conftest import NETWORKS
from tests.node import run_board_tests

KINDS = {
    "layer": Plan(),
    "wanda": Plan("wanda"),
    "global": Plan(scope="global"),
    "relative": Plan("taylor", scope="global", relative=True),
    "neuron": Plan("l2", "neuron"),
    "neuron global": Plan("activation", "neuron", "global"),
    "alike": Plan(scope="alike"),
    "neuron alike": Plan("l2", "neuron", "alike"),
    "block": Plan("magnitude", "block"),
    "block global": Plan("magnitude", "block", "global"),
    "2:4": Plan(granularity="2:4"),
    "3:8": Plan("wanda", granularity="3:8"),
}


def table(text: object) -> NDArray[np.float64]:
    """A table of the contract, as the browser reads it."""
    assert isinstance(text, str)
    return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(np.float64)


def asked(bench: Workbench, kind: str, level: float) -> Plan:
    """The plan of this kind that asks every layer it can for `level`."""
    return with_levels(bench, KINDS[kind], dict.fromkeys(bench.layer_of, level), {})


def layers_of(scene: dict[str, object]) -> list[dict[str, Any]]:
    layers = scene["layers"]
    assert isinstance(layers, list)
    return layers


def cut_items(bench: Workbench, plan: Plan) -> dict[str, int]:
    """Items cut by the engine: of a layer in a group the units of its group."""
    pruned = bench.prune(plan)
    if pruned.groups is not None:
        gone = {name: int((~kept).sum()) for name, kept in pruned.units.items()}
        return {name: gone.get(pruned.groups.lead(name), 0) for name in pruned.masks}
    return {name: int((~m).sum()) for name, m in pruned.masks.items()}


@pytest.fixture
def lenet5(benches: Callable[[str], Workbench]) -> Workbench:
    return benches("lenet5")


# -- tables ------------------------------------------------------------------------------------


@pytest.mark.parametrize("bench", slow_but(lambda name: "lenet" in name, NETWORKS), indirect=True)
@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_has_the_quantiles_and_a_histogram_of_all_items(
    bench: Workbench, kind: str
) -> None:
    plan = asked(bench, kind, 0.0)
    scene = describe(bench, plan)
    assert [layer["name"] for layer in layers_of(scene)] == list(bench.layer_of)
    for layer in layers_of(scene)[::4]:
        if layer["disabled"]:
            continue
        alone = replace(plan, sparsity={layer["name"]: 0.0}, scope="layer")
        ranking = bench.rankings(alone)[layer.get("group") or layer["name"]]
        scores = ranking.scores.flatten().sort().values.numpy()
        assert layer["items"] == len(scores)
        shown = picture(bench, plan, layer["name"])
        hist: Any = shown["hist"]
        assert sum(hist["counts"]) == len(scores)
        assert len(hist["counts"]) == 64
        assert hist["lo"] < hist["hi"]
        quantiles = table(shown["scores"])
        assert len(quantiles) == 257
        assert quantiles[0] == pytest.approx(scores[0], rel=1e-6)
        assert quantiles[-1] == pytest.approx(scores[-1], rel=1e-6)
        places = np.rint(np.arange(257) / 256 * (len(scores) - 1)).astype(int)
        assert quantiles == pytest.approx(scores[places], rel=1e-6)


@pytest.mark.parametrize("granularity", ["weight", "neuron", "2:4"])
def test_in_scope_layer_nothing_is_scored_before_it_is_looked_at(
    new_bench: Callable[[str], Workbench], granularity: str
) -> None:
    bench = new_bench("lenet300")
    scored = []
    rankings = bench.rankings
    bench.rankings = lambda plan: scored.append(tuple(plan.sparsity)) or rankings(plan)  # type: ignore[method-assign,func-returns-value]
    plan = asked(bench, "layer", 0.0)
    plan = replace(plan, granularity=granularity)
    describe(bench, plan)
    assert set(scored) <= {()}, "the dense plan ranks nothing"
    picture(bench, plan, "fc2")
    assert set(scored) - {()} == {("fc2",)}


def test_histogram_bins_hold_what_lies_in_them(lenet5: Workbench) -> None:
    hist: Any = picture(lenet5, asked(lenet5, "layer", 0.0), "fc1")["hist"]
    scores = lenet5.weight("fc1").abs().flatten().double().numpy()
    values = np.log10(scores) if hist["log"] else scores
    edges = np.linspace(hist["lo"], hist["hi"], 65)
    for i in (0, 20, 40):
        inside = (values >= edges[i]) & (values < edges[i + 1])
        assert hist["counts"][i] == pytest.approx(int(inside.sum()), abs=2)


def test_a_layer_of_equal_scores_still_has_a_histogram(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("lenet5")
    plan = with_levels(bench, Plan("apoz", "neuron"), dict.fromkeys(bench.layer_of, 0.0), {})
    for layer in layers_of(describe(bench, plan)):
        hist: Any = picture(bench, plan, layer["name"])["hist"]
        assert sum(hist["counts"]) == layer["items"]
        assert np.isfinite([hist["lo"], hist["hi"]]).all()


@pytest.mark.parametrize("kind", ["global", "neuron global", "alike"])
def test_the_scores_of_the_pools_rise(lenet5: Workbench, kind: str) -> None:
    pools: Any = describe(lenet5, asked(lenet5, kind, 0.0))["pools"]
    assert pools
    for pool in pools.values():
        assert len(table(pool["scores"])) == 257
        assert (np.diff(table(pool["scores"])) >= 0).all()


def test_a_locked_layer_is_out_of_the_pool(lenet5: Workbench) -> None:
    plan = with_levels(lenet5, KINDS["global"], dict.fromkeys(lenet5.layer_of, 0.0), {"fc1": ""})
    scene = describe(lenet5, plan)
    sizes = {layer["name"]: layer["items"] for layer in layers_of(scene)}
    pool: Any = scene["pools"]
    assert [one["total"] for one in pool.values()] == [sum(sizes.values()) - sizes["fc1"]]
    assert {layer["name"] for layer in layers_of(scene) if layer["reach"] is None} == {"fc1"}


# -- counts ------------------------------------------------------------------------------------


# Criteria that need no data: what is cut where is theirs, how many are cut is not.
COUNTED = {
    "weight": Plan(),
    "weight global": Plan(scope="global"),
    "relative": Plan(scope="global", relative=True),
    "neuron": Plan("l2", "neuron"),
    "neuron global": Plan("l2", "neuron", "global"),
    "head": Plan("l2", "head"),
    "head global": Plan("l2", "head", "global"),
    "alike": Plan(scope="alike"),
    "neuron alike": Plan("l2", "neuron", "alike"),
    "block": Plan("magnitude", "block"),
    "block global": Plan("magnitude", "block", "global"),
    "2:4": Plan(granularity="2:4"),
    "3:8": Plan(granularity="3:8"),
}

BULK: dict[str, tuple[float, ...]] = {"layer": (0.37, 0.5, 1.0), "global": (0.25, 0.373, 0.9, 1.0)}
BULK["alike"] = BULK["global"]


def moved(bench: Workbench, kind: str) -> Iterator[dict[str, object]]:
    """Moves of sliders with what the engine makes of the plan they lead to."""
    plan = COUNTED[kind]
    locked = {list(bench.layer_of)[1]: "by the test"}
    for locks in ({}, locked) if bench.name == "lenet5" else ({},):
        free = with_levels(bench, plan, dict.fromkeys(bench.layer_of, 0.0), locks)
        scene = describe(bench, free)
        able = [x["name"] for x in layers_of(scene) if not x["disabled"] and x["name"] not in locks]
        for level in BULK[plan.scope][:1] if locks or ":" in kind else BULK[plan.scope]:
            moves = [(able, level)]
            if plan.scope == "layer":
                moves += [([name], 0.715) for name in able[2:3]]
            levels = dict.fromkeys(bench.layer_of, level)
            if kind == "block":
                levels = lowest_blocks(bench, free, level)
            for names, share in moves[1:]:
                levels |= dict.fromkeys(units.groups_for(bench, plan).members(names[0]), share)
            wanted = with_levels(bench, free, levels, locks)
            cost = bench.counts(wanted)
            yield {
                "name": f"{bench.name}, {kind}, {moves} but {list(locks)}",
                "scene": scene,
                "locked": locks,
                "moves": [{"names": names, "share": share} for names, share in moves],
                "cut": cut_items(bench, wanted),
                "params": cost.params_kept,
                "macs": cost.macs_kept,
                "bytes": None if plan.granularity in UNITS else cost.bytes_sparse,
            }


def lowest_blocks(bench: Workbench, plan: Plan, share: float) -> dict[str, float]:
    """Layer -> 1 where its block is among the lowest that make up a share, as one ranking cuts."""
    blocks = len(units.groups_for(bench, plan).groups)
    many = math.floor(share * blocks + 0.5)
    pooled = replace(plan, scope="global", sparsity={})
    levels = dict.fromkeys(bench.layer_of, many / max(1, blocks))
    report = bench.masks(with_levels(bench, pooled, levels, {})).report
    return {row.layer: float(row.kept == 0) for row in report.itertuples()}


def test_the_board_counts_as_the_engine_does(
    benches: Callable[[str], Workbench], tmp_path: Path
) -> None:
    cases = [case for name in NETWORKS for kind in COUNTED for case in moved(benches(name), kind)]
    table = tmp_path / "cases.json"
    table.write_text(json.dumps(cases), "utf-8")
    run_board_tests("counts", CASES=str(table))


# -- what cannot be cut, names -----------------------------------------------------------------


def test_a_row_shorter_than_the_pattern_is_disabled_with_the_reason(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("resnet20")
    plan = with_levels(bench, Plan(granularity="8:16"), dict.fromkeys(bench.layer_of, 0.5), {})
    reasons = {layer["name"]: layer["disabled"] for layer in layers_of(describe(bench, plan))}
    first = next(iter(bench.layer_of))
    assert reasons.pop(first) == "8:16: a row has only 9 inputs"
    assert set(reasons.values()) == {None}
    assert plan.sparsity[first] == 0


def test_without_batch_norm_its_scale_cuts_nothing(lenet5: Workbench) -> None:
    reasons = lenet5.cannot(Plan("bn_scale", "neuron"))
    assert set(reasons) == set(lenet5.layer_of)
    assert all("no batch norm follows" in reason for reason in reasons.values())


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("conv1", ""),
        ("blocks.3.conv1", "blocks.3"),
        ("stages.1.blocks.2.conv1", "stages.1.blocks.2"),
        ("layers.4.attn.q", "layers.4"),
        ("features.0", ""),
        ("net.7.0", "net.7"),
        ("head.fc", ""),
        ("", ""),
    ],
)
def test_a_layer_belongs_to_the_block_of_its_last_number(name: str, block: str) -> None:
    assert block_of(name) == block


def test_the_name_of_a_scene_changes_with_all_that_it_shows(lenet5: Workbench) -> None:
    plans = [
        Plan(),
        Plan("l2", "neuron"),
        Plan("wanda"),
        Plan(granularity="2:4"),
        Plan(scope="global"),
        Plan(scope="global", relative=True),
        Plan("random"),
        Plan("random", seed=1),
    ]
    names = [scene_id(lenet5, plan, {}) for plan in plans]
    assert len(set(names)) == len(plans)
    assert scene_id(lenet5, Plan(sparsity={"conv1": 0.5}), {}) == names[0]
    assert scene_id(lenet5, Plan(), {"conv1": ""}) == names[0]
    assert scene_id(lenet5, Plan(scope="global"), {"conv1": ""}) != names[4]
