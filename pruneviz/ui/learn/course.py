"""Which lessons are there, and which one is open?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress

import streamlit as st

from pruneviz.classroom import current_rules
from pruneviz.lessons import Assignment, Lesson, Record, assign
from pruneviz.lessons.assignment import from_text, layers_of
from pruneviz.lessons.goal import Goal, to_text
from pruneviz.lessons.goal import from_text as read_goal
from pruneviz.lessons.record import is_complete
from pruneviz.plan import Plan
from pruneviz.storage.faults import public
from pruneviz.ui.boundary import part
from pruneviz.ui.session import networks, notebook
from pruneviz.ui.text import as_sentence, plain
from pruneviz.ui.workbench import address

# In the address: a lesson's number, a teacher's link to one, and a goal.
LESSON, LINK, GOAL = WORDS = ("lesson", "assignment", "goal")
_ACROSS = 3
_OPEN = "lesson_open"  # the word in the address, and what it says


def choice() -> Lesson | Goal | None:
    """The lesson or goal that the address names, or that was open in this tab; None: the overview.

    What cannot be opened is said, and the overview stands in its place.
    """
    params = st.query_params
    word = next((name for name in (GOAL, LINK, LESSON) if name in params), None)
    open_now = None if word is None else (word, params[word])
    if open_now is None and not address.went():
        open_now = st.session_state.get(_OPEN)
    try:
        lesson = None if open_now is None else _find(*open_now)
    except ValueError as error:
        st.error(as_sentence(public(error)))
        lesson = None
    if lesson is None or open_now is None:
        close()
        return None
    _stay(*open_now)
    return lesson


def present_lesson() -> Lesson | None:
    """The lesson that is open in this tab while another page is on the screen."""
    word, text = st.session_state.get(_OPEN, ("", ""))
    with suppress(ValueError):  # the page Learn says what cannot be opened
        lesson = _find(word, text) if word in (LINK, LESSON) else None
        return lesson if isinstance(lesson, Lesson) else None
    return None


def go(lesson: Lesson) -> None:
    """Open a lesson; it stands in the address, and its network beside it where it is new."""
    if not notebook.read(lesson).begun:
        set_up(lesson)
    _stay(LESSON, str(number(lesson)))


def set_up(lesson: Lesson) -> None:
    """Open the lesson's network with what is asked for when it begins."""
    if lesson.own:
        return
    session = address.go_to(address.Address(lesson.network))
    if lesson.plan != Plan() and session.name == lesson.network:
        address.settle(session, lesson.plan)


def aim(goal: Goal) -> None:
    """Open a goal; it stands in the address."""
    _stay(GOAL, to_text(goal))


def close() -> None:
    """Back to the overview."""
    st.session_state.pop(_OPEN, None)
    for word in WORDS:
        st.query_params.pop(word, None)


def number(lesson: Lesson) -> int:
    """The number that the lesson's file begins with; without one the next that is free."""
    return next(place for place, each in numbers().items() if each.name == lesson.name)


def numbers() -> dict[int, Lesson]:
    """Number -> lesson, in their order."""
    lessons: dict[int, Lesson] = {}
    others = []
    for lesson in notebook.lessons():
        digits = re.match(r"\d{1,3}", lesson.name)
        place = int(digits[0]) if digits else 0
        if place and place not in lessons:
            lessons[place] = lesson
        else:
            others.append(lesson)
    first = max(lessons, default=0) + 1
    return lessons | dict(enumerate(others, first))


def progress() -> list[tuple[Lesson, Record]]:
    """The lessons that whoever is here has begun, those that were handed out among them."""
    lessons = list(notebook.lessons())
    for key, text in notebook.links().items():
        if "@" in key:
            with suppress(ValueError):  # of a lesson or network that is not here any more
                lessons.append(hand_out(from_text(text)))
    pairs = [(lesson, notebook.read(lesson)) for lesson in lessons]
    return [(lesson, record) for lesson, record in pairs if record.begun]


def original(lesson: Lesson) -> Lesson:
    """The lesson as it is listed here, of one that was handed out."""
    return numbers()[number(lesson)]


def after(lesson: Lesson) -> Lesson | None:
    """The next lesson; None after the last, and after one that a teacher handed out."""
    lessons = notebook.lessons()
    place = next(i for i, each in enumerate(lessons) if each.name == lesson.name) + 1
    is_listed = lessons[place - 1].key == lesson.key
    return lessons[place] if place < len(lessons) and is_listed else None


def hand_out(assignment: Assignment) -> Lesson:
    """The lesson that a link hands out; ValueError says what of it is not there."""
    lesson = next((each for each in notebook.lessons() if each.name == assignment.lesson), None)
    if lesson is None:
        raise ValueError(
            f"there is no lesson {assignment.lesson!r} here, which this link hands out; "
            f"{_choice_text()}"
        )
    lesson = assign(lesson, assignment)
    bench = networks.open_bench(lesson.network)
    missing = sorted(layers_of(lesson) - set(bench.layer_of))
    if missing:
        raise ValueError(
            f"“{lesson.title}” works with the layer {missing[0]!r}, which {lesson.network} does "
            "not have: take another network for it"
        )
    return lesson


def _find(word: str, text: str) -> Lesson | Goal:
    if word == GOAL:
        goal = read_goal(text)
        networks.open_bench(goal.network)
        notebook.keep_link(goal.code, text)
        return goal
    if word == LINK:
        lesson = hand_out(from_text(text))
        notebook.keep_link(lesson.key, text)
        return lesson
    lessons = numbers()
    if not (text.isdecimal() and len(text) < 4 and int(text) in lessons):
        raise ValueError(f"there is no lesson {text[:40]!r}; {_choice_text()}")
    return lessons[int(text)]


def _choice_text() -> str:
    return f"there are {', '.join(map(str, numbers()))}"


def _stay(word: str, text: str) -> None:
    """Let this stand in the address, and open in this tab."""
    st.session_state[_OPEN] = word, text
    for other in WORDS:
        if other != word:
            st.query_params.pop(other, None)
    if st.query_params.get(word) != text:
        st.query_params[word] = text


@part
def overview() -> None:
    """All lessons, with how far one has come in each."""
    lessons = [lesson for lesson in notebook.lessons() if not lesson.course]
    minutes = sum(lesson.minutes for lesson in lessons)
    rules = current_rules()
    title = "Learn to prune" if rules is None else plain(rules.title)
    many = "One short lesson" if len(lessons) == 1 else f"{len(lessons)} short lessons"
    order = "" if len(lessons) == 1 else " Begin with the first: each needs what was said before."
    st.markdown(
        f"### {title}\n"
        f"{many}, about {minutes:d} minutes in all. You work on real networks, guess what will "
        f"happen, and measure it.{order}"
    )
    for words in filter(None, (notebook.complaint(), *notebook.omissions())):
        st.warning(as_sentence(words))
    every = numbers()
    for course in dict.fromkeys(lesson.course for lesson in every.values()):
        if course:
            st.markdown(f"#### {plain(course)}")
        _cards({place: lesson for place, lesson in every.items() if lesson.course == course})


def _cards(lessons: Mapping[int, Lesson]) -> None:
    # Row by row, so that keys and screen readers take them in their order.
    pairs = [*lessons.items()]
    for first in range(0, len(pairs), _ACROSS):
        row = pairs[first : first + _ACROSS]
        for column, (at, lesson) in zip(st.columns(_ACROSS, gap="small"), row, strict=False):
            with column, st.container(border=True, key=f"card-{at}"):
                _card(at, lesson, notebook.read(lesson))


def _card(place: int, lesson: Lesson, record: Record) -> None:
    st.markdown(f"**{place}. {plain(lesson.title)}**")
    network = "your own network" if lesson.own else plain(lesson.network)
    st.caption(f"{lesson.minutes:d} minutes · {network} · {_steps_done(lesson, record)}")
    words = (
        "Open" if not record.begun else "Go on" if not is_complete(lesson, record) else "Look again"
    )
    if st.button(words, key=f"open-{place}", help=f"Open lesson {place}: {plain(lesson.title)}"):
        go(lesson)
        st.rerun()


def _steps_done(lesson: Lesson, record: Record) -> str:
    if is_complete(lesson, record):
        return ":green[:material/check_circle: done]"
    return f"{len(record.moments)} of {len(lesson.steps)} steps" if record.begun else "not begun"
