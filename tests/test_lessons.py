"""Is a lesson read as it is written, checked, and done by what a reader does?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pruneviz.lessons import NAMES, Lesson, Record, advance, read_lesson, read_lessons
from pruneviz.lessons.expression import check, value
from pruneviz.lessons.record import current, is_complete, is_right
from pruneviz.lessons.situation import Elsewhere, situation
from pruneviz.lessons.statement import readable
from pruneviz.measuring.latency import Timing
from pruneviz.measuring.ledger import Cost, Footprint
from pruneviz.measuring.sizes import FileSize
from pruneviz.plan import Plan
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


WRITTEN = SMALL[SMALL.index("    answers:") : SMALL.index("---\nThere")]


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "half.md"
        path.write_text(text, "utf-8")
        return path

    return write


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
        ("title: Half", "title: Half\ncourse: 7", "line 3: course: must be a text"),
        ("    answers:", "    text: true\n    answers:", "a question has one of answers, number"),
        *(
            (WRITTEN, f"    number: {number}\n", words)
            for number, words in {
                "'about [[8: 1]]'": "questions.0.number: must be one number, as",
                "[[8: 1]]": "questions.0.number: must be a text",
                "'{half.size}'": "questions.0.number: 'size' is not known",
                "'{half.kept}'\n    within: -1": "questions.0.within: must be a number from 0 on",
            }.items()
        ),
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


def test_a_number_is_right_within_its_bound_and_own_words_if_there_are_any(
    file: Callable[[str], Path],
) -> None:
    boxes = """    number: "{half.kept}"
    within: 0.5
  - ask: How many?
    number: "[[61,706: parameters()]]"
  - ask: Why?
    text: true
"""
    lesson = read_lesson(file(SMALL.replace(WRITTEN, boxes)))
    record = Record(begun=True, moments={"half": {"kept": 0.5}})
    number, count, words = lesson.questions
    for answer, right in ((50.0, True), (50.5, True), (49, False), (51.0, False), ("50", False)):
        assert is_right(number, 0, record.answer(0, answer)) is right
    assert is_right(count, 1, record.answer(1, 61_706))
    assert not is_right(count, 1, record.answer(1, 61_705.0))
    assert not is_right(words, 2, record.answer(2, "  "))
    record = record.answer(2, "It is small.").answer(0, 50.2)
    assert is_right(words, 2, record)
    kept = Record.from_text(record.as_text(), lesson)
    assert kept.answers == {2: "It is small.", 0: 50.2}


def test_a_record_comes_back_as_it_was(lesson: Lesson) -> None:
    record = Record(begun=True).guess(lesson.steps[0], 0.5)
    record = advance(lesson, record, now(fc1=0.6), Plan(sparsity={"fc1": 0.6})).answer(0, 1)
    assert Record.from_text(record.as_text(), lesson) == record


@pytest.mark.parametrize(
    "text",
    [None, "", "[]", "{", "9" * 200_000, '{"answers": {"x": 1}}', '{"answers": {"0": true}}'],
)
def test_a_record_that_cannot_be_read_begins_anew(lesson: Lesson, text: str | None) -> None:
    assert Record.from_text(text, lesson) == Record()


def test_steps_that_a_lesson_has_no_more_are_left_out(lesson: Lesson) -> None:
    text = Record(begun=True, moments={"old": {}, "more": {}}, guesses={"old": 1.0}).as_text()
    assert Record.from_text(text, lesson) == Record(begun=True)


def test_a_situation_tells_every_name() -> None:
    bench = open_workbench("lenet300")
    plan = Plan()
    here = situation(bench, "lenet300", plan, focus="fc2")
    assert here is not None
    assert set(here) == set(NAMES)
    assert (here["kept"], here["most"], here["focus"]) == (1.0, 0.0, "fc2")
    assert here["sparsity"]("fc1") == 0.0
    unmeasured = Plan(sparsity={"fc1": 0.123})
    assert situation(bench, "lenet300", unmeasured) is None


def test_the_time_of_a_batch_is_that_of_the_rounds_that_were_disturbed_least() -> None:
    dense = Footprint(1, 0, 1, 1, 1, 1, Timing(2.0, 1.0, 9.0, 25))
    masked = replace(dense, latency=Timing(30.0, 1.1, 70.0, 25))
    none = FileSize(1, 0, 1)
    cost = Cost(0.5, 1, 1, dense, masked, None, None, none, none, 8, 1)
    here = situation(open_workbench("lenet300"), "lenet300", Plan(), elsewhere=Elsewhere(cost))
    assert here is not None
    assert here["time"] == pytest.approx(1.1)
