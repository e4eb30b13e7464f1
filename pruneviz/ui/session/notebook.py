"""What has whoever is at this browser done in the lessons?"""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

from pruneviz.classroom import ClassRules, current_rules
from pruneviz.classroom.reader import lessons_of
from pruneviz.lessons import Lesson, Library, Record, library
from pruneviz.lessons.library import own_folder, stamps
from pruneviz.storage.home import home
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.ui.session import owners

_FILE = "lessons.sqlite3"
_WHAT = "what you did in the lessons"
_PAGES = ""  # under this key stands which others an owner has
_LINKS = "links"
_MOST_LINKS = 100
_MOST = 2000  # entries of one owner that are handed on


def lessons() -> tuple[Lesson, ...]:
    """All lessons there are, a teacher's own among them, or those of the class; read once for
    everybody.
    """
    rules = current_rules()
    return _library().lessons if rules is None else _class_lessons(rules.as_text())


def omissions() -> tuple[str, ...]:
    """Which lessons of a teacher's own folder are left out, and why."""
    return _library().complaints if current_rules() is None else ()


def read(lesson: Lesson) -> Record:
    """How far whoever is here has come in a lesson; nobody else reads it."""
    return Record.from_text(get(lesson.key), lesson)


def record_of(owner: str, lesson: Lesson) -> Record:
    """How far somebody has come in a lesson; for their teacher."""
    return Record.from_text(_store().get(_key(owner, lesson.key)), lesson)


def entry_of(owner: str, key: str) -> str | None:
    """What somebody has under a key; for their teacher."""
    return _store().get(_key(owner, key))


def write(lesson: Lesson, record: Record) -> None:
    """Keep it, through reloads and restarts."""
    put(lesson.key, record.as_text())


def get(key: str) -> str | None:
    """What whoever is here has under a key."""
    return _store().get(_key(_owner(), key))


def put(key: str, text: str) -> None:
    """Keep a text under a key for whoever is here."""
    store, owner = _store(), _owner()
    keys = _keys(store, owner)
    if key not in keys:
        store.put(_key(owner, _PAGES), json.dumps([*keys, key][-_MOST:]))
    store.put(_key(owner, key), text)


def keep_link(name: str, text: str) -> None:
    """Remember the link of a lesson or goal that was opened by one."""
    known = links()
    if known.get(name) != text:
        put(_LINKS, json.dumps(dict([*known.items(), (name, text)][-_MOST_LINKS:])))


def links() -> dict[str, str]:
    """Name -> link, of what whoever is here opened by one."""
    try:
        return {str(name): str(text) for name, text in json.loads(get(_LINKS) or "{}").items()}
    except (ValueError, AttributeError):
        return {}


def give(before: str, now: str) -> None:
    """What an owner did becomes another's, where that one did nothing yet."""
    store = _store()
    own = _keys(store, now)
    for key in _keys(store, before):
        text = store.get(_key(before, key))
        if text is not None and key not in own:
            store.put(_key(now, key), text)
            own.append(key)
    store.put(_key(now, _PAGES), json.dumps(own[-_MOST:]))


def complaint() -> str:
    """Why nothing can be kept, or ""."""
    return _store().complaint


def _keys(store: MeasurementStore, owner: str) -> list[str]:
    """What an owner has entries of; lessons had entries before there was a list of them."""
    try:
        listed = [str(key) for key in json.loads(store.get(_key(owner, _PAGES)) or "[]")]
    except (ValueError, TypeError):
        listed = []
    known = [each.name for each in lessons() if store.get(_key(owner, each.name)) is not None]
    return list(dict.fromkeys((*known, *listed)))


def _owner() -> str:
    owner = owners.current()
    return "" if owner is None else owner.name


def _key(owner: str, key: str) -> str:
    return f"{owner}\n{key}"


def _store() -> MeasurementStore:
    return _open(str(home()))


@st.cache_resource(max_entries=2, show_spinner=False)
def _open(folder: str) -> MeasurementStore:
    return MeasurementStore(Path(folder), _FILE, _WHAT)


def _library() -> Library:
    folder = own_folder()
    return _read("" if folder is None else str(folder), stamps(folder))


@st.cache_resource(max_entries=2, show_spinner=False)
def _read(folder: str, stamp: tuple[tuple[str, int, int], ...]) -> Library:
    """stamp: another one where a file was changed, which is then read again."""
    return library(Path(folder) if folder else None)


@st.cache_resource(max_entries=2, show_spinner=False)
def _class_lessons(rules: str) -> tuple[Lesson, ...]:
    return lessons_of(ClassRules.from_text(rules))
