"""Does a teacher's link open what was chosen, and nothing else?"""

from __future__ import annotations

from unittest.mock import PropertyMock, patch

import pytest
import streamlit as st

from pruneviz.lessons import Assignment, Record
from pruneviz.lessons.assignment import to_text
from pruneviz.ui.session import notebook, owners
from pruneviz.ui.session.owners import Owner
from tests.classroom import LESSONS, Classroom
from tests.page import links

pytestmark = pytest.mark.usefixtures("fresh_home")

VIT = Assignment(LESSONS[3].name, "vit", "magnitude", ("scores",))


@pytest.mark.slow
def test_a_link_opens_a_lesson_with_its_network_and_hides_the_criterion() -> None:
    page = Classroom(assignment=to_text(VIT))
    style = "".join(each.proto.body for each in page.app.get("html"))
    assert page.session.name == "vit"
    assert ".st-key-control-criterion" in style
    assert ".st-key-control-scores)" not in style
    assert f"From your teacher · `vit` · link {VIT.code}" in page.texts()
    page.app.session_state["lesson_all"] = True  # as another lesson of this tab left it
    page.begin()
    assert "lesson_all" not in {each.key for each in page.app.toggle}
    style = "".join(each.proto.body for each in page.app.get("html"))
    assert ".st-key-control-criterion" in style, "what is hidden is not revealed"
    page.guess(50)
    page.every_layer(0.5).run()
    page.choose("ask_scores", "relative").finish().run()
    assert "This lesson is done." in " ".join(box.value for box in page.app.success)
    assert notebook.read(LESSONS[3]) == Record(), "the lesson itself is another one"


@pytest.mark.slow
def test_what_a_student_does_changes_nothing_of_the_teacher() -> None:
    ann, ben = Owner("a" * 32), Owner("b" * 32)
    with patch.object(owners, "current", return_value=ann):
        teacher = Classroom(4).begin().guess(40)
        before = teacher.plan, teacher.address, teacher.record(LESSONS[3])
    with patch.object(owners, "current", return_value=ben):
        student = Classroom(assignment=to_text(VIT)).begin().guess(90)
        student.every_layer(0.5)
        assert student.session.name == "vit"
    with patch.object(owners, "current", return_value=ann):
        teacher.run()
        assert (teacher.plan, teacher.address, teacher.record(LESSONS[3])) == before


@pytest.mark.slow
def test_a_teacher_makes_a_link_that_opens_what_was_chosen() -> None:
    page = Classroom()
    page.app.selectbox(key="teacher-lesson").set_value(LESSONS[3])
    page.run()
    name = LESSONS[3].name
    page.app.selectbox(key=f"teacher-network-{name}").set_value("vit")
    page.app.multiselect(key=f"teacher-controls-{name}").set_value(["scores"])
    page.run()
    assert "2 steps and 2 questions of “Minor, relative, active” are left out" in page.texts()
    link = next(each for each in links(page.app) if "assignment=" in each)
    assert link.endswith(f"?assignment={to_text(VIT)}")
    page.app.selectbox(key="teacher-lesson").set_value(LESSONS[0])
    page.run()
    page.app.selectbox(key=f"teacher-network-{LESSONS[0].name}").set_value("vit")
    page.run()
    assert "which vit does not have" in page.errors()


@pytest.mark.parametrize(
    ("url", "alone"),
    [("http://localhost:8501/learn", True), ("http://192.168.1.5:8501/learn", False)],
)
def test_a_link_that_leads_nobody_else_here_says_so(url: str, alone: bool) -> None:
    with patch.object(type(st.context), "url", new_callable=PropertyMock, return_value=url):
        page = Classroom()
    assert any(each.startswith(f"{url}?assignment=") for each in links(page.app))
    assert ("leads to this machine alone" in page.texts()) == alone


def test_a_link_that_cannot_be_opened_is_refused_in_a_sentence() -> None:
    for text, words in {
        to_text(VIT)[:-2]: "This link is damaged",
        to_text(Assignment("9_none", "vit", "random")): "There is no lesson '9_none' here",
        to_text(Assignment(LESSONS[0].name, "nowhere", "magnitude")): "unknown model 'nowhere'",
    }.items():
        page = Classroom(assignment=text)
        assert words.lower() in page.errors().lower()
        assert "assignment" not in page.address
        assert "Learn to prune" in page.texts()
