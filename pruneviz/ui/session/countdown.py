"""When does work of a page begin, and how long will it still take?"""

from __future__ import annotations

import time
from typing import Protocol

from pruneviz.progress import Progress
from pruneviz.ui.session import Session

# A run that waits for this one begins by dropping what has not been sent yet, and the browser
# would take half of the page away: give the server the time to send it.
FLUSH = 0.15

_NAP, _WARM = 0.1, 0.5


def after_the_accuracy(session: Session, report: Progress) -> None:
    """Wait until the accuracy of the plan on the screen is measured: it comes first."""
    while session.job is not None and session.job.running:
        report("waiting for the accuracy", 0.0)
        time.sleep(_NAP)


class Countdown(Protocol):
    """What shows how long its job will still take."""

    left: float | None


def pace(report: Progress, timed: Countdown, until: float | None = None) -> Progress:
    """`report` that also keeps the seconds left, by the pace since what was known is read.

    until: when the work ends at the latest, on the monotonic clock.
    """
    begin = time.monotonic()
    base = (begin, 0.0)

    def tell(label: str, done: float) -> None:
        nonlocal base
        now = time.monotonic()
        if now - begin < _WARM:
            base = (now, done)
        elif done > base[1]:
            seconds = (1 - done) * (now - base[0]) / (done - base[1])
            timed.left = seconds if until is None else max(0.0, min(seconds, until - now))
        report(label, done)

    return tell
