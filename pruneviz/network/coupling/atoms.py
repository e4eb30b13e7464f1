"""Which entries of which dimensions stand for one and the same unit?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Ids = NDArray[np.int64]
# Of one tensor: for each dimension its entries' atoms, or None where nothing may be cut.
Dims = list[Ids | None]


@dataclass
class Atoms:
    """A union-find over atoms, one for each entry of each dimension that might be cut.

    Unions are noted while a network is walked through, and solved once at its end.
    """

    count: int = 0
    _pairs: list[tuple[Ids, Ids]] = field(default_factory=list)
    _forbidden: list[tuple[Ids, str]] = field(default_factory=list)
    _following: list[tuple[Ids, str]] = field(default_factory=list)

    def new(self, size: int) -> Ids | None:
        """Atoms for a dimension; None for a single entry, which can never be cut."""
        if size < 2:
            return None
        self.count += size
        return np.arange(self.count - size, self.count, dtype=np.int64)

    def unite(self, parts: Sequence[Ids | None], reason: str) -> Ids | None:
        """Entries at the same place are one; where one part is fixed, all must stay: `reason`."""
        present = [part for part in parts if part is not None]
        if len(present) < len(parts):
            for part in present:
                self.forbid(part, reason, follows=True)
            return None
        for other in present[1:]:
            if other is not present[0]:
                self._pairs.append((present[0], other))
        return present[0] if present else None

    def forbid(self, ids: Ids | None, reason: str, *, follows: bool = False) -> None:
        """These entries must stay, and whatever is one with them.

        follows: whether there is a reason behind this one, which is told rather if it is known.
        """
        if ids is not None:
            (self._following if follows else self._forbidden).append((ids.ravel(), reason))

    def solve(self) -> AtomClasses:
        """The classes of atoms, and the first reason why the atoms of a class must stay."""
        n = self.count
        if self._pairs:
            start = np.concatenate([a.ravel() for a, _ in self._pairs])
            end = np.concatenate([b.ravel() for _, b in self._pairs])
        else:
            start = end = np.empty(0, np.int64)
        links = coo_array((np.ones(len(start), np.int8), (start, end)), shape=(n, n))
        number, label = connected_components(links, directed=False) if n else (0, start)
        forbidden = [*self._forbidden, *self._following]
        first = np.full(number, len(forbidden), np.int64)
        for place in range(len(forbidden) - 1, -1, -1):
            first[label[forbidden[place][0]]] = place
        return AtomClasses(label.astype(np.int64), first, [reason for _, reason in forbidden])


@dataclass(frozen=True)
class AtomClasses:
    """Atom -> class; class -> place of its first reason to stay, or len(reasons)."""

    label: Ids
    first: Ids
    reasons: list[str]

    def stays(self, ids: Ids) -> bool:
        """Whether any of these atoms must stay."""
        return bool((self.first[self.label[ids]] < len(self.reasons)).any())

    def why(self, classes: Ids) -> str:
        """The first reason why one of these classes must stay, or ""."""
        place = int(self.first[classes].min()) if len(classes) else len(self.reasons)
        return self.reasons[place] if place < len(self.reasons) else ""
