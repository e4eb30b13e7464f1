"""How does long work run without being in anybody's way?"""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable

from pruneviz.progress import Progress
from pruneviz.storage.faults import public


class CancelledError(BaseException):
    """Raised inside a job at its next report after somebody cancelled it: nobody handles it."""


_JOBS: weakref.WeakSet[Job] = weakref.WeakSet()
_PATIENCE = 5.0


class Job:
    """Work in a thread of its own, with progress, and a flag that stops it at its next report.

    label and done (0..1) tell how far it is. exception: what it failed with; error: the sentence
    on it for people, see `pruneviz.storage.faults`.
    """

    def __init__(self, work: Callable[[Progress], None]) -> None:
        self.label, self.done = "", 0.0
        self.exception: Exception | None = None
        self.error: str | None = None
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        _JOBS.add(self)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the thread is still at work."""
        return self._thread.is_alive()

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
            work(self._report)
        except CancelledError:
            pass
        except Exception as error:  # a thread has nobody above it who could be told
            self.exception, self.error = error, public(error)

    def _report(self, label: str, done: float) -> None:
        if self._cancelled.is_set():
            raise CancelledError
        self.label, self.done = label, done


@atexit.register
def _end_all() -> None:
    # A thread inside torch while the interpreter is taken down ends the process with an abort.
    jobs = [job for job in _JOBS if job.running]
    for job in jobs:
        job.cancel()
    for job in jobs:
        job.wait(_PATIENCE)
