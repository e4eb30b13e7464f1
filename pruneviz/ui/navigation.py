"""How does a person go from page to page without losing what is on the screen?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pruneviz.ui.boundary import part
from pruneviz.ui.pages import TEACHER
from pruneviz.ui.session import classmates
from pruneviz.ui.workbench import address
from pruneviz.ui.workbench.skip import skip_link

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator
    from streamlit.navigation.page import StreamlitPage


def show(page: StreamlitPage, pages: Sequence[StreamlitPage]) -> None:
    """The links to all pages, and the one that is asked for.

    Streamlit's own bar is hidden, as it leaves out what is in the address: a link in another tab
    would open another network, and each page would stand in the browser's history twice, once
    without it.
    """
    if page.url_path == "" or {"lesson", "assignment", "goal"} & {
        *st.query_params
    }:  # where the board stands
        skip_link()
    place = st.container(key="navigation").empty()
    query = address.query_to_come()
    _links(place, pages, query)
    page.run()
    now = address.query_here()
    if now != query:
        _links(place, pages, now)


@part
def _links(place: DeltaGenerator, pages: Sequence[StreamlitPage], query: dict[str, str]) -> None:
    with place.container(horizontal=True, gap="xxsmall"):
        for page in pages:
            if page.title == TEACHER and not classmates.is_teacher():
                continue
            st.page_link(page, query_params=query)
