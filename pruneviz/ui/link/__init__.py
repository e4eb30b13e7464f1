"""How does somebody take a link along?"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pruneviz.ui.boundary import part

_HTML = """
<div class="link">
  <input type="text" readonly data-testid="link">
  <button type="button" data-testid="copy-link">Copy</button>
  <output aria-live="polite"></output>
</div>
"""
_FOLDER = Path(__file__).parent
_component = st.components.v2.component(
    "pruneviz.link",
    html=_HTML,
    css=(_FOLDER / "link.css").read_text("utf-8"),
    js=(_FOLDER / "link.js").read_text("utf-8"),
)


@part
def link_field(link: str, label: str, *, key: str) -> None:
    """A link in a field to read, with a button that copies it.

    Streamlit's `st.code` does as much, and loads 1.5 MB of rules for colouring programs to do it.

    Args:
        link: all of the address.
        label: what the link leads to, for who hears the page.
        key: of the component, once on a page.
    """
    _component(data={"link": link, "label": label}, key=key)
