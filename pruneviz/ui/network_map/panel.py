"""Where does the map stand, and what follows from a click on a block?"""

from __future__ import annotations

import streamlit as st

from pruneviz.network.routes import routes
from pruneviz.storage.faults import public
from pruneviz.ui.boundary import fragment
from pruneviz.ui.network_map import draw_map
from pruneviz.ui.network_map.content import blocks_of, facts, geometry, outside_of
from pruneviz.ui.network_map.folds import MOST, Block, first_open, within_bounds
from pruneviz.ui.session import Session
from pruneviz.ui.text import as_sentence, code

_KEY, _OPEN = "map", "map_open"
_ALL, _NONE = "*", "-"
_NAMED = 8


def network_map(session: Session) -> None:
    """The network as a graph, or why there is none; folding draws nothing else anew."""
    fragment(_map)(session)


def _map(session: Session) -> None:
    bench = session.bench
    try:
        with st.spinner("Tracing the network …"):
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
