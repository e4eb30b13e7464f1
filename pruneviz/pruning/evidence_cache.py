"""What evidence has been gathered already?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from pruneviz.progress import ShareDone
from pruneviz.pruning.evidence import PARTS, Evidence

Gather = Callable[[Collection[str], ShareDone], Mapping[str, Evidence]]


class EvidenceCache:
    """Evidence by layer, each part of it gathered once, when it is first asked for.

    gather(parts, progress) does the work; it is never called for the same part twice, also when
    several threads ask.
    """

    def __init__(self, gather: Gather) -> None:
        self._gather = gather
        self._lock = threading.Lock()
        self._evidence: dict[str, Evidence] = {}
        self._parts: frozenset[str] = frozenset()

    def has(self, parts: Collection[str]) -> bool:
        """Whether these parts are there."""
        return self._parts.issuperset(parts)

    def of(self, parts: Collection[str], progress: ShareDone) -> dict[str, Evidence]:
        """The evidence with at least these parts of PARTS."""
        if self.has(parts):  # nobody waits for other parts that are being gathered
            return self._evidence
        with self._lock:
            missing = [part for part in parts if part not in self._parts]
            if missing:
                self._evidence = _merge(self._evidence, self._gather(missing, progress), missing)
                self._parts |= set(missing)  # last: whoever sees the part must find it
            return self._evidence


def _merge(
    before: Mapping[str, Evidence], new: Mapping[str, Evidence], parts: Collection[str]
) -> dict[str, Evidence]:
    if not before:
        return dict(new)
    fields = [field for part in parts for field in PARTS[part]]
    return {
        name: replace(old, **{field: getattr(new[name], field) for field in fields})
        for name, old in before.items()
    }
