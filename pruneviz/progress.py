"""How does long work tell how far it is?"""

from __future__ import annotations

from collections.abc import Callable


class CancelledError(BaseException):
    """Raised at the next report of work that somebody cancelled: nobody handles it."""


Progress = Callable[[str, float], None]
"""Called with what is done now, in words, and the share (0 to 1) of the work that is behind; it may
raise to stop the work.
"""

ShareDone = Callable[[float], None]
"""The same of work that is one step of a greater one, which has the words."""


def silent(label: str, done: float) -> None:
    """Tell nobody."""


def silent_share(done: float) -> None:
    """Tell nobody."""


def part_of(progress: ShareDone, start: float, share: float) -> ShareDone:
    """Progress of a part of the work, `share` of it from `start` on, as progress of all of it."""
    return lambda done: progress(start + share * done)


def part(progress: Progress, start: float, end: float) -> Progress:
    """Progress of a part of the work, from `start` to `end` of it, as progress of all of it."""
    return lambda label, done: progress(label, start + (end - start) * min(max(done, 0.0), 1.0))
