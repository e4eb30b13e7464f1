"""How many pages are drawn at once?"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PLACES = 2
_PATIENCE = 2.0  # seconds: whoever was kept outside for longer goes in


class Gate:
    """Lets `places` threads in at once, in the order in which they came.

    Python runs one thread at a time. Where many of them want to run, an operation of torch, which
    lets go of Python and takes it back, waits for all the others each time: with forty visitors a
    block of samples took a second in place of a hundredth of it. Nobody may hold a lock when they
    come; nobody waits for more than `patience` seconds, since one inside may wait for a lock.
    """

    def __init__(
        self,
        places: int = _PLACES,
        patience: float = _PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free, self._patience, self._clock = places, patience, clock
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()
        self._mine = threading.local()

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Run the block inside; who is inside already stays there."""
        if getattr(self._mine, "inside", False):
            yield
            return
        self._enter()
        self._mine.inside = True
        try:
            yield
        finally:
            self._mine.inside = False
            self._move(1)

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Give the place to somebody else during the block, which waits for something."""
        if not getattr(self._mine, "inside", False):
            yield
            return
        self._move(1)
        try:
            yield
        finally:
            self._move(-1)

    def _enter(self) -> None:
        ticket, end = object(), self._clock() + self._patience
        with self._changed:
            self._queue.append(ticket)
            try:
                while (self._free < 1 or self._queue[0] is not ticket) and self._clock() < end:
                    self._changed.wait(max(0.0, end - self._clock()))
                self._free -= 1
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()

    def _move(self, places: int) -> None:
        with self._changed:
            self._free += places
            self._changed.notify_all()


GATE = Gate()
