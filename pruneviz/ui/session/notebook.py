"""What has whoever is at this browser done in the lessons?"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pruneviz.lessons import Lesson, Record, read_lessons
from pruneviz.storage.home import home
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.ui.session import owners

_FILE = "lessons.sqlite3"
_WHAT = "what you did in the lessons"


def lessons() -> tuple[Lesson, ...]:
    """All lessons there are, read once for everybody."""
    return _lessons()


def read(lesson: Lesson) -> Record:
    """How far whoever is here has come in a lesson; nobody else reads it."""
    return Record.from_text(_store().get(_key(_owner(), lesson.name)), lesson)


def write(lesson: Lesson, record: Record) -> None:
    """Keep it, through reloads and restarts."""
    _store().put(_key(_owner(), lesson.name), record.as_text())


def give(before: str, now: str) -> None:
    """What an owner did becomes another's, where that one did nothing yet."""
    store = _store()
    for lesson in lessons():
        text = store.get(_key(before, lesson.name))
        if text is not None and store.get(_key(now, lesson.name)) is None:
            store.put(_key(now, lesson.name), text)


def complaint() -> str:
    """Why nothing can be kept, or ""."""
    return _store().complaint


def _owner() -> str:
    owner = owners.current()
    return "" if owner is None else owner.name


def _key(owner: str, lesson: str) -> str:
    return f"{owner}\n{lesson}"


def _store() -> MeasurementStore:
    return _open(str(home()))


@st.cache_resource(max_entries=2, show_spinner=False)
def _open(folder: str) -> MeasurementStore:
    return MeasurementStore(Path(folder), _FILE, _WHAT)


@st.cache_resource(max_entries=1, show_spinner=False)
def _lessons() -> tuple[Lesson, ...]:
    return read_lessons()
