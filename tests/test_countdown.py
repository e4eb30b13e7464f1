"""Does work wait its turn, and tell how long it will still take?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from pruneviz.background import Job
from pruneviz.progress import Progress
from pruneviz.ui.session import countdown, start
from pruneviz.ui.session.countdown import after_the_accuracy, pace
from pruneviz.workbench import Workbench


@dataclass
class Shown:
    left: float | None = None


def test_the_time_left_is_told_by_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(countdown.time, "monotonic", lambda: clock[0])
    shown, said = Shown(), list[tuple[str, float]]()
    tell = pace(lambda label, done: said.append((label, done)), shown)
    for clock[0], done in ((0.1, 0.2), (10.1, 0.4)):  # what was known is read at once
        tell("a", done)
    assert shown.left == pytest.approx(0.6 * 10 / 0.2)
    assert said == [("a", 0.2), ("a", 0.4)]
    bounded = pace(lambda label, done: None, shown, until=clock[0] + 2.0)
    clock[0] += 1.0
    bounded("b", 0.1)
    assert shown.left == pytest.approx(1.0)


def test_the_accuracy_comes_first(benches: Callable[[str], Workbench]) -> None:
    session, gate, order = start(benches("lenet300")), threading.Event(), list[str]()

    def measure(report: Progress) -> None:
        gate.wait()
        order.append("accuracy")

    session.job = Job(measure)
    waits = list[str]()

    def work(report: Progress) -> None:
        after_the_accuracy(session, lambda label, done: waits.append(label))
        order.append("work")

    job = Job(work)
    time.sleep(0.25)
    gate.set()
    job.wait(10)
    assert order == ["accuracy", "work"]
    assert set(waits) == {"waiting for the accuracy"}
