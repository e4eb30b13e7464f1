"""Where does each mark of the map stand, and which way do its arrows go?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from fast_sugiyama import from_edges
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Place = tuple[float, float]
_SPACING = 100.0
_ROW, _GAP = 56.0, 26.0  # pixels, from row to row and between columns
_HEIGHT = 38.0


@dataclass(frozen=True)
class MapLayout:
    """Places in pixels from the upper left corner.

    marks: the centre of each. ways: of each arrow, the places it passes, from mark to mark.
    """

    marks: tuple[Place, ...]
    ways: tuple[tuple[Place, ...], ...]
    width: float
    height: float


def lay_out(widths: Sequence[float], arrows: Sequence[tuple[int, int]]) -> MapLayout:
    """Layered, from left to right (Sugiyama's method, by the library fast-sugiyama).

    widths: of each mark, in pixels. arrows: between marks by number, without any from a mark to
    itself. What has no arrow stands in a column of its own, at the end.
    """
    places, chains = _layers(arrows, len(widths))
    places = _along_one_line(places)
    end = max((x for x, _ in places.values()), default=-1.0) + 1
    lone = [mark for mark in range(len(widths)) if mark not in places]
    places |= {mark: (end, float(row)) for row, mark in enumerate(lone)}
    columns = _columns(widths, places)
    top = min((y for _, y in places.values()), default=0.0)
    at = {mark: (columns[x], (y - top) * _ROW + _ROW / 2) for mark, (x, y) in places.items()}
    ways = tuple(tuple(at[mark] for mark in chains[arrow]) for arrow in arrows)
    right = max((at[mark][0] + width / 2 for mark, width in enumerate(widths)), default=0.0)
    bottom = max((y for _, y in at.values()), default=0.0) + _ROW / 2
    return MapLayout(tuple(at[mark] for mark in range(len(widths))), ways, right + _GAP / 2, bottom)


def _layers(
    arrows: Sequence[tuple[int, int]], bend: int
) -> tuple[dict[int, Place], dict[tuple[int, int], list[int]]]:
    """(column and row of each mark, and of the bends of long arrows; the bends of each arrow).

    bend: the number of the first bend.
    """
    places: dict[int, Place] = {}
    chains: dict[tuple[int, int], list[int]] = {}
    down = 0.0
    for marks in _parts(arrows):
        number = dict(enumerate(marks))
        back = {mark: place for place, mark in number.items()}
        inside = [(back[start], back[end]) for start, end in arrows if start in back]
        # One part at a time: the library numbers bends as if there were no other.
        ((positions, width, height, edges),) = from_edges(
            inside, vertex_spacing=_SPACING, dummy_vertices=True, dummy_size=_SPACING / 4
        )
        bends = [(int(start), int(end)) for start, end in edges or ()]
        for place, (x, y) in ((int(place), at) for place, at in positions):
            if place not in number:
                number[place], bend = bend, bend + 1
            places[number[place]] = round((height - y) / _SPACING), x / _SPACING + down
        after = {start: end for start, end in bends if start >= len(marks)}
        for start, end in bends:
            chain = [start, end]
            while chain[-1] in after:
                chain.append(after[chain[-1]])
            if start < len(marks):
                chains[number[start], number[chain[-1]]] = [number[each] for each in chain]
        down += width / _SPACING + 1
    for start, end in arrows:  # the library turns an arrow round that closes a circle
        if (start, end) not in chains:
            chains[start, end] = list(reversed(chains.get((end, start), [end, start])))
    return places, chains


def _along_one_line(places: Mapping[int, Place]) -> dict[int, Place]:
    """What stands in a column of its own stands in one line, and what lies between goes with it.

    Long networks would otherwise climb or sink by a little at every branch.
    """
    columns: dict[float, list[int]] = {}
    for mark, (x, _) in places.items():
        columns.setdefault(x, []).append(mark)
    alone = {x: places[marks[0]][1] for x, marks in columns.items() if len(marks) == 1}
    moved = {}
    for mark, (x, y) in places.items():
        ends = [
            alone[near]
            for near in (
                max((each for each in alone if each <= x), default=None),
                min((each for each in alone if each >= x), default=None),
            )
            if near is not None
        ]
        moved[mark] = x, y - sum(ends) / len(ends) if ends else y
    return moved


def _parts(arrows: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The marks of each part that hangs together by arrows."""
    marks = sorted({mark for arrow in arrows for mark in arrow})
    if not marks:
        return []
    starts, ends = zip(*arrows, strict=True)
    links = coo_array((np.ones(len(arrows)), (starts, ends)), shape=(marks[-1] + 1,) * 2)
    _, parts = connected_components(links, directed=False)
    inside: dict[int, list[int]] = {}
    for mark in marks:
        inside.setdefault(int(parts[mark]), []).append(mark)
    return list(inside.values())


def _columns(widths: Sequence[float], places: Mapping[int, Place]) -> dict[float, float]:
    """Column -> its centre in pixels; a column is as wide as the widest mark in it."""
    wide: dict[float, float] = {}
    for mark, (column, _) in places.items():
        width = widths[mark] if mark < len(widths) else 0.0
        wide[column] = max(wide.get(column, 0.0), width)
    centres, x = {}, _GAP / 2
    for column in sorted(wide):
        centres[column] = x + wide[column] / 2
        x += wide[column] + _GAP
    return centres
