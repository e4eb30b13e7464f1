"""Who sees this history, and how does somebody let others read a part of it?"""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from pruneviz.history import History
from pruneviz.storage.faults import public
from pruneviz.ui.boundary import part
from pruneviz.ui.link import link_field
from pruneviz.ui.session import cached, owners
from pruneviz.ui.text import as_sentence

SHARED = "shared"  # in the address


def history_here() -> tuple[History, bool]:
    """The history that this page shows, and whether it is somebody else's, to be read only."""
    mine, token = cached.history(), st.query_params.get(SHARED)
    if token is None:
        return mine, False
    try:
        history = mine.branch(token)
    except ValueError as error:
        st.warning(as_sentence(public(error)))
        return mine, False
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.info(
        "Somebody has shared this branch with you: look at it, compare plans, or open one to "
        "continue from there in your own history. Nothing in it can be changed here."
    )
    if right.button("My own history", key="history-mine", width="stretch"):
        del st.query_params[SHARED]
        st.rerun()
    return history, True


@part
def offer(history: History, number: int) -> None:
    """Let others read what begins at a visit, or withdraw that."""
    token = history.shares.get(number)
    if token is None:
        if st.button(
            "Share to read",
            key="history-share",
            icon=":material/share:",
            help="Makes a link. Whoever has it can read this plan and every plan made from it, "
            "now or later, with names and notes, but change nothing. You can withdraw it.",
        ):
            history.share(number)
            st.rerun()
        return
    st.caption("Whoever has this link can read this plan and every plan made from it:")
    link_field(_link(token), "link to what is shared", key="history-link")
    if st.button("Withdraw the link", key="history-withdraw", icon=":material/link_off:"):
        history.withdraw(number)
        st.rerun()


@part
def whose() -> None:
    """Say who sees these plans, where that is less than everybody would expect."""
    owner = owners.current()
    if owner is not None and owner.kept is False:
        st.warning(
            "This browser keeps no cookie for this address (a private window, or cookies are "
            "refused), so it will not be recognised again: your history lasts only until this "
            "tab is closed or reloaded. Share a branch to keep access to it, or download the CSV."
        )
    if owners.can_sign_in() and st.button("Sign in", key="history-sign-in"):
        st.login()


def _link(token: str) -> str:
    base = (st.context.url or "").split("?")[0]
    return f"{base}?{urlencode({SHARED: token})}"
