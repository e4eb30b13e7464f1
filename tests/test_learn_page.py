"""Does the page Learn lead from step to step by what is done at the workbench, and remember it?"""

from __future__ import annotations

from unittest.mock import patch

import pytest

from pruneviz.lessons import Record
from pruneviz.ui.learn.controls import hidden_controls
from pruneviz.ui.session import notebook, owners
from pruneviz.ui.session.owners import Owner
from tests.classroom import LESSONS, Classroom
from tests.page import path_of

pytestmark = pytest.mark.usefixtures("fresh_home")


def test_the_overview_says_how_far_one_is_and_leads_there() -> None:
    page = Classroom()
    for lesson in LESSONS:
        assert f"{lesson.name.partition('_')[0]}. {lesson.title}" in page.texts()
    keys = [each.key for each in page.app.button if (each.key or "").startswith("open-")]
    assert keys == [f"open-{place}" for place in range(1, len(LESSONS) + 1)], "as they are read"
    page.press("open-1")
    assert page.session.name == LESSONS[0].network, "the text is of what stands beside it"
    page.press("lessons")
    notebook.write(LESSONS[0], Record(begun=True, moments={"picture": {}}))
    page.run()
    assert "1 of 4 steps" in page.texts()
    page.press("open-1")
    assert page.address["lesson"] == "1"
    page.press("lessons")
    assert "lesson" not in page.address
    assert "Learn to prune" in page.texts()


def test_a_lesson_that_is_none_is_refused_by_name() -> None:
    for word in ("16", "0", "two", "²", "-1", "99999999999"):
        page = Classroom(lesson=word)
        assert repr(word) in page.errors()
        assert "Learn to prune" in page.texts()


def test_only_the_controls_of_a_lesson_are_in_sight() -> None:
    lesson = LESSONS[3]
    away = hidden_controls(lesson)
    assert "criterion" not in away
    assert "scores" not in away
    assert {"granularity", "scope", "repair", "last", "more", "about"} <= {*away}
    page = Classroom(4)
    style = "".join(each.proto.body for each in page.app.get("html"))
    assert ".st-key-control-granularity" in style
    assert "--beyond-lesson" in style
    assert page.app.session_state["choices_used"] >= {"scores", "activation"}
    page.begin()
    page.app.toggle(key="lesson_all").set_value(True)
    page.run()
    style = "".join(each.proto.body for each in page.app.get("html"))
    assert ".st-key-control-granularity" not in style
    assert "--beyond-lesson" not in style


def test_a_lesson_that_is_not_begun_says_whose_board_stands_beside_it() -> None:
    page = Classroom(1, model="lenet5")
    assert "Beside this text is still `lenet5`" in page.texts()
    assert "Beside this text" not in page.begin().texts()


@pytest.mark.slow
def test_another_network_waits_for_that_of_the_lesson() -> None:
    page = Classroom(1).begin()
    page.choose("ask_model", "lenet5")
    assert "This lesson works on `lenet300`" in page.texts()
    page.press("lesson-network")
    assert page.session.name == "lenet300"


def test_a_step_that_is_done_elsewhere_is_told_there() -> None:
    page = Classroom(8).begin()
    page.app.switch_page(path_of("train"))
    assert "Step 1 of 5" in page.run().texts()
    page.app.switch_page(path_of("sensitivity"))
    assert "Step 1 of 5" not in page.run().texts()
    page.home().press("lessons")
    page.app.switch_page(path_of("train"))
    assert "Step 1 of 5" not in page.run().texts()


def test_what_was_done_is_kept_for_its_owner_alone() -> None:
    lesson = LESSONS[0]
    ann, ben = Owner("a" * 32), Owner("b" * 32)
    with patch.object(owners, "current", return_value=ann):
        notebook.write(lesson, Record(begun=True, guesses={"half": 0.5}))
    notebook._open.clear()  # a server that has just started
    with patch.object(owners, "current", return_value=ben):
        assert notebook.read(lesson) == Record()
    with patch.object(owners, "current", return_value=ann):
        assert notebook.read(lesson).guesses == {"half": 0.5}
    notebook.give(ann.name, ben.name)
    with patch.object(owners, "current", return_value=ben):
        assert notebook.read(lesson).guesses == {"half": 0.5}


@pytest.mark.slow
def test_a_guess_stays_in_the_chart() -> None:
    page = Classroom(1).begin()
    page.ask("focus", focus="fc2").ask("focus", focus="fc1")
    page.run()
    page.guess(40).drag(fc1=0.5)
    assert page.session.facts.guesses == ((pytest.approx(149_010, abs=1), 0.4),)
    page.run()
    chart = page.session.chart
    assert chart is not None
    assert "your guess" in chart.figure


@pytest.mark.slow
def test_starting_over_forgets_steps_and_guesses() -> None:
    lesson = LESSONS[0]
    page = Classroom(1).begin()
    page.ask("focus", focus="fc2").run()
    assert "picture" in page.record(lesson).moments
    page.press("lesson-begin")
    assert page.record(lesson) == Record(begun=True)


def test_a_link_to_a_lesson_alone_opens_its_network() -> None:
    page = Classroom(1)
    assert page.session.name == "lenet300"
    assert page.address["model"] == "lenet300"


@pytest.mark.slow
def test_a_reload_does_no_step() -> None:
    lesson = LESSONS[0]
    page = Classroom(1).begin()
    page.ask("focus", focus="fc2").run()
    assert [*page.record(lesson).moments] == ["picture"]
    again = Classroom(1)  # which has fc1 in focus, as the next step asks for
    again.run().run()
    assert again.session.focus == "fc1"
    assert [*again.record(lesson).moments] == ["picture"]
    again.ask("focus", focus="fc2").ask("focus", focus="fc1").run()
    assert [*again.record(lesson).moments] == ["picture", "histogram"]
