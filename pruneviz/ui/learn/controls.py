"""Which controls does a reader see in a lesson?"""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from pruneviz.classroom import current_rules
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
  .stColumn:has(.st-key-lesson) { position: sticky; top: 2.6rem; align-self: flex-start;
    min-width: 0; max-height: calc(100vh - 3rem); overflow-y: auto;
    padding-left: 4px; margin-left: -4px; /* room for the ring around what has the keyboard */ }
  /* Wide content of a tab must not push the board below the text. */
  .stColumn:has(.st-key-lesson) + .stColumn { min-width: 0; }
}
"""


# What of the board is out of sight, and how high that leaves its bars and its chart.
_SIMPLE_BOARD = """.stApp { --beyond-lesson: none; --lesson-bar: 34px; --lesson-chart: 300px;
  --lesson-tick: 0px; }"""


def only(lesson: Lesson | Goal) -> None:
    """Hide all controls but those that the lesson or goal needs, until everything is asked for.

    What is hidden still holds what it held: nothing of the plan changes by it.
    """
    more.use((*_in_sight(lesson), *(() if isinstance(lesson, Goal) else lesson.criteria)))
    if lesson.plan.criterion not in more.FIRST:
        more.use([lesson.plan.criterion])
    shows_all = may_reveal(lesson) and st.session_state.get(ALL)
    board = "" if isinstance(lesson, Goal) else _SIMPLE_BOARD
    hidden = "" if shows_all else f"{_away(lesson)} {{ display: none; }}{board}"
    st.html(f"<style>{_STYLE}{hidden}</style>")


def only_of_class() -> None:
    """On the workbench of a class that has a choice of controls: hide the others."""
    rules = current_rules()
    if rules is None or rules.controls is None:
        return
    more.use(rules.controls)
    away = ", ".join(_place(name) for name in (*_others(rules.controls), "more"))
    st.html(f"<style>{away} {{ display: none; }}</style>")


def may_reveal(lesson: Lesson | Goal) -> bool:
    """Whether the reader may have the other controls shown."""
    rules = current_rules()
    return lesson.reveal and (rules is None or rules.controls is None)


def hidden_controls(lesson: Lesson | Goal) -> list[str]:
    """The places above the board that a lesson or goal does without."""
    # Who brings a network needs the button Upload, which stands beside About.
    about = () if _is_own(lesson) else ("about",)
    return [*_others(_in_sight(lesson)), *about, "more"]


def _in_sight(lesson: Lesson | Goal) -> tuple[str, ...]:
    rules = current_rules()
    in_class = None if rules is None else rules.controls
    return lesson.controls if in_class is None else in_class


def _others(controls: Collection[str]) -> list[str]:
    """The places of all controls but these."""
    return [_PLACES.get(name, name) for name in CONTROLS if name not in controls]


def _is_own(lesson: Lesson | Goal) -> bool:
    return isinstance(lesson, Lesson) and lesson.own


def _away(lesson: Lesson | Goal) -> str:
    places = [_place(name) for name in hidden_controls(lesson)]
    model = () if _is_own(lesson) else ('[class*="st-key-ask_model"]',)
    return ", ".join([*model, *places])


def _place(name: str) -> str:
    # Streamlit puts a container into one more, which has its width.
    return f"[data-testid=stLayoutWrapper]:has(> .st-key-control-{name})"
