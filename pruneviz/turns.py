"""Whose work runs next on the machine's cores?"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache
from itertools import count

from pruneviz.gate import GATE
from pruneviz.progress import CancelledError

MOMENT = 0.5  # seconds of work after which the next visitor is served
_RECENT = 2.0  # seconds for which somebody counts as being at work
_LOOK = 0.5  # seconds between looks at whether a visitor is still there


class Rank(Enum):
    """What a piece of work is for: a moving thumb, a settled plan, or what takes long anyway. The
    value is its share of the time, where others want some too.
    """

    THUMB = 6
    RESULT = 2
    STUDY = 1


@dataclass(frozen=True)
class Errand:
    """For whom work is done, and what for. wanted: whether it is still of use to them."""

    visitor: str
    rank: Rank
    wanted: Callable[[], bool] = field(default=lambda: True, compare=False)


@dataclass
class _Ticket:
    errand: Errand
    number: int


class Turns:
    """One queue of pieces of work, `slots` of which run at once.

    Many people use one server. Long work asks for a turn a piece at a time (a block of samples, a
    batch), so that nobody waits for longer than a piece. Of the time that is wanted by several,
    what a thumb waits for has two thirds, the number of a settled plan most of the rest, scans and
    trainings what is left; of each kind one visitor after the other is served, each for a moment
    in which most numbers are done. What no visitor waits for, as in Python and on the command line,
    asks nobody. clock: seconds, as `time.monotonic` tells them.
    """

    def __init__(self, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._free, self._clock = slots, clock
        self._changed = threading.Condition()
        self._waiting: list[_Ticket] = []
        self._running: list[str] = []  # visitors
        self._numbers = count()
        self._used = dict.fromkeys(Rank, 0.0)  # seconds by each rank's share
        self._used_last = 0.0  # of the rank that had the last turn, when it began
        self._served: dict[tuple[Rank, str], int] = {}  # who had their moment, and when
        self._spent: dict[tuple[Rank, str], float] = {}  # of the moment that has not ended,
        self._begun: dict[tuple[Rank, str], int] = {}  # and when that began
        self._seen: dict[str, float] = {}

    @contextmanager
    def turn(self, errand: Errand) -> Iterator[None]:
        """Run a piece of work in the block, once it is its turn.

        CancelledError where it is no longer wanted then.
        """
        with GATE.outside():
            self._wait(errand)
        began = self._clock()
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._running.remove(errand.visitor)
                self._charge(errand, self._clock() - began)
                self._changed.notify_all()

    def ahead(self, visitor: str) -> int:
        """How many others' pieces of the same kind are served before a visitor's; 0: none waits."""
        with self._changed:
            order = sorted(self._waiting, key=self._place)
            own = next((ticket for ticket in order if ticket.errand.visitor == visitor), None)
            if own is None:
                return 0
            return [one for one in order if one.errand.rank is own.errand.rank].index(own)

    def visitors(self) -> int:
        """How many have had work done, or wait for it, within the last moments; at least one."""
        with self._changed:
            self._forget()
            return max(1, len(self._seen))

    def _wait(self, errand: Errand) -> None:
        with self._changed:
            ticket = _Ticket(errand, next(self._numbers))
            self._seen[errand.visitor] = self._clock()
            self._join(ticket)
            try:
                while errand.wanted() and not (self._free and self._next() is ticket):
                    self._changed.wait(_LOOK)
                if not errand.wanted():
                    raise CancelledError
                self._free -= 1
                self._running.append(errand.visitor)
                self._used_last = self._used[errand.rank]
                self._begun.setdefault((errand.rank, errand.visitor), next(self._numbers))
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _join(self, ticket: _Ticket) -> None:
        """A kind of work that nobody wanted for a while has saved nothing up."""
        rank = ticket.errand.rank
        if all(one.errand.rank is not rank for one in self._waiting):
            self._used[rank] = max(self._used[rank], self._used_last)
        self._waiting.append(ticket)

    def _charge(self, errand: Errand, seconds: float) -> None:
        key = errand.rank, errand.visitor
        self._used[errand.rank] += seconds / errand.rank.value
        self._seen[errand.visitor] = self._clock()
        self._spent[key] = self._spent.get(key, 0.0) + seconds
        if self._spent[key] >= MOMENT:
            self._spent.pop(key)
            self._begun.pop(
                key, None
            )  # another piece of theirs, beside this one, may have ended it
            self._served[key] = next(self._numbers)

    def _next(self) -> _Ticket:
        rank = min((one.errand.rank for one in self._waiting), key=lambda one: self._used[one])
        return min((one for one in self._waiting if one.errand.rank is rank), key=self._place)

    def _place(self, ticket: _Ticket) -> tuple[int, float, int]:
        """Whose moment was the longest ago, or never; one that has begun goes on."""
        key = ticket.errand.rank, ticket.errand.visitor
        return self._served.get(key, -1), self._begun.get(key, math.inf), ticket.number

    def _forget(self) -> None:
        """Those who have not been at work for a while."""
        here = {ticket.errand.visitor for ticket in self._waiting} | {*self._running}
        for visitor in [*self._seen]:
            if visitor not in here and self._clock() - self._seen[visitor] > _RECENT:
                del self._seen[visitor]
                for rank in Rank:
                    for kept in (self._served, self._spent, self._begun):
                        kept.pop((rank, visitor), None)


_ERRAND: ContextVar[Errand | None] = ContextVar("errand", default=None)
_AT_WORK: ContextVar[bool] = ContextVar("at_work", default=False)
_identify: Callable[[], str | None] = lambda: None  # noqa: E731
_sees: Callable[[str], bool] = lambda visitor: True  # noqa: E731


@cache
def turns() -> Turns:
    """This machine's queue: torch's operations use all its threads, so that as many pieces run at
    once as fit beside each other.
    """
    import torch  # the command line asks for help without it

    return Turns(max(1, (os.cpu_count() or 1) // torch.get_num_threads()))


def serve(identify: Callable[[], str | None], sees: Callable[[str], bool]) -> None:
    """Have `identify` tell which visitor the thread at work answers, None being nobody who shares
    the machine, and `sees` whether that visitor is still there.
    """
    global _identify, _sees
    _identify, _sees = identify, sees


def current_errand() -> Errand | None:
    """For whom this thread works; None: for nobody who shares the machine."""
    given = _ERRAND.get()
    if given is not None:
        return given
    visitor = _identify()
    return None if visitor is None else Errand(visitor, Rank.THUMB)


def is_present(visitor: str) -> bool:
    """Whether a visitor is still there."""
    return _sees(visitor)


@contextmanager
def on_behalf(errand: Errand | None) -> Iterator[None]:
    """Do the work in the block for this visitor; None: as before."""
    token = _ERRAND.set(errand or _ERRAND.get())
    try:
        yield
    finally:
        _ERRAND.reset(token)


@contextmanager
def later(rank: Rank) -> Iterator[None]:
    """Do the work in the block for the same visitor, but in this place of the order."""
    mine = current_errand()
    with on_behalf(None if mine is None else replace(mine, rank=rank)):
        yield


@contextmanager
def piece() -> Iterator[None]:
    """A piece of long work, once it is its turn; a piece within a piece has it already.

    Nothing inside may wait for a lock that somebody holds who waits for a turn.
    """
    mine = current_errand()
    if mine is None or _AT_WORK.get():
        yield
        return
    with turns().turn(mine):
        token = _AT_WORK.set(True)
        try:
            yield
        finally:
            _AT_WORK.reset(token)
