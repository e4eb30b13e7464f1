"""How long does a sample take on this machine now, as learned from each that is answered?"""

from __future__ import annotations

import math
import threading

_WEIGHT = 0.2  # of one block in what is known
_MOST = 4.0  # times as long or as short: what one block can say at most
_BAND = 2.0  # times: a smaller change leaves the probe as it is, so that it does not flicker


class Pace:
    """The seconds per sample of a network, first as it was timed.

    Every block that is answered moves the estimate a little, the more the further it is off, and
    none moves it far: no single timing decides. each: what is relied on; it follows the estimate
    when that is off by half or double. waits: whether the network takes longer than its thread
    computes also where it has the machine to itself (a GPU, a disk); of all others the time counts
    in which it computed, however busy the machine is. Safe to share between threads.

    >>> pace = Pace(0.001)
    >>> for _ in range(20):
    ...     pace.learn(64, 0.64)
    >>> f"{pace.each:.3f}"
    '0.009'
    """

    def __init__(self, each: float, *, waits: bool = True) -> None:
        if not each > 0:
            raise ValueError(f"each must be above 0 seconds, got {each!r}")
        self.each = self._estimate = each
        self._waits = waits
        self._lock = threading.Lock()

    def learn(self, samples: float, seconds: float, worked: float = math.inf) -> None:
        """This many samples have just taken so long, in which the thread computed for `worked`;
        where a part of the network was run, so large a part of them.
        """
        seconds = seconds if self._waits else min(seconds, worked)
        if not (samples > 0 and seconds > 0):
            return
        with self._lock:
            ratio = seconds / samples / self._estimate
            self._estimate *= min(max(ratio, 1 / _MOST), _MOST) ** _WEIGHT
            if not 1 / _BAND <= self._estimate / self.each <= _BAND:
                self.each = self._estimate
