"""Is a lesson done by what its reader does, step by step, and by nothing else?

Two show it here without a browser: by drags, and by a scan and a training with each kind of
question. `tests/browser/test_lesson_walks.py` and `test_learn.py` walk every lesson.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest

from pruneviz.lessons import Lesson, Question, Record
from pruneviz.lessons.record import Answer, current, is_complete, is_right
from pruneviz.lessons.statement import number_in, readable
from tests.cases import slow_but
from tests.classroom import LESSONS, Classroom
from tests.page import PATIENCE, path_of

pytestmark = pytest.mark.usefixtures("fresh_home")

Act = Callable[["Classroom"], object]


def train(page: Classroom, **settings: object) -> Classroom:
    """Train on the page Train as the form is filled in, and come back."""
    page.app.switch_page(path_of("train"))
    page.run()
    for name, value in settings.items():
        widgets = (*page.app.selectbox, *page.app.number_input, *page.app.toggle)
        next(each for each in widgets if str(each.key).startswith(f"train_{name}")).set_value(value)
        page.run()
    page.press("train-begin")
    page.app.session_state["TrainingWork"].job.wait(PATIENCE)
    page.run()
    assert page.app.session_state["TrainingWork"].result is not None
    return page.home()


def scan(page: Classroom) -> Classroom:
    """Scan on the page Sensitivity, and come back."""
    page.app.switch_page(path_of("sensitivity"))
    page.run()
    page.press("scan-start")
    page.app.session_state["ScanWork"].job.wait(PATIENCE)
    return page.run().home()


# What a reader does at each step, by the names of the steps.
ACTS: Mapping[str, Mapping[str, Act]] = {
    "1_what_is_in_a_network": {
        "picture": lambda page: page.ask("focus", focus="fc2"),
        "histogram": lambda page: page.ask("focus", focus="fc1"),
        "half": lambda page: page.drag(fc1=0.5),
        "back": lambda page: page.undo(),
    },
    "13_lab_layers": {
        "scan": scan,
        "levels": lambda page: page.drag(conv2=0.5, fc1=0.8, fc2=0.8),
        "tuned": lambda page: train(page, method="one-shot", epochs=1, samples=500),
    },
}


@pytest.mark.parametrize(
    "lesson",
    slow_but(
        lambda lesson: lesson.name.startswith("1_"),
        [lesson for lesson in LESSONS if lesson.name in ACTS],
    ),
    ids=lambda each: each.name,
)
def test_a_lesson_is_walked_from_start_to_end(lesson: Lesson) -> None:
    walk(lesson)


def answers_to(question: Question, number: int, record: Record) -> tuple[Answer, Answer]:
    """(one that counts as wrong, one that counts as right) by what was measured."""
    if question.text:
        return " ", "they are small"
    if question.number:
        right, _ = number_in(readable(question.number, record.moments))
        return right + question.within + 1, right - 0.9 * question.within
    places = range(len(question.answers))
    judged = [is_right(question, number, record.answer(number, place)) for place in places]
    assert any(judged), f"no answer is right: {question.ask}"
    return judged.index(False), judged.index(True)


def walk(lesson: Lesson) -> None:
    """Do what a reader does, and see each step done by it and not before."""
    page = Classroom(int(lesson.name.partition("_")[0]))
    assert page.record(lesson) == Record()
    page.begin()
    assert lesson.own or page.session.name == lesson.network
    acts = ACTS[lesson.name]
    assert [*acts] == [step.name for step in lesson.steps]
    for step in lesson.steps:
        if step.guess:
            assert step.do not in page.texts(), "what is to be done is told after the guess"
            page.guess(77)
        page.run()
        assert current(lesson, page.record(lesson)) == step, "nothing was done for it yet"
        acts[step.name](page)
        page.run()
        assert step.name in page.record(lesson).moments, step.name
        assert not step.guess or "You expected **77 %**" in page.texts()
    for number, question in enumerate(lesson.questions):
        wrong, right = answers_to(question, number, page.record(lesson))
        page.answer(lesson, number, wrong)
        assert question.text or "say otherwise" in page.texts()
        assert not is_complete(lesson, page.record(lesson))
        page.answer(lesson, number, right)
    assert is_complete(lesson, page.record(lesson))
    assert "This lesson is done." in " ".join(box.value for box in page.app.success)
    words = page.texts()
    assert not re.search(r"{[a-z_]+\.", words)
    assert "[[" not in words
