"""Is a lesson read as it is written, checked, and done by what a reader does?"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import pruneviz
from pruneviz.lessons import LESSONS, NAMES, Lesson, Record, advance, read_lesson, read_lessons
from pruneviz.lessons.checking import doubts
from pruneviz.lessons.expression import check, value
from pruneviz.lessons.lesson import CONTROLS, MOST_CONTROLS, PAGES
from pruneviz.lessons.reader import HEAD
from pruneviz.lessons.record import current, is_complete, is_right
from pruneviz.lessons.situation import SHARES, situation
from pruneviz.lessons.statement import FUNCTIONS, bare_numbers, is_so, readable
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench
from pruneviz.workbench.opening import open_workbench

ALL = read_lessons()
SMALL = """---
title: Half
network: lenet5
controls: [criterion]
minutes: 3
steps:
  - name: half
    guess: What will be left?
    do: Cut half of it.
    when: sparsity("fc1") >= 0.5
    seen: There are {half.accuracy} left, {half.delta}.
  - name: more
    do: Cut more.
    when: sparsity("fc1") > 0.8 and accuracy < half.accuracy
questions:
  - ask: Was it good?
    answers:
      - say: Yes, {half.accuracy}.
        when: half.accuracy > 0.9
      - say: No.
        when: half.accuracy <= 0.9
---
There are [[61,706: parameters()]] parameters.
"""


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "half.md"
        path.write_text(text, "utf-8")
        return path

    return write


@pytest.fixture(scope="module")
def whole() -> Callable[[str], Workbench]:
    """Opens a sample with all of its data: what a lesson states holds of no less."""
    return cache(open_workbench)


@pytest.fixture
def lesson(file: Callable[[str], Path]) -> Lesson:
    return read_lesson(file(SMALL))


def now(**others: object) -> dict[str, object]:
    """A situation in which nothing was cut, but for what is named."""
    level = float(str(others.pop("fc1", 0.0)))
    words = dict.fromkeys(NAMES, 0.0) | {"network": "lenet5", "accuracy": 0.99}
    return words | {"sparsity": lambda layer: level, "most": level} | others


# -- the file ----------------------------------------------------------------------------------


def test_a_lesson_is_what_its_file_says(lesson: Lesson) -> None:
    assert (lesson.name, lesson.title, lesson.network) == ("half", "Half", "lenet5")
    assert (lesson.controls, lesson.minutes, lesson.plan) == (("criterion",), 3, Plan())
    assert [step.name for step in lesson.steps] == ["half", "more"]
    assert lesson.steps[0].guess == "What will be left?"
    assert readable(lesson.intro) == "There are 61,706 parameters."


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("---\ntitle", "title", "begins with its header"),
        ("title: Half\n", "", "field 'title' is missing"),
        ("minutes: 3", "minutes: soon", "line 5: minutes: must be a whole number"),
        ("minutes: 3", "colour: red", "line 5: colour: 'colour' is no field"),
        ("[criterion]", "[slider]", "line 4: controls: 'slider' is none"),
        ("[criterion]", "[criterion, scope, scores, repair]", "at most 3 at a time, got 4"),
        ("minutes: 3", "criteria: [nose]", "line 5: criteria: 'nose' is none"),
        ("minutes: 3", "plan: {granularity: leg}", "line 5: plan: granularity must be"),
        ("name: half", "name: accuracy", "line 7: steps.0.name: must be a word"),
        ("name: more", "name: half", "'half' is the name of a step before"),
        ('sparsity("fc1") >= 0.5', "import os", "line 10: steps.0.when: cannot be read"),
        ('sparsity("fc1") >= 0.5', "speed > 1", "'speed' is not known"),
        ('sparsity("fc1") >= 0.5', "more.accuracy > 0", "'more.accuracy' is of no step"),
        ("half.accuracy > 0.9", "half.size > 0.9", "questions.0.answers.0.when: 'size' is not"),
        ("do: Cut half of it.", "do: Cut {half.accuracy}.", "where nothing is measured yet"),
        ("do: Cut half of it.", "page: Home\n    do: Cut.", "line 9: steps.0.page: must be one"),
        ("minutes: 3", "settings: 3", "line 5: settings: must be a list"),
        ("minutes: 3", "settings: [[3]]", "line 5: settings.0: must be a number"),
        ("do: Cut half of it.", "do: 5", "line 9: steps.0.do: must be a text, got 5"),
        ("61,706: parameters()", "many: parameters()", "must state a number"),
        ("61,706: parameters()", "61,706: size()", "'size' is not known"),
        ("There are [[61,706: parameters()]] parameters.", "", "no text follows the header"),
        ("      - say: No.\n        when: half.accuracy <= 0.9\n", "", "at least two answers"),
        ("title: Half", "title: [", "this is no YAML"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_its_line(
    file: Callable[[str], Path], before: str, after: str, words: str
) -> None:
    assert before in SMALL
    with pytest.raises(ValueError, match=r"half\.md") as error:
        read_lesson(file(SMALL.replace(before, after, 1)))
    assert words in str(error.value)


def test_a_folder_without_lessons_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no lesson"):
        read_lessons(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        *("__import__('os')", "(1).real", "[x for x in y]", "accuracy.__class__", "lambda: 1"),
        *(
            "sparsity.__globals__",
            "half.accuracy.real",
            "accuracy ** 9",
            "b'1'",
            "accuracy[0]",
            "1 +",
        ),
        *("x" * 400, "", "f'{accuracy}'"),
    ],
)
def test_an_expression_reads_nothing_else_of_python(text: str) -> None:
    with pytest.raises(ValueError, match=r"place|known|read|no step|longer|must be|no call"):
        check(text, NAMES, ["half"])


def test_expressions_come_to_what_they_say() -> None:
    names = {"accuracy": 0.9, "kept": 0.25, "sparsity": {"fc1": 0.5}.__getitem__}
    steps = {"half": {"accuracy": 0.95}}
    known = [*NAMES]
    for text, result in {
        "0.2 < kept <= 0.25 and not accuracy > 0.9": True,
        'sparsity("fc1") >= 0.5 or accuracy > 1': True,
        "-accuracy + 2 * kept / 0.5": 0.1,
        "accuracy < half.accuracy": True,
    }.items():
        assert value(check(text, known, ["half"]), names, steps) == pytest.approx(result)
    with pytest.raises(ValueError, match="cannot be computed"):
        value(check('sparsity("fc9") > 0', known), names)
    with pytest.raises(ValueError, match="cannot be computed"):
        value(check("kept / 0", known), names)
    with pytest.raises(ValueError, match="cannot be computed"):
        value(check("'a' * 999999999", known), names)


# -- what a reader does ------------------------------------------------------------------------


def test_a_step_is_done_by_the_action_alone(lesson: Lesson) -> None:
    plan = Plan(sparsity={"fc1": 0.6})
    record = Record()
    cut = now(fc1=0.6, accuracy=0.97)
    assert advance(lesson, record, cut, plan) == record, "it has not begun"
    record = Record(begun=True)
    assert advance(lesson, record, cut, plan) == record, "nothing was guessed"
    record = record.guess(lesson.steps[0], 0.4).guess(lesson.steps[0], 0.97)
    assert record.guesses == {"half": 0.4}, "the first guess stands"
    assert advance(lesson, record, now(), Plan()) == record, "nothing was cut"
    assert advance(lesson, record, now(fc1=0.6, network="vit"), plan) == record
    record = advance(lesson, record, cut, plan)
    assert current(lesson, record) == lesson.steps[1]
    assert record.moments["half"]["accuracy"] == 0.97
    assert Plan.from_dict(record.moments["half"]["plan"]) == plan
    assert advance(lesson, record, now(fc1=0.9, accuracy=0.98), plan) == record
    record = advance(lesson, record, now(fc1=0.9, accuracy=0.5), plan)
    assert current(lesson, record) is None
    assert not is_complete(lesson, record)
    assert is_complete(lesson, record.answer(0, 0))
    assert readable(lesson.steps[0].seen, record.moments) == "There are 97.0 % left, +0.0 points."


def test_one_situation_never_completes_two_steps(file: Callable[[str], Path]) -> None:
    text = SMALL.replace(" and accuracy < half.accuracy", "")
    lesson = read_lesson(file(text.replace("    guess: What will be left?\n", "")))
    deep = now(fc1=0.9)
    record = advance(lesson, Record(begun=True), deep, Plan())
    assert [*record.moments] == ["half"]
    assert advance(lesson, record, deep, Plan()) == record
    assert [*advance(lesson, record, now(fc1=0.91), Plan()).moments] == ["half", "more"]


def test_what_was_measured_says_which_answer_is_right(lesson: Lesson) -> None:
    question = lesson.questions[0]
    record = Record(begun=True, moments={"half": {"accuracy": 0.95}})
    assert [is_right(question, 0, record.answer(0, i)) for i in (0, 1)] == [True, False]
    assert not is_right(question, 0, record.answer(0, 7))
    assert not is_right(question, 0, record)


def test_a_record_comes_back_as_it_was(lesson: Lesson) -> None:
    record = Record(begun=True).guess(lesson.steps[0], 0.5)
    record = advance(lesson, record, now(fc1=0.6), Plan(sparsity={"fc1": 0.6})).answer(0, 1)
    assert Record.from_text(record.as_text(), lesson) == record


@pytest.mark.parametrize("text", [None, "", "[]", "{", "9" * 200_000, '{"answers": {"x": 1}}'])
def test_a_record_that_cannot_be_read_begins_anew(lesson: Lesson, text: str | None) -> None:
    assert Record.from_text(text, lesson) == Record()


def test_steps_that_a_lesson_has_no_more_are_left_out(lesson: Lesson) -> None:
    text = Record(begun=True, moments={"old": {}, "more": {}}, guesses={"old": 1.0}).as_text()
    assert Record.from_text(text, lesson) == Record(begun=True)


def test_a_situation_tells_every_name(whole: Callable[[str], Workbench]) -> None:
    bench = whole("lenet300")
    plan = Plan()
    here = situation(bench, "lenet300", plan, focus="fc2")
    assert here is not None
    assert set(here) == set(NAMES)
    assert (here["kept"], here["most"], here["focus"]) == (1.0, 0.0, "fc2")
    assert here["sparsity"]("fc1") == 0.0
    unmeasured = Plan(sparsity={"fc1": 0.123})
    assert situation(bench, "lenet300", unmeasured) is None


# -- the lessons there are ---------------------------------------------------------------------


def test_lessons_are_complete() -> None:
    assert len(ALL) == 10
    for lesson in ALL:
        assert len(lesson.questions) == 2, lesson.name
        assert any(step.guess for step in lesson.steps), lesson.name
        assert all(step.seen for step in lesson.steps), lesson.name
    numbers = [int(lesson.name.partition("_")[0]) for lesson in ALL]
    assert numbers == [1, 2, 3, 4, 5, 6, 7, 8, 9, 11]
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
