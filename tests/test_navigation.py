"""Does a visitor stay on the page of the address, however slow the server starts?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pruneviz.ui.session import arrive, recognition

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


def test_links_lead_to_where_back_led_before_the_page_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A click between Back and the end of the run would else bring the later plan again."""
    app = AppTest.from_file(str(APP), default_timeout=120)
    app.query_params["model"] = "lenet300"
    app.run()
    before, session = dict(app.query_params), app.session_state["session"]
    arrive(session, replace(session.settled, sparsity={"fc1": 0.5}))
    app.run().run()
    assert "plan" in app.query_params
    queries = list[dict[str, str]]()
    monkeypatch.setattr(
        st, "page_link", lambda *_, query_params, **__: queries.append(query_params)
    )
    app.query_params.clear()
    app.query_params.update(before)
    app.run()
    assert not app.exception
    assert session.settled.is_dense
    assert queries
    assert not any("plan" in query for query in queries)
