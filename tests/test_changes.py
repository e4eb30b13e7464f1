"""Is it said what another choice made of a plan?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pruneviz.ui.session import Session, change, start
from pruneviz.ui.session.changes import change_text
from pruneviz.workbench import Workbench
from tests.test_session import ask

Benches = Callable[[str], Workbench]


@pytest.fixture
def session(benches: Benches) -> Session:
    """lenet5 with half of fc1 cut."""
    session = start(benches("lenet5"))
    assert ask(session, "settle", dict(session.settled.sparsity) | {"fc1": 0.5})
    return session


def test_another_criterion_says_that_levels_stay(session: Session) -> None:
    change(session, replace(session.live, criterion="random"))
    words = "Random (control) chooses what is cut, instead of Magnitude. "
    assert session.message == session.change == f"{words}Each layer keeps its sparsity."
    assert ask(session, "undo")
    assert session.message is None
    assert session.settled.criterion == "magnitude"


def test_another_scope_says_which_layers_changed(session: Session) -> None:
    change(session, replace(session.live, scope="global"))
    assert session.message is not None
    assert session.message.startswith("One ranking over all layers. Sparsity changed: conv2 0.0 → ")
    assert ", fc1 50.0 → " in session.message


def test_other_granularities_are_named(session: Session) -> None:
    change(session, replace(session.live, granularity="2:4"))
    says = session.message or ""
    assert says.startswith("Weights by 2:4 are cut, instead of single weights. ")


def test_of_a_network_that_is_whole_nothing_is_said(benches: Benches) -> None:
    bench = benches("lenet5")
    session = start(bench)
    change(session, replace(session.live, criterion="random"))
    assert session.message is None
    assert change_text(bench, session.live, session.live) == ""


def test_an_unlocked_layer_is_named_with_what_it_changed(session: Session) -> None:
    locked = [name for name in session.locked if name != "fc3"]
    assert ask(session, "lock", locked=locked)
    assert session.message == "fc3 is unlocked. Each layer keeps its sparsity."
    change(session, replace(session.live, scope="global"))
    assert ask(session, "lock", locked=[])
    says = session.message or ""
    assert says.startswith("conv1 is unlocked and competes with the others. Sparsity changed: ")
    assert ask(session, "lock", locked=["conv1"])
    assert session.message is None, "a lock changes nothing by itself that was not asked for"
