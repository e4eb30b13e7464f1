"""Do steps, locks and choices of one person hold together?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pruneviz.plan import Plan
from pruneviz.ui.board import Request
from pruneviz.ui.session import (
    Session,
    UndoStep,
    arrive,
    obey,
    start,
)
from pruneviz.ui.session.levels import locks_for
from pruneviz.workbench import Workbench

LAYERS = ("conv1", "conv2", "fc1", "fc2", "fc3")

DENSE = dict.fromkeys(LAYERS, 0.0)


def dense_session(benches: Callable[[str], Workbench]) -> Session:
    """A session at the dense lenet5, with nothing locked."""
    session = start(benches("lenet5"))
    session.settle(session.live, {})
    del session.steps[0]
    session.at = 0
    return session


@pytest.fixture
def session(benches: Callable[[str], Workbench]) -> Session:
    return dense_session(benches)


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
