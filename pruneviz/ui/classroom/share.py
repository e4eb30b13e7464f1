"""How do students find the class?"""

from __future__ import annotations

import io

import segno
import streamlit as st

from pruneviz.ui.boundary import part
from pruneviz.ui.session import classmates
from pruneviz.ui.text import plain

_WIDTH = 420


@part
def share() -> None:
    """The address, large and as a picture that a phone reads."""
    address = classmates.rules().address
    with st.popover("Share", icon=":material/qr_code_2:", width="stretch", key="class-share"):
        st.markdown(f"Students open\n\n### {plain(address)}")
        st.image(picture(address), f"QR code of {plain(address)}", _WIDTH)


def picture(address: str) -> bytes:
    """The address as a QR code: a PNG that is black on white in either theme."""
    buffer = io.BytesIO()
    segno.make(address, error="m", micro=False).save(buffer, kind="png", scale=12, border=4)
    return buffer.getvalue()
