"""Does what is cut or kept by hand stay so, whatever the criterion says?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

import pruneviz as pv
from pruneviz.network.layers import Layer
from pruneviz.plan import Plan
from pruneviz.pruning.masks import CUT, KEPT
from pruneviz.pruning.pins import check_pins, hands
from pruneviz.workbench import Workbench

DATA = torch.linspace(-1, 1, 160).reshape(40, 4), torch.arange(40) % 2
LAYERS = {
    "fc": Layer("fc", "linear", (3, 4), False),
    "conv": Layer("conv", "conv2d", (2, 2, 1, 2), False),
}


@pytest.fixture
def bench() -> Workbench:
    """Six units; unit i of the first layer has weights i + 1."""
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    with torch.no_grad():
        model[0].weight.copy_(torch.arange(1.0, 7).unsqueeze(1).expand(6, 4))
    return pv.open(model.eval(), DATA)


def units(level: float, pins: dict[str, bool], scope: str = "layer") -> Plan:
    return Plan("l2", "neuron", scope, {"0": level}, pinned={"0": pins})


# -- places --------------------------------------------------------------------------------


def test_places_of_single_weights_by_hand() -> None:
    plan = Plan(pinned={"fc": {"1": False, "0:2,1:3": True}, "conv": {"1:2,2:4": False}})
    found = hands(plan, LAYERS)
    assert found["fc"].tolist() == [[0, 1, 1, 0], [-1, 1, 1, -1], [0, 0, 0, 0]]
    assert found["conv"].reshape(2, 4).tolist() == [[0, 0, 0, 0], [0, 0, -1, -1]]


@pytest.mark.parametrize(
    ("layer", "place"),
    [
        *(("fc", p) for p in ("3", "0:4,0:1", "0:1,0:5", "1:1,0:2", "2:1,0:2", "0:1,3:3")),
        *(("conv", p) for p in ("2", "0:1,0:5")),
    ],
)
def test_places_outside_are_refused_by_layer_and_place(layer: str, place: str) -> None:
    shape = "3 units of 4 weights" if layer == "fc" else "2 units of 4 weights"
    words = f"pinned place '{place}' is not in layer '{layer}', which has {shape}"
    with pytest.raises(ValueError, match=words):
        check_pins(Plan(pinned={layer: {place: True}}), LAYERS)


def test_pins_of_an_unknown_layer_are_refused_with_those_there_are(bench: Workbench) -> None:
    with pytest.raises(ValueError, match="no layer 'nope' to pin; there are 0, 2"):
        bench.prune(Plan(sparsity={"0": 0.5}, pinned={"nope": {"0": True}}))
    with pytest.raises(ValueError, match="pinned place '6' is not in layer '0'"):
        bench.prune(units(0.5, {"6": False}))


# -- whole units ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "pins", "kept"),
    [
        (0.0, {"4": False}, [1, 1, 1, 1, 0, 1]),
        (1 / 3, {}, [0, 0, 1, 1, 1, 1]),
        (1 / 3, {"4": False}, [0, 1, 1, 1, 0, 1]),  # what is cut by hand counts
        (1 / 3, {"4": False, "5": False, "3": False}, [1, 1, 1, 0, 0, 0]),
        (1 / 3, {"0": True}, [1, 0, 0, 1, 1, 1]),
        (1 / 3, {"0": True, "5": False}, [1, 0, 1, 1, 1, 0]),
        (1.0, {"0": True, "3": True}, [1, 0, 0, 1, 0, 0]),
        (5 / 6, {"0": True, "3": True}, [1, 0, 0, 1, 0, 0]),
    ],
)
def test_units_by_hand(
    bench: Workbench, level: float, pins: dict[str, bool], kept: list[int]
) -> None:
    pruned = bench.prune(units(level, pins))
    assert pruned.units["0"].int().tolist() == kept
    assert pruned.masks["0"].any(1).int().tolist() == kept
    assert pruned.report.set_index("layer").loc["0", "got"] == pytest.approx(1 - sum(kept) / 6)


def test_what_is_cut_by_hand_stays_cut_while_the_level_moves(bench: Workbench) -> None:
    for twelfth in range(13):
        kept = bench.prune(units(twelfth / 12, {"4": False, "1": True})).units["0"]
        assert not kept[4]
        assert kept[1]
        assert int((~kept).sum()) == min(max(round(twelfth / 2), 1), 5)


def test_a_layer_that_is_only_pinned_loses_what_was_cut_by_hand(bench: Workbench) -> None:
    for scope in ("layer", "global"):
        plan = Plan("l2", "neuron", scope, pinned={"0": {"3": False, "2": True}})
        pruned = bench.prune(plan)
        assert pruned.units["0"].int().tolist() == [1, 1, 1, 0, 1, 1]
        assert not pruned.parameter_masks["2.weight"][:, 3].any()


def test_the_rankings_say_what_is_pinned(bench: Workbench) -> None:
    ranking = bench.rankings(units(0.5, {"0": True, "4": False}))["0"]
    assert ranking.rank.tolist() == [KEPT, 1, 2, 3, CUT, 4]
    assert (ranking.cut, ranking.keep) == (1, 1)


def test_pins_and_counts_in_a_pool() -> None:
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2))
    with torch.no_grad():
        model[0].weight.copy_(torch.arange(1.0, 7).unsqueeze(1).expand(6, 4))
        model[2].weight.copy_(torch.arange(11.0, 15).unsqueeze(1).expand(4, 6))
    bench = pv.open(model.eval(), DATA)
    pins = {"0": {"0": True}, "2": {"3": False}}
    plan = Plan("l2", "neuron", "global", {"0": 0.4, "2": 0.4}, pinned=pins)
    found = bench.prune(plan).units
    assert found["0"].int().tolist() == [1, 0, 0, 0, 1, 1]
    assert found["2"].int().tolist() == [1, 1, 1, 0]


@pytest.mark.slow
def test_a_pin_in_any_member_is_a_pin_of_the_group(benches: Callable[[str], Workbench]) -> None:
    bench = benches("resnet20")
    pins = {"layer2.2.conv2": {"7": False}, "layer2.0.downsample.0": {"8": True}}
    plan = Plan("l2", "neuron", sparsity={"layer2.0.conv2": 0.25}, pinned=pins)
    pruned = bench.prune(plan)
    kept = pruned.units["layer2.0.conv2"]
    assert (bool(kept[7]), bool(kept[8]), int((~kept).sum())) == (False, True, 8)
    for name in bench.groups.members("layer2.0.conv2"):
        assert not pruned.masks[name][7].any()
        assert pruned.masks[name][8].any()


@pytest.mark.slow
def test_a_row_of_a_head_is_the_whole_head(benches: Callable[[str], Workbench]) -> None:
    bench, name = benches("vit"), "blocks.2.attn.qkv"
    row = int((bench.groups.groups[name].rows[name] == 2).nonzero()[-1])
    pruned = bench.prune(Plan("l2", "head", pinned={name: {str(row): False}}))
    assert pruned.units[name].tolist() == [True, True, False, True]


def test_of_two_members_that_pin_the_same_unit_the_later_wins(
    benches: Callable[[str], Workbench],
) -> None:
    pins = {"layer1.0.conv2": {"7": False}, "conv1": {"7": True}}
    plan = Plan("l2", "neuron", sparsity={"conv1": 0.25}, pinned=pins)
    assert benches("resnet20").prune(plan).units["conv1"][7]


# -- single weights ------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["layer", "global"])
def test_blocks_of_single_weights_stay_cut_and_kept(bench: Workbench, scope: str) -> None:
    pins = {"0": {"0": True, "4:6,1:3": False}}
    for level in (0.0, 0.25, 0.5, 1.0):
        pruned = bench.prune(Plan("magnitude", "weight", scope, {"0": level}, pinned=pins))
        mask = pruned.masks["0"]
        assert mask[0].all()
        assert not mask[4:6, 1:3].any()
        assert int((~mask).sum()) == min(max(round(level * 24), 4), 20)
        assert pruned.report.set_index("layer").loc["0", "got"] == pytest.approx(
            float((~mask).double().mean())
        )


def test_blocks_run_through_the_flattened_inputs_of_a_filter(
    benches: Callable[[str], Workbench],
) -> None:
    plan = Plan(pinned={"conv2": {"3:4,25:50": False}})
    mask = benches("lenet5").prune(plan).masks["conv2"]
    assert not mask[3, 1].any()
    assert int((~mask).sum()) == 25


def test_pins_without_a_workbench() -> None:
    model = nn.Linear(4, 2, bias=False)
    pruned = pv.prune(model, Plan(sparsity={"": 0.5}, pinned={"": {"0": True}}))
    assert pruned.masks[""].int().tolist() == [[1] * 4, [0] * 4]
