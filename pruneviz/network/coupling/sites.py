"""Where one dimension is seen as several, which of them do the units stand in?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pruneviz.network.coupling.atoms import AtomClasses, Atoms, Dims, Ids

_UNEQUAL = "a reshape mixes it with other units"
Axis = tuple[str, int]  # the site, and which of its factors


@dataclass
class Sites:
    """Every place where a dimension is split into factors, or factors are merged into one.

    Only one factor of a site can hold units: heads or the numbers in each head, say. `chosen` says
    which; a site that it does not name is opaque, so that its axes can be looked at apart.
    """

    atoms: Atoms
    selection: Mapping[str, int | None] | None = None
    axes: dict[Axis, Ids] = field(default_factory=dict)
    heads: list[Ids] = field(default_factory=list)
    first: list[Ids] = field(default_factory=list)

    def split(self, ids: Ids | None, factors: Sequence[int], site: str) -> Dims:
        """The factors of a dimension [product of factors], outermost first."""
        if ids is None:
            return [None] * len(factors)
        if self.selection is None:
            return [self._axis(site, place, size) for place, size in enumerate(factors)]
        place = self.selection.get(site)
        dims: Dims = [None] * len(factors)
        if place is None:
            self.atoms.forbid(ids, _UNEQUAL, follows=True)
            return dims
        rows = np.moveaxis(ids.reshape(factors), place, -1).reshape(-1, factors[place])
        for other in rows[1:]:
            self.atoms.unite([rows[0], other], _UNEQUAL)
        dims[place] = rows[0].copy()
        self.axes[site, place] = rows[0]
        return dims

    def merge(self, dims: Sequence[Ids | None], factors: Sequence[int], site: str) -> Ids | None:
        """The one dimension that factors are merged into."""
        places = [place for place, ids in enumerate(dims) if ids is not None]
        if not places:
            return None
        if self.selection is None and len(places) > 1:
            for place in places:
                ids = dims[place]
                assert ids is not None
                self.axes[site, place] = ids
            return self.atoms.new(int(np.prod(factors)))
        home: int | None = places[0]
        if self.selection is not None:
            home = self.selection.get(site, places[0])
        for other in places:
            if other != home:
                self.atoms.forbid(dims[other], _UNEQUAL, follows=True)
        if home is None or home not in places:
            return None
        ids = dims[home]
        assert ids is not None
        shape = [1] * len(factors)
        shape[home] = factors[home]
        merged: Ids = np.broadcast_to(ids.reshape(shape), factors).reshape(-1)
        return merged

    def _axis(self, site: str, place: int, size: int) -> Ids | None:
        if (site, place) not in self.axes:
            ids = self.atoms.new(size)
            if ids is None:
                return None
            self.axes[site, place] = ids
        return self.axes[site, place]


@dataclass(frozen=True)
class Choice:
    """Which axes belong together, in the order in which they would be chosen."""

    classes: tuple[tuple[Axis, ...], ...]

    def without(self, banned: set[int]) -> dict[str, int | None]:
        """The factor that each site is given, if the classes `banned` are out of the question."""
        selection: dict[str, int | None] = {}
        for number, axes in enumerate(self.classes):
            for site, _ in axes:
                selection.setdefault(site, None)
            free = all(selection[site] in (None, place) for site, place in axes)
            if number in banned or not free or len({s for s, _ in axes}) < len(axes):
                continue
            selection.update(axes)
        return selection


def choices(sites: Sites, atom_classes: AtomClasses) -> Choice:
    """Classes of axes after an opaque walk: heads, what goes first, then the innermost factors.

    Axes that share units must be chosen together. Those that must stay are left out.
    """
    owner: dict[int, int] = {}
    members: dict[int, list[Axis]] = {}
    for axis, ids in sites.axes.items():
        classes = np.unique(atom_classes.label[ids]).tolist()
        met = {owner[c] for c in classes if c in owner}
        home = min(met) if met else len(members) + len(owner)
        while home not in met and home in members:
            home += 1
        union = [axis]
        for other in met:
            union += members.pop(other)
        members[home] = union
        for number, old in list(owner.items()):
            if old in met:
                owner[number] = home
        owner.update(dict.fromkeys(classes, home))
    heads, first = (
        {int(c) for ids in several for c in atom_classes.label[ids]}
        for several in (sites.heads, sites.first)
    )
    ranks: list[tuple[bool, bool, int, int, tuple[Axis, ...]]] = []
    for axes in members.values():
        if any(atom_classes.stays(sites.axes[axis]) for axis in axes):
            continue
        labels = {int(c) for axis in axes for c in atom_classes.label[sites.axes[axis]]}
        depth = max(place for _, place in axes)
        rank = not labels & heads, not labels & first, -depth, len(ranks)
        ranks.append((*rank, tuple(axes)))
    return Choice(tuple(axes for *_, axes in sorted(ranks)))
