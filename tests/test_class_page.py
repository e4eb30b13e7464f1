"""Do students find their lesson, and does the teacher see how they come along?"""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from pruneviz.classroom import VARIABLE, ClassRules, door, read_class
from pruneviz.classroom.reader import lessons_of
from pruneviz.storage import home
from pruneviz.ui.classroom import collection, progress, summary
from pruneviz.ui.pages import PAGES, offered_pages
from pruneviz.ui.session import classmates, notebook
from tests.page import Page, new_app, path_of
from tests.students import NAMES, fill

CODE = "ABCD-EFGH"


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ClassRules:
    asked = replace(
        read_class("lesson-4"), lock=door.new_lock(CODE), address="http://10.0.0.7:8501/"
    )
    monkeypatch.setenv(VARIABLE, asked.as_text())
    monkeypatch.setenv(home.VARIABLE, str(tmp_path))
    return asked


class ClassTab(Page):
    """A tab of somebody in the class."""

    def __init__(self, page: str, **address: str) -> None:
        self.app, self.seq = new_app(), 0
        if page != "workbench":
            self.app.switch_page(path_of(page))
        self.app.query_params.update(address)
        self.run()

    def enter(self, name: str) -> ClassTab:
        self.app.text_input(key="class-name-text").set_value(name)
        next(each for each in self.app.button if each.label == "Begin").click()
        self.run()
        return self

    def give(self, code: str) -> ClassTab:
        self.app.text_input(key="teacher-code").set_value(code)
        next(each for each in self.app.button if each.label == "Open").click()
        self.run()
        return self


def test_a_class_has_the_pages_it_needs_and_one_for_the_teacher(rules: ClassRules) -> None:
    assert [*offered_pages()] == ["Workbench", "Learn", "Manual", "Teacher"]


def test_outside_of_a_class_there_is_no_page_for_a_teacher() -> None:
    assert offered_pages() is PAGES
    assert "Teacher" not in PAGES


def test_a_student_says_a_name_and_is_at_the_lesson(rules: ClassRules) -> None:
    tab = ClassTab("learn")
    assert "Minor, relative, active" in tab.texts()
    assert "session" not in tab.app.session_state, "nothing is opened before"
    tab.enter("Ada")
    assert tab.address["lesson"] == "4"
    assert [one.place for one in classmates.register().students()] == ["Minor, relative, active"]
    labels = {button.label for button in tab.app.button}
    assert "Begin" in labels
    assert not [each for each in tab.app.text_input if str(each.key).startswith("upload_")]
    assert not tab.app.get("file_uploader"), "uploads are off"


def test_a_link_to_another_network_leads_to_one_of_the_class(rules: ClassRules) -> None:
    tab = ClassTab("workbench", model="vit")
    assert "'vit' is not offered in this class; there are lenet5" in tab.errors()
    assert tab.session.name == "lenet5"


def test_a_hand_in_reaches_the_teacher(rules: ClassRules) -> None:
    tab = ClassTab("learn").enter("Ben")
    tab.press("lesson-begin").press("class-hand-in-lesson")
    assert "Handed in at" in tab.texts()
    files = collection.files_of(classmates.register().sheets())
    assert [name for name, _ in files] == ["Ben.html"]
    assert "Minor, relative, active" in files[0][1]


def test_the_teachers_page_opens_by_the_code_alone(rules: ClassRules, tmp_path: Path) -> None:
    fill(tmp_path, notebook.lessons()[0])
    tab = ClassTab("teacher").give("WRONG-ONE")
    assert "not the code" in tab.errors()
    assert "Ada" not in tab.texts()
    tab.give(CODE.lower())
    body = "".join(each.proto.body for each in tab.app.get("html"))
    assert all(name in body for name in NAMES)
    assert "40 came" in tab.texts()
    assert len(tab.app.get("plotly_chart")) > 0
    assert "1 tried" not in tab.texts()
    assert "4 tried" in tab.texts()
    assert CODE not in str(tab.address)


def test_what_the_teacher_sees_is_what_was_done(rules: ClassRules, tmp_path: Path) -> None:
    lesson = lessons_of(rules)[0]
    fill(tmp_path, lesson)
    students = classmates.register().students()
    entries = summary.rows(students, lesson, max(one.seen for one in students))
    of = len(lesson.steps)
    assert sum(len(row.record.moments) for row in entries) == sum(n % (of + 1) for n in range(40))
    first = summary.forecasts(lesson, entries)[0]
    assert len(first.expected) == sum(n % (of + 1) >= first.number - 1 for n in range(40))
    assert len(first.measured) == sum(n % (of + 1) >= first.number for n in range(40))


def test_names_are_no_code_in_page_or_archive(rules: ClassRules) -> None:
    register = classmates.register()
    for owner, name in (("a", '<img src=x onerror="x">'), ("b", "../../x"), ("c", ".. .. x")):
        register.enter(owner, name)
        register.hand_in(owner, "sheet")
    lesson = lessons_of(rules)[0]
    html = progress.roster(lesson, summary.rows(register.students(), lesson, 0.0))
    assert "<img" not in html
    files = collection.files_of(register.sheets())
    assert sorted(name for name, _ in files) == ["img_src_x_onerror_x.html", "x.html", "x_2.html"]
    names = zipfile.ZipFile(io.BytesIO(collection.archive(files))).namelist()
    assert not [name for name in names if "/" in name or ".." in name]
