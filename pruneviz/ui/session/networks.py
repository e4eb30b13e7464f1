"""Which networks can this person choose from?"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pruneviz.classroom import current_rules
from pruneviz.options import parse
from pruneviz.sources.opening import OpenRequest
from pruneviz.sources.registered import registered_names
from pruneviz.storage.faults import public
from pruneviz.ui.session import Session, cached, shelves, start
from pruneviz.ui.session.diary import Diary
from pruneviz.ui.session.score_source import ScoreSource, base_of, rescore, scored_name, scoring_of
from pruneviz.workbench import Workbench

_FIRST = "lenet5"
_APP = "app.py"
_OWN = "own"
_BOUND = 8  # uploaded and trained networks of one visitor stay in memory


def names() -> list[str]:
    """What was named at the start, then what this session uploaded, then what is registered, or
    in a class what of it is offered.
    """
    request = _open_request()
    extra = [] if request is None else [_started_name(request)]
    return [*extra, *_own(), *_offered_names()]


def catalogue() -> tuple[str, ...]:
    """Those that an installed package brings, the samples among them."""
    return _registered_names()


def common() -> list[str]:
    """Those that everybody at this server has: what was named at the start, what is registered."""
    return [name for name in names() if name not in _own()]


def first() -> str:
    """The network a visit without an address begins with."""
    return names()[0] if _open_request() is not None else another("")


def another(name: str) -> str:
    """A registered network that stands in for one that does not open."""
    others = [other for other in _offered_names() if other != name] or [*_offered_names()]
    return _FIRST if _FIRST in others else others[0]


def open_bench(name: str) -> Workbench:
    """The workbench of a network by its name in the list; ValueError says why there is none."""
    if name in _own():
        return _own()[name]
    if (base := base_of(name)) != name:
        bench = rescore(open_bench(base), base, name)
        keep(name, bench)
        return bench
    request = _open_request()
    if request is not None and name == _started_name(request):
        return cached.bench_of(request)
    if name not in _registered_names():
        choices = ", ".join(names())
        raise ValueError(
            f"unknown model {name!r}; there are {choices}. A link to somebody's own network needs "
            "that network: start the app with --model, or upload it beside the list"
        )
    rules = current_rules()
    if rules is not None:
        rules.check_network(name)
    return cached.bench(name)


def begin(name: str) -> Session:
    """A fresh session at a network, written into the history; ValueError as above."""
    bench = open_bench(name)
    session = start(bench, name)
    _own().screen = name
    session.diary = Diary(bench, name, cached.history())
    if bench.parent is not None:  # what another tool cut is a side to compare, also where it stays
        session.diary.begin_at(session.settled)
    return session


def keep(name: str, bench: Workbench) -> str:
    """Add an uploaded or trained network to this session alone; returns its name in the list.

    What was trained is kept also where there is no room: it cost more than memory.
    """
    with suppress(ValueError):
        shelves.make(shelves.bytes_of(bench), name)
    used = {*names()}
    unique = name if name not in used else f"{name} (uploaded)"
    number = 2
    while unique in used:
        unique, number = f"{name} (uploaded {number})", number + 1
    own = _own()
    shelves.put(own, unique, bench)
    while len(own) > _BOUND:
        others = [other for other in own if other not in (unique, own.screen)]
        # What only is scored in another way can be had again from the network itself.
        own.let_go(next((other for other in others if base_of(other) != other), others[0]))
    return unique


def scored_name_of(name: str, source: ScoreSource) -> str:
    """The name under which the network of this name opens when it is scored as `source` says."""
    base = base_of(name)
    return scored_name(base, scoring_of(open_bench(base)), source)


def departure_text() -> str | None:
    """What to say of networks that made room for others since this was asked last, or None."""
    own = _own()
    gone, own.gone = own.gone, []
    if not gone:
        return None
    return (
        f"{', '.join(map(repr, gone))} made room for networks that were opened later: this server "
        "holds only so much. Open it again to go on; its plans stand in the history"
    )


def complaint() -> str | None:
    """What is wrong with the words the app was started with, or None."""
    try:
        parse(_words())
    except ValueError as error:
        return (
            f"The app was started with options it does not understand: {public(error)}. Try "
            "`streamlit run app.py -- --model weights.safetensors --arch timm:resnet18 --data "
            "images/`; the sample networks are available all the same."
        )
    return None


def beside(shelf: dict[str, Any]) -> None:
    """Let go of what `shelf` has under a network's name when that network makes room."""
    if not any(shelf is other for other in _own().beside):
        _own().beside.append(shelf)


def _offered_names() -> tuple[str, ...]:
    rules, every = current_rules(), _registered_names()
    return every if rules is None else tuple(name for name in every if name in rules.networks)


@cache
def _registered_names() -> tuple[str, ...]:
    # Every run of a page asks, and reading what all installed packages offer takes 5 ms.
    return registered_names()


def _own() -> shelves.Shelf:
    if _OWN not in st.session_state:
        st.session_state[_OWN] = shelves.Shelf()
    own: shelves.Shelf = st.session_state[_OWN]
    return own


def _open_request() -> OpenRequest | None:
    try:
        return parse(_words())
    except ValueError:
        return None


def _words() -> list[str]:
    # Whatever else runs the page (a test, say) has words of its own.
    return sys.argv[1:] if Path(sys.argv[0]).name == _APP else []


def _started_name(request: OpenRequest) -> str:
    return f"{request.label} (yours)" if request.label in _registered_names() else request.label
