"""Are few pages drawn at once, and does nobody wait for ever?"""

from __future__ import annotations

import threading
from collections.abc import Callable

from pruneviz.gate import Gate

SOON = 10.0  # seconds that nobody needs


def begin(work: Callable[[], None]) -> threading.Thread:
    """Do it in a thread of its own."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


class Guest:
    """Somebody who comes to a gate, and stays inside until told to leave."""

    def __init__(self, gate: Gate) -> None:
        self.is_in, self.may_leave = threading.Event(), threading.Event()
        self._gate = gate
        self.thread = begin(self._come)

    def _come(self) -> None:
        with self._gate.inside():
            self.is_in.set()
            self.may_leave.wait(SOON)

    def leave(self) -> None:
        """Go out again."""
        self.may_leave.set()
        self.thread.join(SOON)


def test_one_more_than_there_are_places_waits_until_somebody_leaves() -> None:
    gate = Gate(2, patience=SOON)
    first, second = Guest(gate), Guest(gate)
    assert first.is_in.wait(SOON)
    assert second.is_in.wait(SOON)
    third = Guest(gate)
    assert not third.is_in.wait(0.05)
    second.leave()
    assert third.is_in.wait(SOON)
    first.leave()
    third.leave()


def test_who_waits_for_something_else_gives_their_place_away_meanwhile() -> None:
    gate = Gate(1, patience=SOON)
    with gate.inside():
        with gate.inside(), gate.outside():
            guest = Guest(gate)
            assert guest.is_in.wait(SOON), "the place is free"
        late = Guest(gate)
        guest.leave()
        assert not late.is_in.wait(0.05), "who comes back needs no second place and has theirs"
    assert late.is_in.wait(SOON)
    late.leave()
    with gate.outside():
        assert Guest(gate).is_in.wait(SOON), "who is not inside has no place to give"


def test_nobody_waits_for_longer_than_their_patience() -> None:
    now = [0.0]
    gate = Gate(1, patience=3.0, clock=lambda: now[0])
    guest = Guest(gate)
    assert guest.is_in.wait(SOON)
    entered = []
    now[0] = 1.0

    def come() -> None:
        with gate.inside():
            entered.append(now[0])

    thread = begin(come)
    thread.join(0.05)
    assert thread.is_alive()
    now[0] = 4.0
    guest.leave()
    thread.join(SOON)
    assert entered == [4.0]


def test_an_error_inside_leaves_the_place_free() -> None:
    gate = Gate(1, patience=SOON)
    try:
        with gate.inside():
            raise ValueError("of the page")
    except ValueError:
        pass
    guest = Guest(gate)
    assert guest.is_in.wait(SOON)
    guest.leave()
