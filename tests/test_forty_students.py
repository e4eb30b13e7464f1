"""Has each of forty students at one server plans, guesses and answers of their own?"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from pruneviz.lessons import Assignment, Record, assign
from pruneviz.ui.session import Session, notebook, owners, start
from pruneviz.ui.session.owners import Owner
from pruneviz.workbench import Workbench
from tests.classroom import LESSONS

pytestmark = pytest.mark.usefixtures("fresh_home")
MANY = 40
WHO: ContextVar[Owner] = ContextVar("who")
LINK = Assignment(LESSONS[3].name, "lenet5", "magnitude", ("scores",))
LESSON = assign(LESSONS[3], LINK)


def learn(bench: Workbench, number: int) -> Session:
    """What a student does: opens the teacher's link, guesses, and cuts as nobody else does."""
    WHO.set(Owner(f"{number:032x}"))
    session = start(bench)
    notebook.keep_link(LESSON.key, f"link of {number}")
    for level in (0.5, number / MANY):
        session.settle(session.live, {})
        plan = session.live
        sparsity = dict(plan.sparsity) | {"fc1": level}
        session.settle(type(plan)(sparsity=sparsity))
    step = LESSON.steps[0]
    notebook.write(LESSON, Record(begun=True).guess(step, number / 100).answer(0, number))
    return session


def test_forty_students_have_each_their_own(
    benches: Callable[[str], Workbench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owners, "current", lambda: WHO.get(None))
    bench = benches("lenet5")
    dense = {name: bench.weight(name).clone() for name in bench.layer_of}
    notebook.write(LESSON, Record(begun=True).guess(LESSON.steps[0], 0.99))  # the teacher's
    with ThreadPoolExecutor(8) as pool:
        sessions = list(pool.map(lambda number: learn(bench, number), range(MANY)))
    sessions[7].travel(-1)
    notebook._open.clear()  # the server starts anew
    for number, session in enumerate(sessions):
        WHO.set(Owner(f"{number:032x}"))
        record = notebook.read(LESSON)
        assert record.guesses == {LESSON.steps[0].name: number / 100}
        assert record.answers == {0: number}
        assert notebook.links() == {LESSON.key: f"link of {number}"}
        assert session.settled.sparsity["fc1"] == (0.5 if number == 7 else number / MANY)
    WHO.set(Owner("f" * 32))
    assert notebook.read(LESSON) == Record(), "a stranger has nothing"
    assert all(bool((bench.weight(name) == dense[name]).all()) for name in dense)
