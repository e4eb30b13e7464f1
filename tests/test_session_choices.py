"""What becomes of levels and locks when a choice or a lock changes?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pruneviz.plan import Plan
from pruneviz.ui.session import (
    Session,
    change,
    start,
)
from pruneviz.ui.session.levels import with_levels
from pruneviz.workbench import Workbench
from tests.test_session import DENSE, LAYERS, ask, dense_session, settle


@pytest.fixture
def session(benches: Callable[[str], Workbench]) -> Session:
    return dense_session(benches)


def got(session: Session) -> dict[str, float]:
    return session.bench.prune(session.settled).sparsity


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
