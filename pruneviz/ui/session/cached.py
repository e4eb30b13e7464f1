"""What do all sessions share?"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import streamlit as st

from pruneviz.history import History
from pruneviz.plan import Plan
from pruneviz.sources.few import few
from pruneviz.sources.opening import OpenRequest
from pruneviz.storage.home import home
from pruneviz.ui.board import curve_data, scene, thumbnails
from pruneviz.ui.session import owners
from pruneviz.workbench import Workbench
from pruneviz.workbench.opening import open_workbench


@st.cache_resource(max_entries=8, show_spinner="Opening the network …")
def bench(name: str) -> Workbench:
    """The workbench of a registered model, opened once for everybody."""
    return _few(open_workbench(name))


@st.cache_resource(max_entries=2, show_spinner="Opening the network …")
def bench_of(request: OpenRequest) -> Workbench:
    """The workbench of what the app was started with, opened once for everybody."""
    return _few(open_workbench(request))


def _few(opened: Workbench) -> Workbench:
    source = few(opened.plain_source)
    return opened if source is opened.plain_source else Workbench(source)


def history() -> History:
    """The history in the user's folder, as far as it belongs to whoever is at this browser."""
    owner = owners.current()
    return everybodys_history() if owner is None else everybodys_history().of(owner.name)


def everybodys_history() -> History:
    """The whole of it, open for everybody; not to be shown to anybody."""
    return _history(str(home()))


def training_folder() -> Path:
    """Where the trainings of whoever is at this browser are kept."""
    owner = owners.current()
    # Whoever has what is nobody's shares it with the command line, which names no owner.
    if owner is None or history().holds:
        return home() / "training"
    return home() / "owners" / owner.name / "training"


def versions_folder() -> Path:
    """Where files are kept that whoever is at this browser opened as versions."""
    return training_folder().with_name("versions")


@st.cache_resource(max_entries=2, show_spinner=False)
def _history(folder: str) -> History:
    return History(Path(folder))


@st.cache_data(max_entries=32, show_spinner=False)
def scene_data(scene_id: str, _bench: Workbench, _plan: Plan) -> dict[str, object]:
    """What the board needs to repaint by itself while a thumb moves; scene_id tells all of it."""
    return scene.describe(_bench, _plan)


@st.cache_data(max_entries=128, show_spinner=False)
def picture_data(
    picture_id: str, _bench: Workbench, _plan: Plan, focus: str, scored: bool
) -> dict[str, object]:
    """The pictures of the layer in focus; picture_id tells all of it."""
    return scene.picture(_bench, _plan, focus, scored=scored)


@st.cache_data(max_entries=1024, show_spinner=False)
def thumbnail_data(
    thumbnail_id: str, _bench: Workbench, _plan: Plan, name: str
) -> dict[str, object]:
    """A layer in small; thumbnail_id tells all of it."""
    return thumbnails.thumbnail(_bench, _plan, name)


@st.cache_data(max_entries=32, show_spinner=False)
def sensitivity_evidence(key: str, _bench: Workbench, _plan: Plan) -> dict[str, object]:
    """Curves and estimates for the board; key tells all of it."""
    return curve_data.sensitivity_evidence(_bench, _plan)


@st.cache_data(max_entries=64, show_spinner=False)
def allocation(
    key: str, _bench: Workbench, _plan: Plan, _method: str, _locked: Collection[str]
) -> dict[str, object]:
    """What the bulk slider asks of each layer; key tells all of it."""
    return curve_data.allocation(_bench, _plan, _method, _locked)
