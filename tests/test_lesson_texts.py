"""Are the lessons there are complete, and is every number in them so?"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import pruneviz
from pruneviz.lessons import LESSONS, NAMES, Lesson, read_lessons
from pruneviz.lessons.checking import doubts
from pruneviz.lessons.lesson import CONTROLS, MOST_CONTROLS, PAGES
from pruneviz.lessons.reader import HEAD
from pruneviz.lessons.situation import SHARES
from pruneviz.lessons.statement import FUNCTIONS, bare_numbers, is_so
from pruneviz.workbench import Workbench
from pruneviz.workbench.opening import open_workbench

ALL = read_lessons()


@pytest.fixture(scope="module")
def whole() -> Callable[[str], Workbench]:
    """Opens a sample with all of its data: what a lesson states holds of no less."""
    return cache(open_workbench)


def test_lessons_are_complete() -> None:
    lab = [lesson for lesson in ALL if lesson.course]
    asks = " ".join(each.ask for lesson in lab for each in lesson.questions)
    assert [n for n in range(1, 12) if f"**Question {n}" in asks] == [*range(1, 10)]
    for lesson in ALL:
        assert lesson in lab or len(lesson.questions) == 2, lesson.name
        assert any(step.guess for step in lesson.steps), lesson.name
        assert all(step.seen for step in lesson.steps), lesson.name
    numbers = [int(lesson.name.partition("_")[0]) for lesson in ALL]
    assert numbers == [*range(1, 16)]
    assert all(len(lesson.controls) <= MOST_CONTROLS for lesson in ALL)
    assert all(path.parent == LESSONS for path in LESSONS.glob("*.md"))


@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.name)
def test_every_number_that_a_lesson_states_is_so_or_is_a_setting(
    lesson: Lesson, whole: Callable[[str], Workbench]
) -> None:
    assert doubts(lesson, None if lesson.own else whole(lesson.network)) == []


def test_a_number_that_is_not_so_is_noticed(whole: Callable[[str], Workbench]) -> None:
    bench = whole("lenet300")
    assert is_so("235,200", 'weights("fc1")', bench)
    assert not is_so("235,201", 'weights("fc1")', bench)
    assert not is_so("98.5 %", "accuracy()", bench)


def test_a_number_that_nothing_computes_is_found() -> None:
    text = """[[61,706: parameters()]] parameters, five layers, half at **98.4 %** of 2,000 or ten;
    `layer1.0` keeps {half.kept}, see [2017](https://a.b/1710), $1 - 3t$ and 4.2 times 12 KiB."""
    found = ["five", "half", "98.4 %", "2,000", "ten", "2017", "4.2 times", "12 KiB"]
    assert bare_numbers(text) == found


def test_the_manual_has_every_name_and_field() -> None:
    manual = (Path(pruneviz.__file__).parent / "manual" / "learn.md").read_text("utf-8")
    for name, meaning in NAMES.items():
        assert f"| `{name}` | {meaning} |" in manual
    for field in (*HEAD, *FUNCTIONS, *CONTROLS, *SHARES, *PAGES):
        assert f"`{field}" in manual, field
