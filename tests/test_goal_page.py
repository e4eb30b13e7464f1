"""Are a goal's attempts counted and judged, and is the best kept?"""

from __future__ import annotations

import pytest

from pruneviz.lessons.goal import Goal
from pruneviz.lessons.goal import from_text as goal_of
from pruneviz.lessons.goal import to_text as goal_text
from pruneviz.lessons.goals import GOALS
from pruneviz.ui.learn import goals
from tests.classroom import Classroom
from tests.page import links

pytestmark = pytest.mark.usefixtures("fresh_home")


@pytest.mark.slow
def test_a_goal_counts_attempts_judges_them_and_keeps_the_best() -> None:
    goal = Goal("Half of it", "lenet300", kept=0.6, accuracy=0.95, controls=("criterion",))
    page = Classroom(goal=goal_text(goal))
    assert page.session.name == "lenet300"
    assert "Nothing is cut yet" in page.texts()
    page.drag(fc1=0.1).run()
    assert "Not passed" in page.texts()
    assert "of the parameters are kept, 60.0 % may be" in page.texts()
    page.drag(fc1=0.6).run()
    assert "Passed for sure" in page.texts()
    assert "2 attempts" in page.texts()
    page.drag(fc1=0.99).run()
    assert "Best attempt**: passed for sure" in page.texts()
    page.press("goal-best").finish()
    assert page.plan.sparsity["fc1"] == 0.6
    page.run()
    assert "3 attempts" in page.texts(), "what was tried before is no new attempt"
    assert "lesson_all" not in {each.key for each in page.app.toggle}, "what it hides stays hidden"
    again = Classroom(goal=goal_text(goal))
    assert "3 attempts" in again.texts()


def test_a_goal_begins_with_its_granularity() -> None:
    page = Classroom(goal=goal_text(GOALS[1])).arrive().finish()
    assert page.plan.granularity == "neuron"
    assert "weights of at most 64 KiB at 8 bits" in page.texts().lower().replace("kib", "KiB")


def test_a_goal_that_is_damaged_is_refused_and_ready_ones_stand_on_the_page() -> None:
    page = Classroom(goal="AAAA")
    assert "This link is damaged" in page.errors()
    assert all(goal.title in page.texts() for goal in GOALS)
    page.app.number_input(key="goal-kept").set_value(0.0)
    page.run()
    assert "Kept must be above 0" in page.errors()
    page.app.number_input(key="goal-kept").set_value(20.0)
    page.run()
    link = next(each for each in links(page.app) if "goal=" in each)
    made = goal_of(link.partition("goal=")[2])
    assert (made.kept, made.accuracy, made.controls) == (0.2, 0.97, ("criterion", "granularity"))


def test_what_was_begun_by_a_link_stands_in_the_worksheet() -> None:
    goal = Goal("Half of it", "lenet300", kept=0.6, accuracy=0.95)
    page = Classroom(goal=goal_text(goal))
    page.drag(fc1=0.6).run()
    page.press("lessons")
    assert "worksheet-name" in {each.key for each in page.app.text_input}
    assert [each.title for each, _ in goals.progress()] == ["Half of it"]
