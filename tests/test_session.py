"""Do steps, locks and choices of one person hold together?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pruneviz.plan import Plan
from pruneviz.ui.board import ALL, Pin, Request
from pruneviz.ui.session import (
    Session,
    UndoStep,
    arrive,
    change,
    obey,
    start,
)
from pruneviz.ui.session.hand import counts_by_hand
from pruneviz.ui.session.levels import locks_for, with_levels
from pruneviz.workbench import Workbench

LAYERS = ("conv1", "conv2", "fc1", "fc2", "fc3")
DENSE = dict.fromkeys(LAYERS, 0.0)


@pytest.fixture
def session(benches: Callable[[str], Workbench]) -> Session:
    """A session at the dense lenet5, with nothing locked."""
    session = start(benches("lenet5"))
    session.settle(session.live, {})
    del session.steps[0]
    session.at = 0
    return session


def ask(
    session: Session, kind: str, levels: dict[str, float] | None = None, **other: object
) -> bool:
    """The next request of the browser is obeyed."""
    request = Request(
        seq=session.seq + 1,
        kind=kind,
        sparsity=dict(session.live.sparsity) if levels is None else levels,
        locked=tuple(session.locked),
        focus=session.focus,
        scene="",
        picture="",
    )
    return obey(session, replace(request, **other))


def settle(session: Session, **levels: float) -> None:
    assert ask(session, "settle", dict(session.live.sparsity) | levels)


def got(session: Session) -> dict[str, float]:
    return session.bench.prune(session.settled).sparsity


# -- steps -------------------------------------------------------------------------------------


def test_a_session_starts_dense(session: Session) -> None:
    assert session.settled == session.live == Plan(sparsity=DENSE)
    assert session.visited == [session.settled]


def test_a_session_starts_with_the_usual_locks_and_a_layer_that_can_be_moved(
    benches: Callable[[str], Workbench],
) -> None:
    session = start(benches("lenet5"))
    assert session.locked == session.bench.locks
    assert set(session.locked) == {"conv1", "fc3"}
    assert all(session.locked.values()), "each with its reason"
    assert session.focus == "conv2"
    settle(session, **dict.fromkeys(LAYERS, 0.5))
    assert {name for name, level in session.settled.sparsity.items() if not level} == {
        "conv1",
        "fc3",
    }
    ask(session, "lock", locked=())
    ask(session, "lock", locked=("conv1", "fc1"))
    assert session.locked == {"conv1": session.bench.locks["conv1"], "fc1": ""}


def test_a_drag_moves_what_is_live_and_a_release_settles(session: Session) -> None:
    assert not ask(session, "drag", DENSE | {"conv1": 0.3})
    assert session.live.sparsity["conv1"] == 0.3
    assert session.settled.is_dense
    assert len(session.steps) == 1
    settle(session, conv1=0.4)
    assert session.settled == session.live
    assert session.settled.sparsity == DENSE | {"conv1": 0.4}
    assert len(session.steps) == 2


def test_settling_on_the_same_plan_is_no_step(session: Session) -> None:
    settle(session, conv1=0.4)
    settle(session, conv1=0.4)
    assert len(session.steps) == 2


def test_undo_restores_plan_and_locks(session: Session) -> None:
    settle(session, conv2=0.4)
    ask(session, "lock", locked=("conv2",))
    settle(session, fc1=0.7)
    after = session.settled, dict(session.locked)
    ask(session, "undo")
    assert (session.settled.sparsity, session.locked) == (DENSE | {"conv2": 0.4}, {"conv2": ""})
    ask(session, "undo")
    assert (session.settled.sparsity, session.locked) == (DENSE | {"conv2": 0.4}, {})
    ask(session, "undo")
    assert session.settled.is_dense
    for _ in range(3):
        ask(session, "redo")
    assert (session.settled, session.locked) == after


def test_undo_and_redo_stop_at_the_ends(session: Session) -> None:
    settle(session, conv1=0.4)
    for kind, place in (("redo", 1), ("undo", 0), ("undo", 0), ("redo", 1), ("redo", 1)):
        assert ask(session, kind)
        assert session.at == place
        assert session.live == session.settled


def test_a_new_step_forgets_what_was_undone(session: Session) -> None:
    settle(session, conv1=0.4)
    ask(session, "undo")
    settle(session, fc1=0.5)
    ask(session, "redo")
    assert session.settled.sparsity == DENSE | {"fc1": 0.5}
    assert len(session.steps) == 2


def test_the_history_is_bounded_and_keeps_the_dense_point(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pruneviz.ui.session._HISTORY", 50)
    for i in range(1, 62):
        settle(session, fc1=i / 1000)
    assert len(session.steps) == 50
    assert len(session.visited) <= 52
    assert session.visited[0].is_dense, "all others are compared with it"
    assert session.visited[-1] == session.settled
    for _ in range(60):
        session.travel(-1)
    assert session.at == 0
    assert session.settled.sparsity["fc1"] == pytest.approx(0.012)


def test_every_step_tells_the_browser_that_it_moved(session: Session) -> None:
    moves = [session.moves]
    settle(session, conv1=0.4)
    moves.append(session.moves)
    for kind in ("undo", "redo"):
        ask(session, kind)
        moves.append(session.moves)
    assert moves == sorted(set(moves))


def test_an_old_request_does_nothing(session: Session) -> None:
    settle(session, conv1=0.4)
    assert not ask(session, "settle", DENSE | {"conv1": 0.9}, seq=session.seq)
    assert session.settled.sparsity["conv1"] == 0.4


@pytest.mark.parametrize("kind", ["focus", "need"])
def test_looking_changes_no_plan(session: Session, kind: str) -> None:
    assert not ask(session, kind, DENSE | {"conv1": 0.9}, focus="fc2", scene="a", picture="b")
    assert session.settled.is_dense
    assert session.live.is_dense
    assert session.focus == "fc2"
    assert session.have == ("a", "b")


# -- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "named"),
    [
        (Plan(sparsity={"nosuch": 0.5}), "'nosuch'"),
        (Plan("nosuch", sparsity={"fc1": 0.5}), "'nosuch'"),
        (Plan("lamp", "neuron", sparsity={"fc1": 0.5}), "'lamp'"),
        (Plan("bn_scale", "neuron", sparsity={"fc1": 0.5}), "batch norm"),
    ],
)
def test_a_refused_plan_leaves_everything_as_it_is(
    session: Session, plan: Plan, named: str
) -> None:
    settle(session, conv1=0.4)
    before = (list(session.steps), session.at, session.live, list(session.visited), session.moves)
    for attempt in (session.settle, session.drag, lambda plan: arrive(session, plan)):
        with pytest.raises(ValueError, match=named):
            attempt(plan)
        now = (list(session.steps), session.at, session.live, list(session.visited), session.moves)
        assert now == before


def test_a_refused_request_is_said_and_the_board_goes_back(session: Session) -> None:
    settle(session, conv1=0.4)
    moves = session.moves
    ask(session, "drag", DENSE | {"conv1": 0.45})
    assert not ask(session, "settle", DENSE | {"conv1": 1.5})
    assert "sparsity of 'conv1' must be in [0, 1], got 1.5" in (session.message or "")
    assert session.live == session.settled
    assert session.settled.sparsity["conv1"] == 0.4
    assert session.moves > moves
    settle(session, conv1=0.5)
    assert session.message is None


# -- locks -------------------------------------------------------------------------------------


def test_levels_pass_by_locked_and_unknown_layers(session: Session) -> None:
    plan = Plan(sparsity=DENSE | {"fc1": 0.2})
    levels = dict.fromkeys((*LAYERS, "nosuch"), 0.9)
    found = with_levels(session.bench, plan, levels, {"fc1": "", "fc2": ""})
    assert found.sparsity == dict.fromkeys(LAYERS, 0.9) | {"fc1": 0.2, "fc2": 0.0}


def test_a_layer_that_cannot_be_cut_stays_whole(benches: Callable[[str], Workbench]) -> None:
    bench = benches("resnet20")
    plan = Plan("bn_scale", "neuron", sparsity=dict.fromkeys(bench.layer_of, 0.0))
    whole = bench.cannot(plan)
    assert 0 < len(whole) < len(bench.layer_of)
    found = with_levels(bench, plan, dict.fromkeys(bench.layer_of, 0.5), {})
    assert {name for name, level in found.sparsity.items() if level} == set(bench.layer_of) - set(
        whole
    )
    bench.prune(found)


def test_a_lock_in_the_global_scope_leaves_the_pool(session: Session) -> None:
    change(session, replace(session.live, scope="global"))
    settle(session, **dict.fromkeys(LAYERS, 0.5))
    ask(session, "lock", locked=("fc1",))
    assert set(session.settled.sparsity) == set(LAYERS) - {"fc1"}
    assert got(session)["fc1"] == 0
    kept = session.bench.prune(session.settled).report
    others = kept[kept["layer"] != "fc1"]
    assert (others["total"] - others["kept"]).sum() == round(0.5 * others["total"].sum())
    ask(session, "lock", locked=())
    assert set(session.settled.sparsity) == set(LAYERS)
    assert got(session)["fc1"] > 0


def test_all_locked_in_the_global_scope_is_dense(session: Session) -> None:
    change(session, replace(session.live, scope="global"))
    settle(session, **dict.fromkeys(LAYERS, 0.5))
    ask(session, "lock", locked=LAYERS)
    assert session.settled.is_dense
    assert set(session.locked) == set(LAYERS)
    ask(session, "undo")
    assert session.locked == {}


def test_one_threshold_is_asked_of_all_in_the_global_scope(session: Session) -> None:
    change(session, replace(session.live, scope="global"))
    settle(session, **dict.fromkeys(LAYERS, 0.3))
    assert session.settled.sparsity == dict.fromkeys(LAYERS, 0.3)


# -- choices -----------------------------------------------------------------------------------


def test_another_criterion_keeps_the_levels_and_the_locks(session: Session) -> None:
    settle(session, conv1=0.4, fc1=0.8)
    ask(session, "lock", locked=("fc1",))
    change(session, replace(session.live, criterion="wanda"))
    assert session.settled == Plan("wanda", sparsity=DENSE | {"conv1": 0.4, "fc1": 0.8})
    assert session.locked == {"fc1": ""}
    ask(session, "undo")
    assert session.settled.criterion == "magnitude"


@pytest.mark.parametrize("granularity", ["weight", "neuron"])
def test_another_scope_keeps_about_what_is_cut(session: Session, granularity: str) -> None:
    if granularity == "neuron":
        change(session, replace(session.live, granularity=granularity))
    settle(session, conv1=0.5, fc1=0.8, fc2=0.6)
    before = cut_items(session)
    change(session, replace(session.live, scope="global"))
    assert len(set(session.settled.sparsity.values())) == 1
    assert cut_items(session) == pytest.approx(before, abs=1 + 1e-4 * 61_706)
    shares = got(session)
    change(session, replace(session.live, scope="layer"))
    for name, share in got(session).items():
        assert share == pytest.approx(shares[name], abs=0.01)


def cut_items(session: Session) -> int:
    """Weights, or units, that the settled plan cuts."""
    pruned = session.bench.prune(session.settled)
    if session.settled.granularity == "neuron":
        return sum(int((~kept).sum()) for kept in pruned.units.values())
    return sum(int((~mask).sum()) for mask in pruned.masks.values())


@pytest.mark.parametrize("granularity", ["weight", "neuron", "2:4"])
def test_the_usual_locks_hold_for_every_granularity(
    benches: Callable[[str], Workbench], granularity: str
) -> None:
    session = start(benches("lenet5"))
    change(session, replace(session.live, granularity=granularity))
    assert session.locked == session.bench.locks
    settle(session, **dict.fromkeys(LAYERS, 0.5))
    assert got(session)["fc3"] == got(session)["conv1"] == 0
    ask(session, "lock", locked=())
    settle(session, fc3=0.5)
    assert got(session)["fc3"] == 0.5
    change(session, replace(session.live, criterion="random"))
    assert session.locked == {}, "who unlocked the head has it unlocked"
    assert session.settled.sparsity["fc3"] == 0.5


def test_a_cancelled_job_is_not_started_again_before_somebody_asks(session: Session) -> None:
    settle(session, conv1=0.4)
    assert session.unmeasured
    before = session.settled, list(session.steps)
    ask(session, "cancel")
    assert not session.unmeasured
    assert (session.settled, session.steps) == before
    ask(session, "measure")
    assert session.unmeasured
    assert (session.settled, session.steps) == before


def test_a_choice_that_is_refused_leaves_everything(session: Session) -> None:
    settle(session, conv1=0.4)
    before = session.settled, dict(session.locked), session.moves
    with pytest.raises(ValueError, match="'lamp'"):
        change(session, replace(session.live, criterion="lamp", granularity="neuron"))
    assert (session.settled, session.locked, session.moves) == before


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


# -- plans that come alone ---------------------------------------------------------------------


def test_a_plan_from_a_link_names_every_layer(session: Session) -> None:
    arrive(session, Plan(sparsity={"conv1": 0.5}))
    assert session.settled == session.live == Plan(sparsity=DENSE | {"conv1": 0.5})
    assert session.at == 1


@pytest.mark.parametrize(
    ("plan", "locked"),
    [
        (Plan(sparsity={"fc1": 0.5}), {"conv1", "fc3"}),
        (Plan(sparsity={"conv1": 0.5}), {"fc3"}),
        (Plan("l2", "neuron", sparsity={"fc3": 0.5}), {"conv1"}),
        (Plan(scope="global", sparsity=dict.fromkeys(LAYERS, 0.5)), set()),
        (Plan(scope="global", sparsity=dict.fromkeys(LAYERS[1:], 0.5)), {"conv1"}),
        (Plan(scope="global", sparsity=dict.fromkeys(LAYERS[2:], 0.5)), {"conv1", "conv2"}),
        (Plan("l2", "neuron", "global", dict.fromkeys(LAYERS[:4], 0.5)), {"fc3"}),
    ],
)
def test_a_plan_brings_its_locks(session: Session, plan: Plan, locked: set[str]) -> None:
    reasons = {**dict.fromkeys(LAYERS, "out of the ranking"), **session.bench.locks}
    expected = {name: reasons[name] for name in locked}
    assert locks_for(session.bench, plan) == expected
    arrive(session, plan)
    assert session.locked == expected
    assert session.steps[-1] == UndoStep(session.settled, expected)


def test_a_global_plan_without_layers_ranks_all_that_are_not_locked(session: Session) -> None:
    arrive(session, Plan(scope="global"))
    assert session.settled.sparsity == dict.fromkeys(("conv2", "fc1", "fc2"), 0.0)
    assert set(session.locked) == {"conv1", "fc3"}
