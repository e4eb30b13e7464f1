"""What does the picture of a layer show, with hands, groups and blanks?"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pruneviz.plan import Plan
from pruneviz.pruning.masks import count
from pruneviz.ui.board.scene import describe, drawn_cells, picture, picture_id, scene_id
from pruneviz.ui.session.hand import by_hand
from pruneviz.ui.session.levels import with_levels
from pruneviz.workbench import Workbench
from pruneviz.workbench.units import inputs_cut
from tests.test_scene import KINDS, asked, cut_items, layers_of, table

LEVELS = (0.0, 0.1, 0.37, 0.5, 0.9, 1.0)


def whole(text: object) -> NDArray[np.int64]:
    assert isinstance(text, str)
    return np.frombuffer(base64.b64decode(text), dtype="<i4").astype(np.int64)


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


# -- pictures ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", LEVELS)
def test_cells_of_low_rank_are_exactly_those_the_engine_cuts(
    lenet5: Workbench, kind: str, level: float
) -> None:
    plan = asked(lenet5, kind, level)
    scene = {layer["name"]: layer for layer in layers_of(describe(lenet5, plan))}
    cut = cut_items(lenet5, plan)
    pools: Any = describe(lenet5, plan)["pools"]
    totals = {name: pools[x["pool"]]["total"] for name, x in scene.items() if x["pool"]}
    for name, mask in lenet5.prune(plan).masks.items():
        shown = picture(lenet5, plan, name)
        rows, columns = whole(shown["row_index"]), whole(shown["col_index"])
        kept = mask.flatten(1).numpy()[np.ix_(rows, columns)]
        k = count(level, totals[name]) if name in totals else cut[name]
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
    pools: Any = describe(lenet5, plan)["pools"]
    (total,) = [pool["total"] for pool in pools.values()]
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
    pools: Any = scene["pools"]
    total = next((pool["total"] for pool in pools.values()), None)
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
        assert all((np.diff(table(pool["scores"])) >= 0).all() for pool in pools.values())


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
