"""How does long work run without being in anybody's way?"""

from __future__ import annotations

import atexit
import math
import threading
import time
import weakref
from collections.abc import Callable

from pruneviz.progress import CancelledError, Progress
from pruneviz.storage.faults import public
from pruneviz.turns import Errand, Rank, current_errand, is_present, on_behalf, turns

_JOBS: weakref.WeakSet[Job] = weakref.WeakSet()
_PATIENCE = 5.0
_FEW = 3  # others who are waited for without a word
# Seconds for which work goes on for a visitor who has left: what only a page shows ends at once.
_AFTERWARDS = {Rank.THUMB: 1.0, Rank.RESULT: 1.0, Rank.STUDY: 120.0}


class Job:
    """Work in a thread of its own, with progress, and a flag that stops it at its next report.

    It is done for the visitor for whom it was begun, and ends soon after they have left, unless it
    `outlives` their visit. rank: when its pieces have their turn.

    label and done (0..1) tell how far it is. exception: what it failed with; error: the sentence
    on it for people, see `pruneviz.storage.faults`. abandoned: whether it ended because its visitor
    had left.
    """

    def __init__(
        self,
        work: Callable[[Progress], None],
        rank: Rank = Rank.STUDY,
        *,
        outlives: bool = False,
    ) -> None:
        self.label, self.done = "", 0.0
        self.exception: Exception | None = None
        self.error: str | None = None
        self.abandoned = False
        self._cancelled = threading.Event()
        self._seen = time.monotonic()
        self._afterwards = math.inf if outlives else _AFTERWARDS[rank]
        mine = current_errand()
        self._errand = None if mine is None else Errand(mine.visitor, rank, self._is_wanted)
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        _JOBS.add(self)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the thread is still at work."""
        return self._thread.is_alive()

    @property
    def words(self) -> str:
        """What is done now, and how many pieces of others' work come before it where it waits."""
        ahead = 0 if self._errand is None else turns().ahead(self._errand.visitor)
        label = self.label or "beginning"
        return label if ahead < _FEW else f"{label} (waits for {ahead} others)"

    def cancel(self) -> None:
        """Ask the work to stop; it does at its next report."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked it to stop."""
        return self._cancelled.is_set()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the work has ended."""
        self._thread.join(seconds)

    def _run(self, work: Callable[[Progress], None]) -> None:
        try:
            with on_behalf(self._errand):
                work(self._report)
        except CancelledError:
            self.abandoned = not self._cancelled.is_set()
        except Exception as error:  # a thread has nobody above it who could be told
            self.exception, self.error = error, public(error)

    def _report(self, label: str, done: float) -> None:
        if not self._is_wanted():
            raise CancelledError
        self.label, self.done = label, done

    def _is_wanted(self) -> bool:
        now = time.monotonic()
        if self._errand is None or is_present(self._errand.visitor):
            self._seen = now
        return not self._cancelled.is_set() and now - self._seen <= self._afterwards


@atexit.register
def _end_all() -> None:
    # A thread inside torch while the interpreter is taken down ends the process with an abort.
    jobs = [job for job in _JOBS if job.running]
    for job in jobs:
        job.cancel()
    for job in jobs:
        job.wait(_PATIENCE)
