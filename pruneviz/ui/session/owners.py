"""Who is at this browser?"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

import streamlit as st

COOKIE = "pruneviz_owner"
_KEY = "owner"
_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")  # as many letters as that many bytes have


@dataclass(frozen=True)
class Owner:
    """Whoever a history belongs to.

    name: in the history. token: what the browser tells to be known again; "" of somebody who
    signed in. kept: whether it will be told again; None: the browser has not answered yet.
    """

    name: str
    token: str = ""
    kept: bool | None = True


def current() -> Owner | None:
    """Whoever looks at the page that is drawn; None where there is no browser, as in a test.

    The name is a digest: whoever reads the history's file cannot pass for its owners.
    """
    owner: Owner | None = st.session_state.get(_KEY)
    if owner is None and st.context.headers:
        owner = _signed_in() or _by_cookie() or by_token(secrets.token_urlsafe(_BYTES), None)
        remember(owner)
    return owner


def remember(owner: Owner) -> None:
    """Take whoever looks at the page for this owner from now on."""
    st.session_state[_KEY] = owner


def by_token(token: str, kept: bool | None) -> Owner:
    """The owner whose browser tells this."""
    return Owner(_digest("browser", token), token, kept)


def is_token(text: object) -> bool:
    """Whether a browser may have been given this: it can send anything."""
    return isinstance(text, str) and _TOKEN.fullmatch(text) is not None


def can_sign_in() -> bool:
    """Whether a sign-in is set up and nobody has made use of it."""
    # Streamlit tells "False" where there is a section [auth] among its secrets, else nothing.
    return bool(st.context.headers) and st.user.get("is_logged_in") is False


def _signed_in() -> Owner | None:
    user = st.user
    subject = user.get("sub") or user.get("email")
    if user.get("is_logged_in") is not True or not subject:
        return None
    return Owner(_digest("user", str(user.get("iss") or ""), str(subject)))


def _by_cookie() -> Owner | None:
    token = st.context.cookies.get(COOKIE)
    return by_token(token, True) if token is not None and is_token(token) else None


def _digest(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:32]
