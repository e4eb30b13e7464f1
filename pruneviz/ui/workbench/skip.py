"""How does somebody at the keyboard reach the sliders without passing all that stands above?"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pruneviz.ui.boundary import part

_KEY = "skip"
_FILE = Path(__file__)
_component = st.components.v2.component(
    "pruneviz.skip",
    html='<button type="button" data-testid="skip">Skip to the sliders</button>',
    css=_FILE.with_suffix(".css").read_text("utf-8"),
    js=_FILE.with_suffix(".js").read_text("utf-8"),
)


@part
def skip_link() -> None:
    """The way from the top of the page to the first slider that can be moved; seen when focused."""
    with st.container(key=_KEY):
        _component(key=f"{_KEY}-link")
