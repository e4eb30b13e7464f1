"""What becomes of layers that are cut together, and of units cut or kept by hand?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pruneviz.plan import Plan
from pruneviz.ui.board import ALL, Pin
from pruneviz.ui.session import (
    Session,
    arrive,
    change,
    start,
)
from pruneviz.ui.session.hand import counts_by_hand
from pruneviz.workbench import Workbench
from tests.test_session import LAYERS, ask, dense_session, settle
from tests.test_session_choices import cut_items


@pytest.fixture
def session(benches: Callable[[str], Workbench]) -> Session:
    return dense_session(benches)


# -- layers that are cut together --------------------------------------------------------------


TOGETHER = ("layer2.0.conv2", "layer2.0.downsample.0", "layer2.1.conv2", "layer2.2.conv2")


@pytest.fixture
def resnet(benches: Callable[[str], Workbench]) -> Session:
    """A session at resnet20 that cuts filters."""
    session = start(benches("resnet20"))
    change(session, replace(session.live, granularity="neuron"))
    return session


@pytest.mark.parametrize("scope", ["layer", "global"])
def test_a_member_that_moves_takes_the_others_along(resnet: Session, scope: str) -> None:
    change(resnet, replace(resnet.live, scope=scope))
    settle(resnet, **dict.fromkeys(resnet.live.sparsity, 0.25))
    settle(resnet, **{TOGETHER[2]: 0.5})
    assert {resnet.settled.sparsity[name] for name in TOGETHER} == {0.5}
    assert resnet.settled.sparsity["layer2.1.conv1"] == 0.25
    got = resnet.bench.prune(resnet.settled).sparsity
    assert len({got[name] for name in TOGETHER}) == 1
    if scope == "layer":
        settle(resnet, **{TOGETHER[0]: 0.0})
        assert {resnet.settled.sparsity[name] for name in TOGETHER} == {0.0}


def test_levels_of_single_weights_meet_in_their_mean(benches: Callable[[str], Workbench]) -> None:
    session = start(benches("resnet20"))
    levels = dict(zip(TOGETHER, (0.2, 0.8, 0.4, 0.0), strict=True))
    settle(session, **levels)
    change(session, replace(session.live, granularity="neuron"))
    sizes = {name: session.bench.layer_of[name].size for name in TOGETHER}
    mean = sum(levels[n] * sizes[n] for n in TOGETHER) / sum(sizes.values())
    assert {session.settled.sparsity[n] for n in TOGETHER} == {round(mean, 4)}
    ask(session, "undo")
    assert {n: session.settled.sparsity[n] for n in TOGETHER} == levels


def test_a_lock_holds_all_members_and_opens_them_together(resnet: Session) -> None:
    first = set(resnet.bench.groups.members("conv1"))
    assert len(first) == 4
    assert set(resnet.locked) == {"fc"}, "a first layer is no reason to lock a whole stage"
    ask(resnet, "lock", locked=("fc", "conv1"))
    assert set(resnet.locked) == {*first, "fc"}
    assert resnet.locked["layer1.0.conv2"] == "moves together with conv1"
    settle(resnet, **dict.fromkeys(resnet.live.sparsity, 0.25))
    ask(resnet, "lock", locked=(*resnet.locked, TOGETHER[1]))
    assert set(TOGETHER) < set(resnet.locked)
    settle(resnet, **dict.fromkeys(resnet.live.sparsity, 0.75))
    assert {resnet.settled.sparsity[name] for name in TOGETHER} == {0.25}
    assert {resnet.settled.sparsity[name] for name in first} == {0.0}
    ask(resnet, "lock", locked=tuple(n for n in resnet.locked if n != TOGETHER[2]))
    assert not set(TOGETHER) & set(resnet.locked)
    change(resnet, replace(resnet.live, granularity="weight"))
    assert set(resnet.locked) == {"conv1", "fc"}, "single weights need no other layer"


def test_a_plan_that_names_one_member_moves_all(resnet: Session) -> None:
    arrive(resnet, Plan("l2", "neuron", sparsity={TOGETHER[3]: 0.5}))
    assert {resnet.settled.sparsity[name] for name in TOGETHER} == {0.5}
    assert set(resnet.locked) == {"fc"}
    before = resnet.settled
    two = {TOGETHER[0]: 0.5, TOGETHER[1]: 0.25}
    with pytest.raises(ValueError, match="cut together"):
        arrive(resnet, Plan("l2", "neuron", sparsity=two))
    assert resnet.settled == before


def test_another_scope_counts_a_group_once(resnet: Session) -> None:
    settle(resnet, **dict.fromkeys(resnet.live.sparsity, 0.5))
    before = cut_items(resnet)
    change(resnet, replace(resnet.live, scope="global"))
    assert cut_items(resnet) == pytest.approx(before, abs=2)


# -- by hand -----------------------------------------------------------------------------------


def pin(session: Session, layer: str, places: dict[str, bool | None]) -> bool:
    return ask(session, "pin", pin=Pin(layer, places))


@pytest.fixture
def neurons(session: Session) -> Session:
    """A session at lenet5 that cuts neurons, with nothing locked."""
    change(session, replace(session.live, granularity="neuron"))
    return session


def kept_units(session: Session, name: str) -> list[bool]:
    return [bool(x) for x in session.bench.prune(session.settled).units[name]]


def test_a_filter_cut_by_hand_stays_cut_and_is_one_step(neurons: Session) -> None:
    steps = len(neurons.steps)
    assert pin(neurons, "conv2", {"3": False})
    assert len(neurons.steps) == steps + 1
    assert kept_units(neurons, "conv2") == [i != 3 for i in range(16)]
    assert pin(neurons, "conv2", {"7": True, "8": True})
    assert counts_by_hand(neurons.bench, neurons.settled) == {"conv2": (1, 2)}
    for level in (0.5, 1.0, 0.0):
        settle(neurons, conv2=level)
        kept = kept_units(neurons, "conv2")
        assert not kept[3]
        assert kept[7]
        assert kept[8]
        assert kept.count(False) == min(max(round(level * 16), 1), 14)
    change(neurons, replace(neurons.live, criterion="l2"))
    assert counts_by_hand(neurons.bench, neurons.settled) == {"conv2": (1, 2)}
    for _ in range(6):
        ask(neurons, "undo")
    assert not neurons.settled.pinned


def test_a_pin_is_turned_given_back_and_given_back_whole(neurons: Session) -> None:
    pin(neurons, "conv2", {"3": False, "4": False, "5": True})
    pin(neurons, "conv2", {"3": True, "4": None})
    assert dict(neurons.settled.pinned["conv2"]) == {"3": True, "5": True}
    pin(neurons, "conv2", {ALL: None})
    assert not neurons.settled.pinned


@pytest.mark.parametrize(
    ("layer", "places", "named"),
    [
        ("nosuch", {"3": False}, "'nosuch'"),
        ("conv2", {"16": False}, "'16'"),
        ("conv2", {"0:1,0:1": False}, "'0:1,0:1'"),
    ],
)
def test_a_pin_beside_the_layer_is_refused(
    neurons: Session, layer: str, places: dict[str, bool | None], named: str
) -> None:
    before = neurons.settled
    assert not pin(neurons, layer, places)
    assert named in (neurons.message or "")
    assert neurons.settled == neurons.live == before


def test_a_locked_layer_is_not_cut_by_hand(neurons: Session) -> None:
    ask(neurons, "lock", locked=("conv2",))
    assert not pin(neurons, "conv2", {"3": False})
    assert "'conv2' is locked" in (neurons.message or "")
    assert not neurons.settled.pinned


def test_a_pin_of_a_member_is_one_of_the_whole_group(resnet: Session) -> None:
    pin(resnet, TOGETHER[2], {"5": False})
    counts = counts_by_hand(resnet.bench, resnet.settled)
    assert counts == dict.fromkeys(TOGETHER, (1, 0))
    masks = resnet.bench.prune(resnet.settled).masks
    assert all(not masks[name][5].any() for name in TOGETHER)
    pin(resnet, TOGETHER[0], {"5": True})
    assert counts_by_hand(resnet.bench, resnet.settled) == dict.fromkeys(TOGETHER, (0, 1))
    pin(resnet, TOGETHER[3], {ALL: None})
    assert not resnet.settled.pinned


def test_a_head_is_cut_by_any_of_its_rows(benches: Callable[[str], Workbench]) -> None:
    session = start(benches("vit"))
    change(session, replace(session.live, granularity="head"))
    name = "blocks.1.attn.qkv"
    pin(session, name, {"17": False, "20": False})
    assert kept_units(session, name) == [True, False, True, True]
    assert counts_by_hand(session.bench, session.settled) == {name: (1, 0)}
    pin(session, name, {"30": None})
    assert not session.settled.pinned
    assert not pin(session, "blocks.1.mlp.fc1", {"0": False})
    assert "nothing of 'blocks.1.mlp.fc1' can be cut by hand" in (session.message or "")


def test_blocks_of_weights_are_cut_kept_and_given_back(session: Session) -> None:
    pin(session, "fc1", {"10:20,0:30": False})
    assert counts_by_hand(session.bench, session.settled) == {"fc1": (300, 0)}
    pin(session, "fc1", {"12:14,0:400": True})
    assert counts_by_hand(session.bench, session.settled) == {"fc1": (240, 800)}
    settle(session, fc1=1.0)
    mask = session.bench.prune(session.settled).masks["fc1"]
    assert int(mask.sum()) == 800
    pin(session, "fc1", {"12:13,5:6": None})
    assert not session.settled.pinned, "both blocks touch it"
    pin(session, "fc1", {"3": False, "4:5,1:2": False})
    pin(session, "fc1", {"0:9,0:400": True})
    assert dict(session.settled.pinned["fc1"]) == {"0:9,0:400": True}, "what is covered is gone"
    assert not pin(session, "fc1", {"0:9,0:401": True})
    assert "'0:9,0:401'" in (session.message or "")


def test_pins_that_cannot_hold_are_given_back_and_it_is_said(session: Session) -> None:
    pin(session, "fc1", {"3": False, "4:5,1:2": False})
    change(session, replace(session.live, granularity="neuron", pinned={}))
    words = "1 place cut or kept by hand had to be given back: neuron cannot hold it."
    assert (session.message or "").endswith(words)
    assert dict(session.settled.pinned["fc1"]) == {"3": False}
    change(session, replace(session.live, granularity="2:4", pinned={}))
    assert not session.settled.pinned
    assert "2:4 cannot hold it" in (session.message or "")
    assert not pin(session, "fc1", {"3": False})
    assert "2:4 says how many weights stay" in (session.message or "")


def test_pins_hold_in_the_global_scope(neurons: Session) -> None:
    pin(neurons, "conv2", {"3": False, "7": True})
    change(neurons, replace(neurons.live, scope="global"))
    for level in (0.0, 0.5, 1.0):
        settle(neurons, **dict.fromkeys(LAYERS, level))
        kept = kept_units(neurons, "conv2")
        assert not kept[3]
        assert kept[7]
