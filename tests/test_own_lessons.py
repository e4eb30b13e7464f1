"""Do a teacher's own lessons stand beside ours, and is what is wrong in them said?"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import pruneviz
from pruneviz.cli import main, serve
from pruneviz.lessons import Record, library, read_lesson, read_lessons
from pruneviz.lessons.checking import doubts
from pruneviz.lessons.library import VARIABLE, stamps
from pruneviz.ui.learn import course
from pruneviz.ui.session import notebook
from tests.page import Page, new_app, path_of

OURS = {lesson.name: lesson for lesson in read_lessons()}
NAME = "21_one_layer"


def example() -> str:
    """The lesson that the manual shows."""
    manual = (Path(pruneviz.__file__).parent / "manual" / "teaching.md").read_text("utf-8")
    blocks = re.findall(r"```markdown\n(.*?)```", manual, re.DOTALL)
    assert len(blocks) == 1
    return str(blocks[0])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A teacher's folder with the manual's lesson, which the app is told of."""
    monkeypatch.setenv("PRUNEVIZ_HOME", str(tmp_path / "home"))
    folder = tmp_path / "my-lessons"
    folder.mkdir()
    (folder / f"{NAME}.md").write_text(example(), "utf-8")
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


class Learner(Page):
    """The page Learn in one browser tab."""

    PAGE, STATE = "learn", "LedgerWork"

    def __init__(self, **address: str) -> None:
        self.app, self.seq = new_app(), 0
        self.app.switch_page(path_of("learn"))
        self.app.query_params.update(address)
        self.run()

    def settled(self, **levels: float) -> Learner:
        self.settle(**levels).finish()
        self.run()
        return self

    def warnings(self) -> str:
        return " ".join(each.value for each in self.app.warning)


def test_the_manuals_lesson_is_walked_from_start_to_end(folder: Path) -> None:
    page = Learner(lesson="21")
    lesson = next(each for each in notebook.lessons() if each.name == NAME)
    page.press("lesson-begin")
    page.arrive().finish()
    assert page.session.name == "lenet300"
    page.settled(fc1=0.9)
    assert not notebook.read(lesson).moments, "it waits for the guess"
    page.press("guess")
    page.settled(fc1=0.0).settled(fc1=0.9)
    page.choose("ask_criterion", "random").finish()
    page.run()
    assert [*notebook.read(lesson).moments] == ["large", "chance"]
    page.app.radio(key=f"answer-{NAME}-0").set_value(0)
    page.run()
    assert "This lesson is done." in " ".join(box.value for box in page.app.success)


def test_they_stand_beside_ours_or_in_their_place(folder: Path) -> None:
    (folder / "2_cutting_connections.md").write_text(example(), "utf-8")
    (folder / "2_again.md").write_text(example(), "utf-8")
    (folder / "no_number.md").write_text(example(), "utf-8")
    names = [lesson.name for lesson in library(folder).lessons]
    assert {*names} == {*OURS, "2_again", NAME, "no_number"}
    assert names.index("2_cutting_connections") + 1 == names.index("2_again")
    numbers = {each.name: number for number, each in course.numbers().items()}
    for name in OURS:
        assert numbers[name] == int(name.partition("_")[0]), "an address of ours stays as it is"
    assert numbers[NAME] == 21
    assert {numbers["2_again"], numbers["no_number"]} == {22, 23}
    assert course.numbers()[2].title == "One layer alone"


def test_what_is_wrong_is_said_and_the_others_are_shown(folder: Path) -> None:
    file = folder / f"{NAME}.md"
    file.write_text(example().replace("minutes: 4", "minutes: soon"), "utf-8")
    page = Learner()
    assert f"{NAME}.md, line 5: minutes: must be a whole number" in page.warnings()
    assert "21. One layer alone" not in page.texts()
    assert all(lesson.title in page.texts() for lesson in OURS.values())
    file.write_text(example(), "utf-8")
    os.utime(file, (1, 1))  # a file system may count in whole seconds
    page.run()
    assert not page.warnings()
    assert "21. One layer alone" in page.texts(), "what was changed is read again"


def test_a_folder_that_is_gone_or_empty_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / f"{NAME}.md").unlink()
    assert "holds no Markdown file" in Learner().warnings()
    monkeypatch.setenv(VARIABLE, str(folder / "nowhere"))
    assert "holds no Markdown file" in Learner().warnings()
    assert stamps(None) == ()


def test_a_network_or_layer_that_is_not_there_is_named_on_the_page(folder: Path) -> None:
    file = folder / f"{NAME}.md"
    file.write_text(example().replace("network: lenet300", "network: nowhere"), "utf-8")
    page = Learner(lesson="21")
    assert "nowhere" in page.errors()
    file.write_text(example().replace('sparsity("fc1") >=', 'sparsity("fc9") >='), "utf-8")
    lesson = read_lesson(file)
    notebook.write(lesson, Record(begun=True, guesses={"large": 0.5}))
    page = Learner(lesson="21").settled(fc1=0.9)
    assert "lenet300 has no layer 'fc9'" in page.errors()


def test_the_app_is_started_with_a_folder_that_is_in_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[dict[str, str]] = []
    monkeypatch.setattr(serve, "_become", lambda words, environment: commands.append(environment))
    monkeypatch.setattr(serve, "_check_address", lambda *_: None)
    run = CliRunner().invoke
    done = run(main, ["app", "--lessons", str(folder)])
    assert done.exit_code == 0, done.output
    assert [each[VARIABLE] for each in commands] == [str(folder)]
    (folder / f"{NAME}.md").write_text(example().replace("title: ", "name: "), "utf-8")
    done = run(main, ["app", "--lessons", str(folder)])
    assert done.exit_code == 1
    assert f"{NAME}.md, line 2: name: 'name' is no field here" in done.output
    assert len(commands) == 1


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("88.2 %: weights", "88.3 %: weights", "88.3 % is not what weights"),
        ('"nine", "ten"', '"nine"', "'ten' stands in the text, and is neither"),
        ('"nine", "ten"', '"nine", "ten", "7"', "settings has '7', which stands in no text"),
        ('sparsity("fc1") >=', 'sparsity("fc9") >=', "lenet300 has no layer 'fc9'"),
        ('weights("fc1")]]', 'weights("fc9")]]', "cannot be computed"),
        ("network: lenet300", "network: nowhere", "nowhere"),
    ],
)
def test_lessons_are_checked_against_their_network(
    folder: Path, before: str, after: str, words: str
) -> None:
    run = CliRunner().invoke
    done = run(main, ["lessons", str(folder)])
    assert (done.exit_code, done.output) == (
        0,
        f"{NAME}.md: One layer alone; steps: 2, questions: 1\n",
    )
    assert before in example()
    (folder / f"{NAME}.md").write_text(example().replace(before, after), "utf-8")
    done = run(main, ["lessons", str(folder)])
    assert done.exit_code == 1
    assert words in done.output


def test_a_lesson_of_the_readers_own_network_is_checked_without_one(folder: Path) -> None:
    text = re.sub(r"The layer.*\Z", "Yours.", example(), flags=re.DOTALL)
    (folder / f"{NAME}.md").write_text(text.replace("network: lenet300", "network: own"), "utf-8")
    assert doubts(read_lesson(folder / f"{NAME}.md"), None) == []
