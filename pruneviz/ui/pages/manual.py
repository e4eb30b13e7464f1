"""What does each part of the tool mean, and how is it used from Python and the command line?"""

from __future__ import annotations

import streamlit as st

from pruneviz.ui.boundary import part
from pruneviz.ui.elsewhere import show_work
from pruneviz.ui.look import tight
from pruneviz.ui.topics import app_text, title, topics
from pruneviz.ui.workbench import address

_TOPIC, _WIDGET = "topic", "manual-topic"


def main() -> None:
    """The page from top to bottom."""
    tight()
    show_work("Manual")
    pages = topics()
    if "session" in st.session_state:
        address.write(address.here(), _TOPIC)
    wish = st.query_params.get(_TOPIC, "")
    if st.session_state.get(_WIDGET) not in (None, wish) and address.went():
        st.session_state[_WIDGET] = wish if wish in pages else next(iter(pages))
    menu, text = st.columns([1, 3.4], gap="large")
    with menu:
        topic = st.radio(
            "Manual",
            list(pages),
            index=list(pages).index(wish) if wish in pages else 0,
            format_func=lambda name: title(pages[name]),
            key=_WIDGET,
        )
    if wish or topic != next(iter(pages)):
        st.query_params[_TOPIC] = topic
    with text:
        st.markdown(app_text(pages[topic]))


part(main)()
