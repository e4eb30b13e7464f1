"""Which class is at this server, and is whoever is at this browser its teacher?"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pruneviz.classroom import ClassRules, Register, Student, current_rules
from pruneviz.classroom.door import Door
from pruneviz.storage.home import home
from pruneviz.ui.session import owners


def rules() -> ClassRules:
    """Those of the class; to be called where there is one."""
    found = current_rules()
    assert found is not None, "no class is at this server"
    return found


def register() -> Register:
    """Who sits in the class."""
    return _register(str(home()))


def owner() -> str:
    """Under whose name records of whoever is here are kept."""
    current = owners.current()
    return "" if current is None else current.name


def student() -> Student | None:
    """Whoever is here, once they have said their name."""
    return register().find(owner())


def sit(place: str) -> None:
    """Note in the class that whoever is here is at a lesson or goal; elsewhere nothing."""
    if current_rules() is not None:
        register().sit(owner(), place)


def is_teacher() -> bool:
    """Whether whoever is here has given the teacher's code."""
    return current_rules() is not None and _door(rules().lock).is_open(owner())


def enter_as_teacher(code: str) -> str:
    """ "" once they are in, else the sentence that says why not."""
    return _door(rules().lock).enter(owner(), code)


@st.cache_resource(max_entries=2, show_spinner=False)
def _register(folder: str) -> Register:
    return Register(Path(folder))


@st.cache_resource(max_entries=2, show_spinner=False)
def _door(lock: str) -> Door:
    return Door(lock)
