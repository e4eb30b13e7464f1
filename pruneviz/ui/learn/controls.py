"""Which controls does a reader see in a lesson?"""

from __future__ import annotations

import streamlit as st

from pruneviz.lessons import Lesson
from pruneviz.lessons.goal import Goal
from pruneviz.lessons.lesson import CONTROLS
from pruneviz.ui.workbench import more

ALL = "lesson_all"
_PLACES = {"allocate": "last"}  # as the row above the board calls it
# The text stays in sight while the board is scrolled.
_STYLE = """
.st-key-lesson { font-size: 0.92rem; }
@media (min-width: 641px) {
  .stColumn:has(> div > .st-key-lesson) { position: sticky; top: 2.6rem; align-self: flex-start;
    max-height: calc(100vh - 3rem); overflow-y: auto; }
}
"""


def only(lesson: Lesson | Goal) -> None:
    """Hide all above the board but what the lesson or goal needs, until everything is asked for.

    What is hidden still holds what it held: nothing of the plan changes by it.
    """
    more.use((*lesson.controls, *(() if isinstance(lesson, Goal) else lesson.criteria)))
    if lesson.plan.criterion not in more.FIRST:
        more.use([lesson.plan.criterion])
    shows_all = lesson.reveal and st.session_state.get(ALL)
    hidden = "" if shows_all else f"{_away(lesson)} {{ display: none; }}"
    st.html(f"<style>{_STYLE}{hidden}</style>")


def hidden_controls(lesson: Lesson | Goal) -> list[str]:
    """The places above the board that a lesson or goal does without."""
    away = [name for name in CONTROLS if name not in lesson.controls]
    # Who brings a network needs the button Upload, which stands beside About.
    about = () if _is_own(lesson) else ("about",)
    return [*(_PLACES.get(name, name) for name in away), *about, "more"]


def _is_own(lesson: Lesson | Goal) -> bool:
    return isinstance(lesson, Lesson) and lesson.own


def _away(lesson: Lesson | Goal) -> str:
    # Streamlit puts a container into one more, which has its width.
    places = [
        f"[data-testid=stLayoutWrapper]:has(> .st-key-control-{n})" for n in hidden_controls(lesson)
    ]
    model = () if _is_own(lesson) else ('[class*="st-key-ask_model"]',)
    return ", ".join([*model, *places])
