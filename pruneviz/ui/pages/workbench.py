"""How is a network pruned by hand?"""

from __future__ import annotations

import streamlit as st

from pruneviz.plan import Plan
from pruneviz.pruning.labels import label
from pruneviz.ui.boundary import part
from pruneviz.ui.classroom.entrance import is_new_to_class
from pruneviz.ui.elsewhere import show_work
from pruneviz.ui.learn.controls import only_of_class
from pruneviz.ui.link import link_field
from pruneviz.ui.look import tight
from pruneviz.ui.pages import PAGES
from pruneviz.ui.session import Session
from pruneviz.ui.text import plain
from pruneviz.ui.workbench import address
from pruneviz.ui.workbench.desk import desk, leave
from pruneviz.ui.workbench.welcome import welcome


def main() -> None:
    """The page from top to bottom."""
    tight()
    if is_new_to_class():
        st.switch_page(PAGES["Learn"][0])
    session = address.here()
    show_work("Workbench")
    welcome(session)
    only_of_class()
    desk(session)
    with st.container(border=True):
        _keep(session)
    leave(session)


def _go_to(session: Session, plan: Plan) -> None:
    address.settle(session, plan)
    st.rerun()


@part
def _keep(session: Session) -> None:
    """Snapshots by name, and the link to exactly this state."""
    left, right = st.columns([3, 2], gap="medium")
    with left, st.form("snapshot", clear_on_submit=True, border=False):
        columns = st.columns([4, 1], vertical_alignment="bottom")
        name = columns[0].text_input(
            "Snapshot",
            placeholder="name this plan, to come back to it",
            max_chars=60,
            help="Come back to it here, also after a reload, and on the page History.",
        )
        if columns[1].form_submit_button("Keep", use_container_width=True) and name.strip():
            session.snapshots[name.strip()] = session.settled
            if session.diary is not None:
                session.diary.name_branch(session.settled, name.strip())
    if session.diary is not None and session.diary.history.complaint:
        left.warning(plain(f"{session.diary.history.complaint}."))
    with right:
        st.caption("Link to this state: the plan is in the address.")
        link_field(address.link_to(session), "link to this state", key="link")
    for place, (title, plan) in enumerate(session.snapshots.items()):
        columns = left.columns([4, 1], vertical_alignment="center")
        columns[0].markdown(f"**{plain(title)}** — {plain(label(plan))}")
        if columns[1].button("Return", key=f"snapshot-{place}") and plan != session.settled:
            _go_to(session, plan)


part(main)()
