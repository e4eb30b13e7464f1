"""What do all sessions share?"""

from __future__ import annotations

import streamlit as st

from pruneviz.plan import Plan
from pruneviz.ui import scene
from pruneviz.workbench import Workbench, open_workbench


@st.cache_resource(max_entries=8, show_spinner="Opening the network …")
def bench(name: str) -> Workbench:
    """The workbench of a registered model, opened once for everybody."""
    return open_workbench(name)


@st.cache_data(max_entries=32, show_spinner=False)
def scene_data(scene_id: str, _bench: Workbench, _plan: Plan) -> dict[str, object]:
    """What the board needs to repaint by itself while a thumb moves; scene_id tells all of it."""
    return scene.describe(_bench, _plan)


@st.cache_data(max_entries=128, show_spinner=False)
def picture_data(picture_id: str, _bench: Workbench, _plan: Plan, focus: str) -> dict[str, object]:
    """The pictures of the layer in focus; picture_id tells all of it."""
    return scene.picture(_bench, _plan, focus)
