"""Do the tables that the browser repaints from tell what the engine cuts?"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pruneviz.plan import Plan
from pruneviz.pruning.masks import count
from pruneviz.ui.board.scene import block_of, describe, drawn_cells, picture, picture_id, scene_id
from pruneviz.ui.session.hand import by_hand
from pruneviz.ui.session.levels import with_levels
from pruneviz.workbench import Workbench, units
from pruneviz.workbench.units import inputs_cut
from tests.cases import slow_but
from tests.conftest import NETWORKS
from tests.node import run_board_tests

LEVELS = (0.0, 0.1, 0.37, 0.5, 0.9, 1.0)
KINDS = {
    "layer": Plan(),
    "wanda": Plan("wanda"),
    "global": Plan(scope="global"),
    "relative": Plan("taylor", scope="global", relative=True),
    "neuron": Plan("l2", "neuron"),
    "neuron global": Plan("activation", "neuron", "global"),
    "2:4": Plan(granularity="2:4"),
    "3:8": Plan("wanda", granularity="3:8"),
}


def table(text: object) -> NDArray[np.float64]:
    """A table of the contract, as the browser reads it."""
    assert isinstance(text, str)
    return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(np.float64)


def whole(text: object) -> NDArray[np.int64]:
    assert isinstance(text, str)
    return np.frombuffer(base64.b64decode(text), dtype="<i4").astype(np.int64)


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


def inputs_gone(
    bench: Workbench, plan: Plan, name: str, shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """The drawn cells that go because of units before the layer, as the browser reads them."""
    table = inputs_cut(bench, plan, name, *drawn_cells(bench.layer_of[name]))
    if table is None:
        return np.zeros(shape, dtype=bool)
    places = np.arange(np.prod(shape))
    bits = (table[places >> 5].astype(np.int64) >> (places & 31)) & 1
    return bits.astype(bool).reshape(shape)


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


@pytest.mark.parametrize("kind", ["global", "neuron global"])
def test_the_scores_of_the_pool_rise(lenet5: Workbench, kind: str) -> None:
    scores = table(describe(lenet5, asked(lenet5, kind, 0.0))["pool_scores"])
    assert len(scores) == 257
    assert (np.diff(scores) >= 0).all()


def test_a_locked_layer_is_out_of_the_pool(lenet5: Workbench) -> None:
    plan = with_levels(lenet5, KINDS["global"], dict.fromkeys(lenet5.layer_of, 0.0), {"fc1": ""})
    scene = describe(lenet5, plan)
    sizes = {layer["name"]: layer["items"] for layer in layers_of(scene)}
    assert scene["pool_total"] == sum(sizes.values()) - sizes["fc1"]
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
    "2:4": Plan(granularity="2:4"),
    "3:8": Plan(granularity="3:8"),
}
BULK: dict[str, tuple[float, ...]] = {"layer": (0.37, 0.5, 1.0), "global": (0.25, 0.373, 0.9, 1.0)}


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
                "bytes": None if "neuron" in kind or "head" in kind else cost.bytes_sparse,
            }


def test_the_board_counts_as_the_engine_does(
    benches: Callable[[str], Workbench], tmp_path: Path
) -> None:
    cases = [case for name in NETWORKS for kind in COUNTED for case in moved(benches(name), kind)]
    table = tmp_path / "cases.json"
    table.write_text(json.dumps(cases), "utf-8")
    run_board_tests("counts", CASES=str(table))


# -- pictures ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", LEVELS)
def test_cells_of_low_rank_are_exactly_those_the_engine_cuts(
    lenet5: Workbench, kind: str, level: float
) -> None:
    plan = asked(lenet5, kind, level)
    scene = {layer["name"]: layer for layer in layers_of(describe(lenet5, plan))}
    cut = cut_items(lenet5, plan)
    total = describe(lenet5, plan)["pool_total"]
    for name, mask in lenet5.prune(plan).masks.items():
        shown = picture(lenet5, plan, name)
        rows, columns = whole(shown["row_index"]), whole(shown["col_index"])
        kept = mask.flatten(1).numpy()[np.ix_(rows, columns)]
        k = count(level, total) if isinstance(total, int) else cut[name]
        if scene[name]["disabled"]:
            k = 0
        ranks = whole(shown["rank"]).reshape(kept.shape)
        gone = (ranks < k) | inputs_gone(lenet5, plan, name, kept.shape)
        assert (gone == ~kept).all(), name


@pytest.mark.parametrize("name", ["conv1", "conv2", "fc1"])
def test_a_picture_shows_the_dense_weights_and_their_scores(lenet5: Workbench, name: str) -> None:
    shown = picture(lenet5, asked(lenet5, "layer", 0.5), name)
    rows, columns = whole(shown["row_index"]), whole(shown["col_index"])
    weight = lenet5.weight(name).flatten(1).numpy()
    assert table(shown["weight"]) == pytest.approx(weight[np.ix_(rows, columns)].ravel())
    assert table(shown["score"]) == pytest.approx(abs(weight[np.ix_(rows, columns)]).ravel())
    assert shown["limit_layer"] == pytest.approx(float(abs(weight).max()))
    assert (shown["rows"], shown["cols"]) == (len(rows), len(columns))
    assert (shown["all_rows"], shown["all_cols"]) == weight.shape


def test_a_big_picture_is_bounded_and_says_so(benches: Callable[[str], Workbench]) -> None:
    bench = benches("lenet300")
    plan = asked(bench, "layer", 0.5)
    shown = picture(bench, plan, "fc1")
    assert (shown["all_rows"], shown["all_cols"]) == (300, 784)
    assert (shown["rows"], shown["cols"]) == (100, 157)
    assert whole(shown["row_index"]).tolist() == list(range(0, 300, 3))
    assert whole(shown["col_index"]).tolist() == list(range(0, 784, 5))
    assert shown["note"] == "drawn: every 3rd of 300 rows and every 5th of 784 columns"
    assert picture(bench, plan, "fc3")["note"] == ""


def test_neurons_have_one_rank_for_a_row(lenet5: Workbench) -> None:
    shown = picture(lenet5, asked(lenet5, "neuron", 0.5), "conv2")
    ranks = whole(shown["rank"]).reshape(16, 150)
    assert (ranks == ranks[:, :1]).all()
    assert sorted(ranks[:, 0]) == list(range(16))
    assert whole(shown["unit_rank"]).tolist() == ranks[:, 0].tolist()
    assert shown["row_word"] == "filter"


def test_activations_come_with_the_evidence(new_bench: Callable[[str], Workbench]) -> None:
    bench = new_bench("lenet5")
    plan = asked(bench, "layer", 0.0)
    assert picture(bench, plan, "conv1")["activation"] is None
    by_class = bench.evidence("activity")["conv1"].by_class
    assert by_class is not None
    shown = picture(bench, plan, "conv1")
    assert table(shown["activation"]) == pytest.approx(by_class.flatten().numpy(), rel=1e-6)
    assert whole(shown["activation_rows"]).tolist() == list(range(6))
    assert shown["classes"] == list("0123456789")


def test_a_picture_of_a_layer_out_of_the_pool_cuts_nothing(lenet5: Workbench) -> None:
    plan = with_levels(lenet5, KINDS["global"], dict.fromkeys(lenet5.layer_of, 0.9), {"fc2": ""})
    total = describe(lenet5, plan)["pool_total"]
    assert isinstance(total, int)
    assert (whole(picture(lenet5, plan, "fc2")["rank"]) >= total).all()


# -- by hand -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["layer", "global", "neuron", "neuron global"])
@pytest.mark.parametrize("level", [0.0, 0.4, 1.0])
def test_what_is_pinned_is_cut_or_kept_at_any_level(
    lenet5: Workbench, kind: str, level: float
) -> None:
    places = {"3": False, "5": True, "7": True} if "neuron" in kind else {"2:4,10:20": False}
    plan = by_hand(lenet5, asked(lenet5, kind, level), "conv2", places)
    scene, cut = describe(lenet5, plan), cut_items(lenet5, plan)
    shown = picture(lenet5, plan, "conv2")
    ranks = whole(shown["rank"]).reshape(16, 150)
    kept = lenet5.prune(plan).masks["conv2"].flatten(1).numpy()
    total = scene["pool_total"]
    k = count(level, total) if isinstance(total, int) else cut["conv2"]
    gone = (ranks < k) | inputs_gone(lenet5, plan, "conv2", kept.shape)
    assert (gone == ~kept).all()
    if "neuron" in kind:
        assert (ranks[3] == -1).all()
        assert (ranks[[5, 7]] == 2**31 - 1).all()
        assert table(shown["scores"]).shape == (257,)
        assert 1 <= cut["conv2"] <= 14
    else:
        assert (ranks[2:4, 10:20] == -1).all()
        assert not kept[2:4, 10:20].any()
    if isinstance(total, int):
        reaches = {x["name"]: whole(x["reach"]) for x in layers_of(scene)}
        assert sum(r[0] for r in reaches.values()) == (1 if "neuron" in kind else 20)
        assert (np.diff(table(scene["pool_scores"])) >= 0).all()


def test_a_picture_is_another_when_something_in_it_is_pinned(lenet5: Workbench) -> None:
    plan = asked(lenet5, "neuron", 0.0)
    pinned = by_hand(lenet5, plan, "conv2", {"3": False})
    names = [picture_id(lenet5, p, "conv2", scored=True) for p in (plan, pinned)]
    assert names[0] != names[1]
    others = [picture_id(lenet5, p, "fc1", scored=True) for p in (plan, pinned)]
    assert others[0] == others[1]
    assert scene_id(lenet5, plan, {}) == scene_id(lenet5, pinned, {})
    pools = [asked(lenet5, "neuron global", 0.0)]
    pools.append(by_hand(lenet5, pools[0], "conv2", {"3": False}))
    assert len({scene_id(lenet5, p, {}) for p in pools}) == 2


# -- groups ------------------------------------------------------------------------------------


def test_members_of_a_group_are_told_as_one(benches: Callable[[str], Workbench]) -> None:
    bench = benches("resnet20")
    scene = describe(bench, asked(bench, "neuron", 0.0))
    entries = {x["name"]: x for x in layers_of(scene)}
    group = bench.groups.groups["layer2.0.conv2"]
    assert len(group.layers) == 4
    for name in group.layers:
        assert entries[name]["group"] == "layer2.0.conv2"
        assert entries[name]["members"] == list(group.layers)
        assert (entries[name]["items"], entries[name]["removable"]) == (32, True)
    inside = entries["layer2.0.conv1"]
    assert (inside["group"], inside["members"]) == (None, ["layer2.0.conv1"])
    assert inside["inputs"] == [["conv1", 1.0]]
    # 16 inputs of 3x3, scale and shift; and a column of the convolution behind it.
    assert inside["item_params"] == 16 * 9 + 2 + 32 * 9
    assert not entries["fc"]["removable"]
    assert entries["fc"]["why"] == bench.groups.fixed["fc"]


def test_rows_of_one_group_have_the_ranks_of_its_units(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("resnet20")
    plan = asked(bench, "neuron", 0.3)
    ranks = []
    for name in bench.groups.members("layer2.0.conv2"):
        shown = picture(bench, plan, name)
        ranks.append(whole(shown["unit_rank"]).tolist())
        assert shown["units"] is None
    assert sorted(ranks[0]) == list(range(32))
    assert all(one == ranks[0] for one in ranks)


def test_heads_are_many_rows_and_other_layers_have_none(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("vit")
    plan = with_levels(bench, Plan("l2", "head"), dict.fromkeys(bench.layer_of, 0.5), {})
    reasons = bench.cannot(plan)
    assert set(bench.layer_of) - set(reasons) == {f"blocks.{i}.attn.qkv" for i in range(4)}
    entry = {x["name"]: x for x in layers_of(describe(bench, plan))}["blocks.0.attn.qkv"]
    assert (entry["items"], entry["word"]) == (4, "head")
    shown = picture(bench, plan, "blocks.0.attn.qkv")
    units, ranks = whole(shown["units"]), whole(shown["unit_rank"])
    assert whole(shown["firsts"]).tolist() == [0, 16, 32, 48]
    assert set(units.tolist()) == {0, 1, 2, 3}
    for unit in range(4):
        assert len(set(ranks[units == unit].tolist())) == 1


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
