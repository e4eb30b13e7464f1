"""How does one learn to prune, step by step?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from pruneviz.classroom import current_rules
from pruneviz.lessons import Lesson
from pruneviz.lessons.goal import Goal
from pruneviz.ui.boundary import part
from pruneviz.ui.classroom import entrance, hand_in
from pruneviz.ui.elsewhere import show_work
from pruneviz.ui.learn import course, goals, panel, teacher, worksheet
from pruneviz.ui.learn.controls import only
from pruneviz.ui.look import tight
from pruneviz.ui.session import Session, classmates
from pruneviz.ui.workbench import address
from pruneviz.ui.workbench.desk import desk, leave

L = TypeVar("L", Lesson, Goal)


def main() -> None:
    """The page from top to bottom."""
    tight()
    show_work("Learn")
    in_class = current_rules() is not None
    if in_class and not entrance.has_entered():
        return
    lesson = course.choice()
    if lesson is None:
        _overview(in_class=in_class)
        if "session" in st.session_state:
            address.write(address.here())
        return
    classmates.sit(lesson.title)
    if isinstance(lesson, Goal):
        _beside(lesson, goals.set_up, goals.panel)
    else:
        _beside(lesson, course.set_up, panel.panel)


def _overview(*, in_class: bool) -> None:
    course.overview()
    goals.cards()
    if in_class:
        hand_in.hand_in("overview")
        entrance.own_name()
    else:
        worksheet.hand_in(course.progress(), goals.progress())
        teacher.teacher()


def _beside(lesson: L, begin: Callable[[L], object], draw: Callable[[Session, L], object]) -> None:
    """The text beside the very workbench; begin: where there is nothing that it would replace."""
    if "session" not in st.session_state and "model" not in st.query_params:
        begin(lesson)
    session = address.here()
    if isinstance(lesson, Lesson):
        panel.mark_guesses(session, lesson)
    only(lesson)
    text, work = st.columns([1, 2.6], gap="medium")
    with work:
        desk(session)
    with text, st.container(key="lesson"):
        draw(session, lesson)
        if current_rules() is not None:
            hand_in.hand_in("lesson")
    leave(session, *course.WORDS)


part(main)()
