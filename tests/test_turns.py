"""Does everybody who shares the machine have their turn, the thumb before the rest?"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from pruneviz import turns as queue
from pruneviz.background import Job
from pruneviz.progress import CancelledError, Progress
from pruneviz.turns import MOMENT, Errand, Rank, Turns, on_behalf, piece

PIECE = MOMENT / 4  # a number that adds up exactly


class Clock:
    """Seconds that pass only when somebody works."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def serve(wanted: dict[Errand, int], pieces: int) -> list[Errand]:
    """Who has the first turns, where each errand always wants the next, twice so often."""
    clock = Clock()
    line, order = Turns(1, clock), list[Errand]()

    def work(errand: Errand, count: int) -> None:
        for _ in range(count):
            with line.turn(errand):
                clock.now += PIECE
                order.append(errand)
                joined(line, len(threads) - 1)

    gate = Errand("nobody", Rank.THUMB)
    # Two of each: one waits while the other works.
    threads = [threading.Thread(target=work, args=item) for item in wanted.items() for _ in "12"]
    with line.turn(gate):
        for number, thread in enumerate(threads):
            thread.start()
            joined(line, number + 1)
    for thread in threads:
        thread.join()
    return order[:pieces]


def joined(line: Turns, count: int) -> None:
    """Wait until as many wait as can: who has a turn comes back at once for the next."""
    end = time.monotonic() + 0.02
    while len(line._waiting) < count and time.monotonic() < end:
        time.sleep(0.0005)


def test_all_visitors_are_served_one_after_the_other_each_for_a_moment() -> None:
    errands = {Errand(name, Rank.RESULT): 10 for name in "abc"}
    order = [errand.visitor for errand in serve(errands, 60)]
    assert order == [*"aaaabbbbcccc"] * 5


def test_a_thumb_has_most_of_the_time_and_nobody_has_none() -> None:
    order = serve({Errand(rank.name, rank): 30 for rank in Rank}, 60)
    shares = Counter(errand.rank for errand in order)
    assert shares[Rank.THUMB] == pytest.approx(40, abs=2)
    assert shares[Rank.RESULT] == pytest.approx(60 * 2 / 9, abs=2)
    assert shares[Rank.STUDY] == pytest.approx(60 / 9, abs=2)


def test_what_rested_for_long_has_saved_nothing_up() -> None:
    clock = Clock()
    line = Turns(1, clock)
    thumb, study = Errand("a", Rank.THUMB), Errand("b", Rank.STUDY)
    for _ in range(100):  # alone, for a long time
        with line.turn(thumb):
            clock.now += PIECE
    order: list[Errand] = []

    def work(errand: Errand) -> None:
        for _ in range(12):
            with line.turn(errand):
                clock.now += PIECE
                order.append(errand)
                joined(line, 2)

    threads = [threading.Thread(target=work, args=(one,)) for one in (study, thumb)]
    with line.turn(thumb):
        for number, thread in enumerate(threads):
            thread.start()
            joined(line, number + 1)
    for thread in threads:
        thread.join()
    assert order[:12].count(study) <= 3


def test_the_place_in_the_queue_counts_others_of_the_same_kind() -> None:
    line = Turns(1)
    threads = []
    with line.turn(Errand("gate", Rank.THUMB)):
        for name in "abc":
            errand = Errand(name, Rank.RESULT)
            threads.append(threading.Thread(target=lambda one=errand: line.turn(one).__enter__()))
            threads[-1].daemon = True
            threads[-1].start()
            joined(line, len(threads))
        assert [line.ahead(name) for name in "abcx"] == [0, 1, 2, 0]
        assert line.visitors() == 4


def test_who_no_longer_wants_it_leaves_the_queue() -> None:
    line, wanted = Turns(1), [True]
    ended: list[BaseException] = []

    def work() -> None:
        try:
            with line.turn(Errand("a", Rank.STUDY, lambda: wanted[0])):
                pytest.fail("it had its turn")
        except CancelledError as error:
            ended.append(error)

    with line.turn(Errand("gate", Rank.THUMB)):
        thread = threading.Thread(target=work)
        thread.start()
        joined(line, 1)
        wanted[0] = False
        thread.join()
        assert len(ended) == 1
        assert line.ahead("a") == 0
    with line.turn(Errand("b", Rank.STUDY)):  # and the machine is free again
        pass


def test_what_raises_gives_its_turn_back() -> None:
    line = Turns(1)
    with pytest.raises(ValueError, match="broken"), line.turn(Errand("a", Rank.THUMB)):
        raise ValueError("broken")
    with line.turn(Errand("b", Rank.THUMB)):
        pass


def test_a_long_piece_ends_in_order_also_where_others_ask_who_is_here() -> None:
    clock = Clock()
    line, errand = Turns(2, clock), Errand("a", Rank.STUDY)
    with line.turn(errand):
        clock.now += 100 * MOMENT
        assert line.visitors() == 1, "whoever is at work is here"
        with line.turn(errand):  # the same visitor's other work, in the other place
            clock.now += MOMENT
        assert line.visitors() == 1
    assert line._free == 2


def test_a_piece_within_a_piece_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Turns(1)
    monkeypatch.setattr(queue, "turns", lambda: line)
    with on_behalf(Errand("a", Rank.THUMB)), piece():
        assert line._free == 0
        with piece():
            assert line._free == 0
    assert line._free == 1
    with piece():  # nobody's work asks nobody
        assert line._free == 1


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """A visitor "a" for whom this thread works; call it and they are gone."""
    there = [True]
    monkeypatch.setattr(queue, "_identify", lambda: "a")
    monkeypatch.setattr(queue, "_sees", lambda visitor: there[0] or visitor != "a")
    return lambda: there.__setitem__(0, False)


def endless(report: Progress) -> None:
    while True:
        report("at work", 0.5)
        time.sleep(0.001)


def test_work_for_the_screen_ends_when_its_visitor_has_left(
    absent: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pruneviz.background._AFTERWARDS", dict.fromkeys(Rank, 0.0))
    lasting = Job(endless, outlives=True)
    result = Job(endless, Rank.RESULT)
    assert result.running
    absent()
    result.wait(30)
    assert not result.running
    assert result.abandoned
    assert not result.cancelled
    assert lasting.running, "a training goes on: it is offered to whoever comes back"
    lasting.cancel()
    lasting.wait(30)
    assert not lasting.abandoned
