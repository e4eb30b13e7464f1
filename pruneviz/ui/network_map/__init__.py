"""How is the network seen as a graph?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from pruneviz.ui.board import FOLDER
from pruneviz.ui.board.modules import one_module

__all__ = ["draw_map"]

_component = st.components.v2.component(
    "pruneviz.map",
    js=one_module(FOLDER, "map"),
    css=(FOLDER / "map.css").read_text("utf-8"),
    isolate_styles=True,
)


def draw_map(data: Mapping[str, object], *, key: str, on_toggle: Callable[[], None]) -> None:
    """Draw the map; on_toggle runs when a block is to be folded or unfolded, whose name is then
    `st.session_state[key]["toggle"]`.
    """
    _component(data=dict(data), key=key, on_toggle_change=on_toggle)
