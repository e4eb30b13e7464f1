"""Is the code that somebody types the teacher's?"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable

VARIABLE = "PRUNEVIZ_CLASS_CODE"  # of a teacher who chose it, so that it is printed nowhere
_SIGNS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that looks like another
_LENGTH = 8
LEAST = 6  # signs of a code that a teacher chose
_WORK = 50_000  # rounds: somebody who reads the process's environment shall not guess it at once
ATTEMPTS, ALL_ATTEMPTS, PAUSE = 5, 60, 60.0  # of one visitor, of all, in so many seconds


def new_code() -> str:
    """A code to be read aloud: 40 bits of chance in two groups of four.

    >>> len(new_code())
    9
    """
    signs = [secrets.choice(_SIGNS) for _ in range(_LENGTH)]
    return f"{''.join(signs[:4])}-{''.join(signs[4:])}"


def new_lock(code: str) -> str:
    """What a code is checked against, from which it cannot be read.

    >>> fits("ab cd-EF", new_lock("ABCDEF")), fits("abcdeg", new_lock("ABCDEF"))
    (True, False)
    """
    salt = secrets.token_hex(8)
    return f"{salt}${_digest(salt, code)}"


def fits(code: str, lock: str) -> bool:
    """Whether a code is the one; takes as long whichever of its signs is wrong. Capitals, spaces
    and strokes do not count.
    """
    salt, _, digest = lock.partition("$")
    return bool(digest) and hmac.compare_digest(_digest(salt, code), digest)


class Door:
    """Lets in whoever has the code, and slows down whoever guesses.

    clock: seconds, as `time.monotonic` tells them.
    """

    def __init__(self, lock: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._key, self._clock = lock, clock
        self._guard = threading.Lock()
        self._wrong: dict[str, deque[float]] = defaultdict(deque)
        self._inside: set[str] = set()

    def is_open(self, visitor: str) -> bool:
        """Whether a visitor came in before."""
        return visitor in self._inside

    def enter(self, visitor: str, code: str) -> str:
        """ "" once somebody is in, else the sentence that says why not."""
        with self._guard:
            self._forget()
            own, every = len(self._wrong.get(visitor, ())), sum(map(len, self._wrong.values()))
            if own >= ATTEMPTS or every >= ALL_ATTEMPTS:
                return f"too many wrong codes: wait {PAUSE:.0f} seconds, then try again"
            # Counted before it is looked at: of many at once none is for nothing.
            self._wrong[visitor].append(self._clock())
        if not fits(code, self._key):
            return "this is not the code; it was printed where the class was started"
        with self._guard:
            self._wrong.pop(visitor, None)
            self._inside.add(visitor)
        return ""

    def _forget(self) -> None:
        for visitor, times in [*self._wrong.items()]:
            while times and self._clock() - times[0] > PAUSE:
                times.popleft()
            if not times:
                del self._wrong[visitor]


def _digest(salt: str, code: str) -> str:
    plain = "".join(code.split()).replace("-", "").upper()
    return hashlib.pbkdf2_hmac("sha256", plain.encode(), salt.encode(), _WORK).hex()
