"""Where does the map stand, and what follows from a click on a block?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

import streamlit as st

from pruneviz.background import Job
from pruneviz.network.graph_cache import GraphCache
from pruneviz.network.routes import routes
from pruneviz.progress import Progress
from pruneviz.storage.faults import public
from pruneviz.ui.network_map import draw_map
from pruneviz.ui.network_map.content import blocks_of, facts, geometry, outside_of
from pruneviz.ui.network_map.folds import MOST, Block, first_open, within_bounds
from pruneviz.ui.session import Session
from pruneviz.ui.session.page_work import PageWork
from pruneviz.ui.text import as_sentence, code
from pruneviz.ui.wording import duration

_KEY, _OPEN = "map", "map_open"
_ALL, _NONE = "*", "-"
_NAMED = 8
_SOON = 0.6  # seconds that a page waits for small networks
_HALF = 8.0  # seconds after which the bar of a work of unknown length stands in the middle


@dataclass
class MapWork(PageWork):
    """The tracing of a session's network, for all who have it open.

    begun: when, as `time.monotonic` counts.
    """

    page: ClassVar[str] = "Workbench"

    begun: float = 0.0


def network_map(session: Session) -> None:
    """The network as a graph, or why there is none; folding draws nothing else anew.

    A network that takes long to trace is traced in the background.
    """
    work, cache = MapWork.of(session), session.bench.graph_cache
    work.take_ended()
    if not cache.was_traced and not work.running:
        work.begun = time.monotonic()
        work.job = Job(lambda report: _trace(cache, report))
        work.job.wait(_SOON)
        work.take_ended()
    work.redraw(_draw)


def _trace(cache: GraphCache, report: Progress) -> None:
    report("tracing the network", 0.0)
    cache.graph_or_none()


def _draw(work: MapWork) -> None:
    work.turn()
    if work.running:
        seconds = time.monotonic() - work.begun
        st.progress(
            min(0.95, seconds / (seconds + _HALF)),
            f"Tracing the network for its map, since {duration(seconds)}. Everything else can be "
            "used meanwhile; the map appears here by itself.",
        )
        return
    _map(work.session)


def _map(session: Session) -> None:
    bench = session.bench
    try:
        graph = bench.graph
    except ValueError as error:
        st.info(f"There is no map of this network. {as_sentence(public(error))}")
        return
    ways = routes(graph, bench.layer_of)
    root = blocks_of(ways)
    wanted = st.session_state.get(_OPEN, {}).get(session.name)
    opened = within_bounds(root, first_open(root) if wanted is None else wanted)
    data = geometry(ways, root, opened) | facts(bench, session.settled)
    draw_map(data, key=_KEY, on_toggle=lambda: _toggle(session.name, root, opened))
    if wanted is not None and len(opened) < len(wanted):
        st.caption(f"At most {MOST} marks are drawn: what was unfolded first is folded again.")
    lacking = outside_of(bench, ways)
    if lacking:
        names = ", ".join(code(name) for name in lacking[:_NAMED]) + (
            " …" if len(lacking) > _NAMED else ""
        )
        st.caption(f"Not in the graph that torch traced: {names}.")


def _toggle(network: str, root: Block, opened: tuple[str, ...]) -> None:
    """Fold an open block, unfold another; or all that fit, or none."""
    state = st.session_state.get(_KEY)
    name = state.get("toggle") if state else None
    if not isinstance(name, str):
        return
    if name in (_ALL, _NONE):
        opened = _every_name(root) if name == _ALL else ()
    elif name in opened:
        opened = tuple(each for each in opened if each != name)
    else:
        opened = (*opened, name)
    st.session_state.setdefault(_OPEN, {})[network] = opened


def _every_name(root: Block) -> tuple[str, ...]:
    names: list[str] = []
    level = list(root.blocks)
    while level:
        names += [block.name for block in level]
        level = [inner for block in level for inner in block.blocks]
    return within_bounds(root, tuple(reversed(names)))
