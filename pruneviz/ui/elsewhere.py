"""What is at work for this visitor on other pages than the one on the screen?"""

from __future__ import annotations

import streamlit as st

from pruneviz.ui.boundary import part, ticking
from pruneviz.ui.pages import PAGES
from pruneviz.ui.session.page_work import PageWork, behind
from pruneviz.ui.text import plain
from pruneviz.ui.workbench import address

_TICK = 1.0


@part
def show_work(here: str) -> None:
    """A line for each job that other pages than `here` (a title) show: how far it is, with the way
    there. Nothing where nothing is at work.
    """
    if work_beside(here):
        _watch(here)


def work_beside(here: str) -> list[PageWork]:
    """What is at work and shown on another page or for another network, in the order of pages."""
    every = [st.session_state.get(kind.__name__) for kind in PageWork.__subclasses__()]
    others = [work for work in every if work is not None and work.page not in ("", here)]
    running = [*(work for work in others if work.running), *behind()]
    return sorted(running, key=lambda work: [*PAGES].index(work.page))


@ticking(_TICK)
def _watch(here: str) -> None:
    running = work_beside(here)
    if not running:
        st.rerun()
    with st.container(horizontal=True, gap="medium", key="work-elsewhere"):
        for work in running:
            assert work.job is not None
            page, icon = PAGES[work.page]
            left = any(work is one for one in behind())
            where = f" on {work.session.name}" if left else ""
            far = f"{work.job.words} · {work.job.done:.0%}"
            st.page_link(
                page,
                label=plain(f"{work.page} is at work{where}: {far}"),
                icon=f":material/{icon}:",
                width="content",
                query_params=address.query(work.session) if left else address.query_here(),
            )
