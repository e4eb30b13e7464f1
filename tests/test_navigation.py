"""Does a visitor stay on the page of the address, however slow the server starts?"""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pruneviz.ui.session import recognition

APP = Path(__file__).parents[1] / "app.py"


def test_a_browser_is_asked_who_it_is_when_it_knows_its_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its answer draws the page anew: before the pages are told, that would be the first of all."""
    order, navigation, ask = [], st.navigation, recognition.serve

    def told(*words: object, **more: object) -> object:
        order.append("pages")
        return navigation(*words, **more)

    def asked(*words: object) -> None:
        order.append("browser")
        ask(*words)

    monkeypatch.setattr(st, "navigation", told)
    monkeypatch.setattr(recognition, "serve", asked)
    app = AppTest.from_file(str(APP), default_timeout=120).run()
    assert not app.exception
    assert order == ["pages", "browser"]
