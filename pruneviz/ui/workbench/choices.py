"""What do the widgets above the board hold, and how is it replaced for good?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

_GENERATION = "ask_generation"
_SEEN = "ask_seen"


def key(name: str) -> str:
    """Of the widget that stands now for this choice."""
    return f"{name}-{st.session_state.get(_GENERATION, 0)}"


def value(name: str) -> Any:
    """What is chosen."""
    return st.session_state[key(name)]


def put(name: str, choice: object) -> None:
    """Let the widget, which is still to be drawn, hold this."""
    st.session_state[key(name)] = choice


def is_known(name: str) -> bool:
    """Whether a widget for this choice was drawn in the last run."""
    return key(name) in st.session_state


def clicks(names: Iterable[str]) -> dict[str, Any]:
    """What somebody has chosen since the widgets were read last."""
    seen: dict[str, Any] = st.session_state.get(_SEEN, {})
    here = {name: value(name) for name in names if name in seen and is_known(name)}
    return {name: choice for name, choice in here.items() if choice != seen[name]}


def see(names: Iterable[str]) -> None:
    """Take note of what the widgets hold."""
    st.session_state[_SEEN] = {name: value(name) for name in names if is_known(name)}


def replace_all(choices: Mapping[str, object]) -> None:
    """Let all widgets hold these; new ones, where any held something else.

    A browser sends all that its widgets hold with each request. One that was on its way meanwhile
    would bring back what is replaced, and with it the plan that was left; of new widgets it knows
    nothing. What was clicked since they were read last stays: else that click would be lost.
    """
    choices = {**choices, **clicks(choices)}
    if any(is_known(name) and value(name) != choice for name, choice in choices.items()):
        st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1
    for name, choice in choices.items():
        put(name, choice)
    if _SEEN in st.session_state:
        see(st.session_state[_SEEN])


def complete(choices: Mapping[str, object]) -> None:
    """Let widgets that were not drawn in the last run, and so are forgotten, hold these."""
    for name, choice in choices.items():
        if not is_known(name):
            put(name, choice)
