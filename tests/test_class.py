"""What may a class do, and do its restrictions hold below the page?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from pruneviz.classroom import VARIABLE, ClassRules, Register, current_rules, door, read_class
from pruneviz.classroom.reader import lessons_of
from pruneviz.sources.networks import hub
from pruneviz.sources.networks.from_torchvision import _download
from pruneviz.training import Training
from pruneviz.ui.session import networks
from pruneviz.ui.train.class_limit import within_class
from pruneviz.ui.workbench import upload

CLASS = """
title: Class 10b
lessons: [lesson-1, lesson-4]
networks: [lenet300, lenet5]
controls: [criterion, scores]
pages: [History]
uploads: 5
training: {epochs: 3, seconds: 20}
"""


def write(folder: Path, text: str) -> str:
    file = folder / "10b.yaml"
    file.write_text(text, "utf-8")
    return str(file)


@pytest.fixture
def lesson4(monkeypatch: pytest.MonkeyPatch) -> ClassRules:
    rules = replace(read_class("lesson-4"), lock=door.new_lock("ABCD-EFGH"))
    monkeypatch.setenv(VARIABLE, rules.as_text())
    return rules


# -- the file ------------------------------------------------------------------------------


def test_a_shipped_lesson_is_a_class_of_what_it_needs() -> None:
    four, eight = read_class("lesson-4"), read_class("lesson-8")
    assert four.networks == ("lenet5",)
    assert (four.upload_mb, four.hub, four.pages) == (0, False, ())
    assert eight.pages == ("Train",)
    assert read_class("lesson-11").upload_mb > 0, "there one brings a network of one's own"


def test_a_file_says_what_a_class_is(tmp_path: Path) -> None:
    rules = read_class(write(tmp_path, CLASS))
    assert rules.title == "Class 10b"
    assert rules.lessons == ("1_what_is_in_a_network", "4_minor_relative_active")
    assert rules.controls == ("criterion", "scores")
    assert (rules.upload_mb, rules.epochs, rules.seconds) == (5, 3, 20)
    assert ClassRules.from_text(rules.as_text()) == rules
    assert all(not lesson.reveal for lesson in lessons_of(rules))


def test_a_class_has_lessons_of_the_teachers_own(tmp_path: Path) -> None:
    shipped = Path(lessons_of(read_class("lesson-2"))[0].name)
    source = Path(read_class.__code__.co_filename).parents[1] / "lessons" / f"{shipped}.md"
    (tmp_path / "mine.md").write_text(source.read_text("utf-8"), "utf-8")
    rules = read_class(write(tmp_path, "lessons: [mine.md]"))
    assert [lesson.name for lesson in lessons_of(rules)] == ["mine"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "10b.yaml: a class has the keys title, lessons"),
        ("title: x", "the key 'lessons' is missing"),
        ("lessons: [lesson-99]", "line 1: lessons.0: there is no 'lesson-99'"),
        ("lessons: [other.md]", "'other.md' is neither a lesson"),
        ("lessons: [lesson-1, lesson-1]", "'lesson-1' is there twice"),
        ("lessons: []", "at least one lesson"),
        ("lessons: [lesson-4]\nnetworks: [lenet9]", "line 2: networks.0: 'lenet9' is no network"),
        ("lessons: [lesson-4]\nnetworks: [vit]", "'lenet5', on which the lesson"),
        ("lessons: [lesson-4]\nupload: 5", "line 2: upload: 'upload' is no key here"),
        ("lessons: [lesson-4]\nuploads: many", "uploads: must be false, or MB"),
        ("lessons: [lesson-4]\nhub: maybe", "hub: must be true or false, got 'maybe'"),
        ("lessons: [lesson-4]\ntraining: {epochs: 0}", "training.epochs: must be epochs"),
        ("lessons: [lesson-4]\ntraining: {hours: 1}", "'hours' is no key here"),
        ("lessons: [lesson-4]\npages: [Kitchen]", "'Kitchen' is no page"),
        ("lessons: [lesson-4]\ncontrols: [sliders]", "controls.0: 'sliders' is no control"),
        ("lessons: [lesson-4]\ntitle: [a]", "title: must be a text"),
    ],
)
def test_what_cannot_be_names_file_key_and_value(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"10b\.yaml") as error:
        read_class(write(tmp_path, text))
    assert words in str(error.value)


def test_a_class_that_is_not_there_is_said() -> None:
    with pytest.raises(ValueError, match=r"no class 'lesson4': name a lesson \(lesson-1, "):
        read_class("lesson4")


def test_rules_that_cannot_be_read_open_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "lesson-4")
    with pytest.raises(ValueError, match="holds no rules"):
        current_rules()


# -- below the page ------------------------------------------------------------------------


def test_another_network_is_not_opened(lesson4: ClassRules) -> None:
    assert networks.names() == ["lenet5"]
    assert networks.first() == "lenet5"
    with pytest.raises(ValueError, match=r"'vit' is not offered in this class; there are lenet5"):
        networks.open_bench("vit")


def test_nothing_is_uploaded_where_uploads_are_off(lesson4: ClassRules) -> None:
    with pytest.raises(ValueError, match="nothing can be uploaded in this class"):
        upload._open((None, None, None), "sample:vit", None, None, upload.PictureFormat())


def test_nothing_comes_from_a_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hub.VARIABLE, hub.OFF)
    said = r"'google/bert_uncased' would come from a hub, and PRUNEVIZ_HUB=off"
    for fetch in (lambda name: hub.hub_folder(name, "x"), lambda name: _download(None, name)):
        with pytest.raises(ValueError, match=said):
            fetch("google/bert_uncased")


def test_a_training_is_no_longer_than_it_may_be(lesson4: ClassRules) -> None:
    with pytest.raises(ValueError, match="in this class one has at most 20; take fewer"):
        within_class(Training(epochs=21), lambda label, done: None)
    rounds = Training(method="iterative", epochs=8, rounds=3)
    with pytest.raises(ValueError, match="24 epochs in all"):
        within_class(rounds, lambda label, done: None)
    with patch("time.monotonic", side_effect=[0.0, 100.0, 121.0]):
        report = within_class(Training(epochs=2), lambda label, done: None)
        report("epoch 1", 0.5)
        with pytest.raises(ValueError, match="lasts at most 120 seconds"):
            report("epoch 2", 0.6)


def test_nobody_trains_where_training_is_off(lesson4: ClassRules) -> None:
    with pytest.raises(ValueError, match="nobody trains in this class"):
        replace(lesson4, epochs=0, seconds=0).check_training(Training())


# -- the door and the register -------------------------------------------------------------


def test_the_code_opens_and_guesses_are_slowed_down() -> None:
    now = [0.0]
    entry = door.Door(door.new_lock("ABCD-EFGH"), lambda: now[0])
    assert not entry.enter("teacher", " abcd efgh ")
    assert entry.is_open("teacher")
    for _ in range(door.ATTEMPTS):
        assert "not the code" in entry.enter("guesser", "ABCD-EFGJ")
    assert "too many wrong codes" in entry.enter("guesser", "ABCD-EFGH")
    assert not entry.is_open("guesser")
    now[0] = door.PAUSE + 1
    assert not entry.enter("guesser", "ABCD-EFGH")


def test_guessing_in_many_tabs_is_slowed_down_too() -> None:
    entry = door.Door(door.new_lock("ABCD-EFGH"), lambda: 0.0)
    with patch.object(door, "fits", return_value=False):
        said = [entry.enter(f"tab {number}", "x") for number in range(door.ALL_ATTEMPTS + 1)]
    assert "too many" in said[-1]
    assert "too many" not in said[-2]


def test_a_lock_tells_no_code() -> None:
    code = door.new_code()
    lock = door.new_lock(code)
    assert code not in lock
    assert code.replace("-", "") not in lock
    assert door.new_lock(code) != lock
    assert not door.fits("", lock)
    assert not door.fits(code, "")


def test_a_register_knows_names_places_and_sheets(tmp_path: Path) -> None:
    now = [100.0]
    register = Register(tmp_path, lambda: now[0])
    register.enter("a", "  Ada\n Lovelace ")
    register.enter("b", "Ben")
    with pytest.raises(ValueError, match="somebody is here as 'ada lovelace' already"):
        register.enter("b", "ada lovelace")
    for name in ("", "  \n", "x" * 41):
        with pytest.raises(ValueError, match="a name has 1 to 40 signs"):
            register.enter("c", name)
    now[0] = 160.0
    register.sit("a", "Lesson")
    register.sit("nobody", "Lesson")
    register.hand_in("b", "<html>")
    with pytest.raises(ValueError, match="say your name first"):
        register.hand_in("c", "<html>")
    again = Register(tmp_path)
    assert [(one.name, one.place) for one in again.students()] == [
        ("Ada Lovelace", "Lesson"),
        ("Ben", ""),
    ]
    assert [(one.name, sheet) for one, sheet in again.sheets()] == [("Ben", "<html>")]
    again.give("b", "c")
    assert [(one.owner, sheet) for one, sheet in again.sheets()] == [("c", "<html>")]
