"""How is a browser known again the next time?"""

from __future__ import annotations

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pruneviz.classroom import current_rules
from pruneviz.turns import serve
from pruneviz.ui.boundary import part
from pruneviz.ui.session import Session, cached, classmates, notebook, owners
from pruneviz.ui.session.departures import departures
from pruneviz.ui.session.owners import COOKIE, Owner

_KEY, _STATE, _DONE = "owner_cookie", "kept", "owner_claimed"
_SECONDS = 400 * 24 * 3600  # as long as browsers keep a cookie, from each visit on

# What is there already stays: two tabs that are opened at once agree on the one that was first.
_SCRIPT = """
export default function ({ data, setStateValue }) {
    const read = () => {
        const all = document.cookie.split("; ");
        return all.find(each => each.startsWith(`${data.name}=`))?.slice(data.name.length + 1);
    };
    const secure = location.protocol === "https:" ? "; Secure" : "";
    const rest = `Path=/; Max-Age=${data.seconds}; SameSite=Strict${secure}`;
    const there = read();
    const token = /^[A-Za-z0-9_-]{43}$/.test(there ?? "") ? there : data.token;
    document.cookie = `${data.name}=${token}; ${rest}`;
    if (!data.known) setStateValue("kept", read() === token ? token : "");
}
"""
_component = st.components.v2.component("pruneviz.owner", js=_SCRIPT)


@part
def recognise() -> None:
    """Find out who is here, and have the browser say so again; called before a page is drawn."""
    serve(_visitor, _is_present)
    visitor = _visitor()
    if visitor is not None and runtime.exists():
        departures(_is_present).come(visitor)
    owner = owners.current()
    if owner is None:
        return
    if owner.token:
        owner = _ask(owner)
    if owner.kept and not st.session_state.get(_DONE):
        # Only of somebody who comes back: what is nobody's would be lost with the tab.
        st.session_state[_DONE] = True
        if current_rules() is None:  # in a class what is nobody's is no student's
            cached.history().claim()


def _visitor() -> str | None:
    """The tab that the script at work draws."""
    context = get_script_run_ctx(suppress_warning=True)
    return None if context is None else context.session_id


def _is_present(visitor: str) -> bool:
    """Whether the tab is open; a test without a server has nobody who could leave."""
    return not runtime.exists() or runtime.get_instance().is_active_session(visitor)


def _ask(owner: Owner) -> Owner:
    """The owner as the browser knows it, which is given a cookie that it keeps, or not."""
    data = {"name": COOKIE, "token": owner.token, "known": owner.kept is True, "seconds": _SECONDS}
    with st.container(key="owner"):  # of no height: see pruneviz/ui/look.py
        result = _component(data=data, key=_KEY, on_kept_change=_nothing)
    token = result.get(_STATE)
    if owner.kept or token is None:
        return owner
    kept = owners.is_token(token)
    new = owners.by_token(str(token) if kept else owner.token, kept)
    if new != owner:
        _become(owner, new)
    return new


def _become(before: Owner, now: Owner) -> None:
    """Another tab was first: what was visited here since then is whose browser it is."""
    owners.remember(now)
    if now.name == before.name:
        return
    cached.everybodys_history().give(before.name, now.name)
    notebook.give(before.name, now.name)
    if current_rules() is not None:
        classmates.register().give(before.name, now.name)
    session: Session | None = st.session_state.get("session")
    if session is not None and session.diary is not None:
        session.diary.history = cached.history()


def _nothing() -> None:
    """The answer is read when the script runs; Streamlit asks for a callback all the same."""
