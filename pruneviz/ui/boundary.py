"""What stands on a page in place of a part that could not be drawn?"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import streamlit as st

from pruneviz.gate import GATE
from pruneviz.storage.faults import public
from pruneviz.ui.text import plain

P = ParamSpec("P")
R = TypeVar("R")


def part(draw: Callable[P, R]) -> Callable[P, R | None]:
    """A part of a page: whatever raises in it becomes a sentence in its place, and the rest of the
    page is drawn; it returns None then. What Streamlit raises to stop or to begin anew passes.
    """

    @functools.wraps(draw)
    def safe(*args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return draw(*args, **kwargs)
        except Exception as error:  # the last place before the browser
            sentence = plain(public(error))
            st.error(f"This part of the page could not be drawn: {sentence}.")
            return None

    return safe


def fragment(draw: Callable[..., object], run_every: float | None = None) -> Callable[..., Any]:
    """A part of a page that is drawn again by itself every so many seconds."""

    def drawn(*args: object, **kwargs: object) -> object:
        with GATE.inside():
            return safe(*args, **kwargs)

    safe = part(draw)
    return st.fragment(functools.wraps(draw)(drawn), run_every=run_every)


def ticking(seconds: float) -> Callable[[Callable[..., object]], Callable[..., Any]]:
    """`fragment` as a decorator."""
    return functools.partial(fragment, run_every=seconds)
