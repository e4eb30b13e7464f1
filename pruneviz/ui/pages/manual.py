"""What does each part of the tool mean, and how is it used from Python and the command line?"""

from __future__ import annotations

import streamlit as st

from pruneviz.ui.boundary import part
from pruneviz.ui.elsewhere import show_work
from pruneviz.ui.look import tight
from pruneviz.ui.topics import app_text, title, topics


def main() -> None:
    """The page from top to bottom."""
    tight()
    show_work("Manual")
    pages = topics()
    wish = st.query_params.get("topic", "")
    menu, text = st.columns([1, 3.4], gap="large")
    with menu:
        topic = st.radio(
            "Manual",
            list(pages),
            index=list(pages).index(wish) if wish in pages else 0,
            format_func=lambda name: title(pages[name]),
            key="manual-topic",
        )
    st.query_params["topic"] = topic
    with text:
        st.markdown(app_text(pages[topic]))


part(main)()
