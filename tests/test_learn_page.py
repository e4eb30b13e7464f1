"""Does the page Learn lead from step to step by what is done at the workbench, and remember it?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

import pytest

from pruneviz.lessons import Assignment, Lesson, Record, read_lessons
from pruneviz.lessons.assignment import to_text
from pruneviz.lessons.goal import Goal
from pruneviz.lessons.goal import from_text as goal_of
from pruneviz.lessons.goal import to_text as goal_text
from pruneviz.lessons.goals import GOALS
from pruneviz.lessons.record import current, is_complete, is_right
from pruneviz.sources.upload import open_upload
from pruneviz.ui.learn import goals
from pruneviz.ui.learn.controls import hidden_controls
from pruneviz.ui.session import notebook, owners
from pruneviz.ui.session.owners import Owner
from pruneviz.workbench import Workbench
from tests.cases import slow_but
from tests.page import PATIENCE, Page, few_validated, new_app, path_of

LESSONS = read_lessons()
Act = Callable[["Classroom"], object]


class Classroom(Page):
    """The page Learn in one browser tab."""

    PAGE, STATE = "learn", "LedgerWork"

    def __init__(self, number: int | None = None, **address: str) -> None:
        self.app, self.seq = new_app(), 0
        self.app.switch_page(path_of("learn"))
        self.app.query_params.update(address | ({} if number is None else {"lesson": str(number)}))
        self.run()

    def begin(self) -> Classroom:
        self.press("lesson-begin")
        self.arrive().finish()
        return self

    def record(self, lesson: Lesson) -> Record:
        return notebook.read(lesson)

    def guess(self, percent: int) -> Classroom:
        slider = next(each for each in self.app.slider if "expect" in each.label)
        slider.set_value(percent)
        self.press("guess")
        return self

    def open_tab(self, name: str) -> Classroom:
        self.app.session_state["tabs"] = name
        self.run()
        return self

    def weigh(self) -> Classroom:
        """Measure the ledger of the present plan."""
        self.open_tab("Ledger").press("ledger-measure").done()
        return self

    def drag(self, **levels: float) -> Classroom:
        self.settle(**levels).finish()
        return self

    def every(self, level: float) -> Classroom:
        return self.drag(conv2=level, fc1=level, fc2=level)

    def every_layer(self, level: float) -> Classroom:
        """The slider above the list, whatever the layers are called."""
        bench = self.session.bench
        free = [name for name in bench.layer_of if name not in self.session.locked]
        self.ask("settle", dict(self.session.live.sparsity) | dict.fromkeys(free, level))
        self.finish()
        return self

    def home(self) -> Classroom:
        """Back to the lesson."""
        self.app.switch_page(path_of("learn"))
        self.run()
        return self

    def granularity(self, name: str) -> Classroom:
        self.choose("ask_granularity", name).finish()
        return self

    def repair(self, *names: str) -> Classroom:
        """Let these repairs be switched on, and no others."""
        for name in ("fold", "reconstruct", "recalibrate"):
            if (name in self.plan.repair) != (name in names):
                self.choose(f"ask_{name}", name in names).finish()
        return self

    def undo(self) -> Classroom:
        self.ask("undo").finish()
        return self

    def answer(self, lesson: Lesson, number: int, place: int) -> Classroom:
        self.app.radio(key=f"answer-{lesson.name}-{number}").set_value(place)
        self.run()
        return self


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


def devices(page: Classroom) -> Classroom:
    """Let the page Small devices measure, and come back."""
    page.app.switch_page(path_of("devices"))
    page.run()
    job = page.app.session_state["DeviceFitWork"].job
    if job is not None:
        job.wait(PATIENCE)
    return page.run().home()


def upload(page: Classroom) -> Classroom:
    """Open a network that is in no list, as the form does; it takes files only from a browser."""
    bench = Workbench(open_upload(None, "", "sample:lenet300"))
    page.own("mine", bench).finish()
    return page.home()


def scan(page: Classroom) -> Classroom:
    """Scan on the page Sensitivity, and come back."""
    page.app.switch_page(path_of("sensitivity"))
    page.run()
    page.press("scan-start")
    page.app.session_state["ScanWork"].job.wait(PATIENCE)
    return page.run().home()


def choose(key: str, value: object) -> Act:
    return lambda page: page.choose(key, value).finish()


# What a reader does at each step, by the names of the steps.
ACTS: Mapping[str, Mapping[str, Act]] = {
    "1_what_is_in_a_network": {
        "picture": lambda page: page.ask("focus", focus="fc2"),
        "histogram": lambda page: page.ask("focus", focus="fc1"),
        "half": lambda page: page.drag(fc1=0.5),
        "back": lambda page: page.undo(),
    },
    "2_cutting_connections": {
        "half": lambda page: page.every(0.5),
        "cliff": lambda page: page.every(0.9),
        "edge": lambda page: page.every(0.6),
        "chance": choose("ask_criterion", "random"),
    },
    "3_cutting_neurons": {
        "filters": lambda page: page.drag(conv2=0.5),
        "digits": lambda page: page.open_tab("Flipped examples"),
        "connections": lambda page: (
            page.choose("ask_granularity", "weight").finish(),
            page.every(0.42),
        ),
    },
    "4_minor_relative_active": {
        "minor": lambda page: page.every(0.5),
        "fair": choose("ask_scores", "relative"),
        "active": choose("ask_criterion", "activation"),
        "chance": choose("ask_criterion", "random"),
    },
    "5_which_layers_can_take_it": {
        "early": lambda page: page.drag(conv2=0.8),
        "late": lambda page: page.undo().drag(fc2=0.8),
        "even": lambda page: page.every(0.8),
        "uneven": lambda page: page.drag(conv2=0.5, fc1=0.82, fc2=0.85),
    },
    "6_size_is_not_speed": {
        "zeros": lambda page: page.every(0.9).weigh(),
        "units": lambda page: (
            page.choose("ask_granularity", "neuron").finish(),
            page.every(0.5).weigh(),
        ),
    },
    "7_getting_accuracy_back": {
        "cut": lambda page: page.every_layer(0.25),
        "recalibrate": lambda page: page.repair("recalibrate"),
        "update": lambda page: page.repair("reconstruct"),
        "tuned": lambda page: train(page.repair(), method="one-shot", epochs=1, samples=500),
    },
    "8_pruning_while_training": {
        "oneshot": lambda page: train(page.every_layer(0.9), method="one-shot", epochs=3),
        "gradual": lambda page: train(page, method="gradual", epochs=3),
        "quiet": lambda page: train(
            page.granularity("neuron").every_layer(0.5), method="activity", silent=90.0, epochs=3
        ),
        "overfit": lambda page: train(page.every_layer(0.0), epochs=15, start="new", samples=500),
        "lottery": lambda page: train(
            page.granularity("weight").every_layer(0.9),
            method="lottery",
            epochs=2,
            rounds=2,
            controls=True,
            samples=None,
        ),
    },
    "9_on_a_small_device": {
        "whole": devices,
        "zeros": lambda page: page.every_layer(0.9),
        "fit": lambda page: page.granularity("neuron").every_layer(0.3),
        "memory": devices,
    },
    "11_your_own_model": {
        "open": upload,
        "half": lambda page: page.every_layer(0.5),
        "scan": scan,
        "edge": lambda page: page.every_layer(0.05),
    },
}


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody did anything in a lesson before."""
    monkeypatch.setenv("PRUNEVIZ_HOME", str(tmp_path))


@pytest.mark.parametrize(
    "lesson",
    slow_but(lambda lesson: lesson.name.startswith("1_"), LESSONS),
    ids=lambda each: each.name,
)
def test_a_lesson_is_walked_from_start_to_end(lesson: Lesson) -> None:
    with few_validated(200) if lesson.network == "resnet20" else nullcontext():
        walk(lesson)


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
        right = [
            is_right(question, number, page.record(lesson).answer(number, place))
            for place in range(len(question.answers))
        ]
        assert any(right), f"no answer is right: {question.ask}"
        wrong = right.index(False)
        page.answer(lesson, number, wrong)
        assert "say otherwise" in page.texts()
        assert not is_complete(lesson, page.record(lesson))
        page.answer(lesson, number, right.index(True))
    assert is_complete(lesson, page.record(lesson))
    assert "This lesson is done." in " ".join(box.value for box in page.app.success)
    words = page.texts()
    assert not re.search(r"{[a-z_]+\.", words)
    assert "[[" not in words


def test_the_overview_says_how_far_one_is_and_leads_there() -> None:
    page = Classroom()
    for lesson in LESSONS:
        assert f"{lesson.name.partition('_')[0]}. {lesson.title}" in page.texts()
    notebook.write(LESSONS[0], Record(begun=True, moments={"picture": {}}))
    page.run()
    assert "1 of 4 steps" in page.texts()
    page.press("open-1")
    assert page.address["lesson"] == "1"
    page.press("lessons")
    assert "lesson" not in page.address
    assert "Learn to prune" in page.texts()


def test_a_lesson_that_is_none_is_refused_by_name() -> None:
    for word in ("10", "0", "two", "²", "-1", "99999999999"):
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
    assert page.app.session_state["choices_used"] >= {"scores", "activation"}
    page.begin()
    page.app.toggle(key="lesson_all").set_value(True)
    page.run()
    style = "".join(each.proto.body for each in page.app.get("html"))
    assert ".st-key-control-granularity" not in style


@pytest.mark.slow
def test_another_network_waits_for_that_of_the_lesson() -> None:
    page = Classroom(1).begin()
    page.choose("ask_model", "lenet5")
    assert "This lesson works on `lenet300`" in page.texts()
    page.press("lesson-network")
    assert page.session.name == "lenet300"


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


# -- a teacher's link ----------------------------------------------------------------------------

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
    link = next(each.value for each in page.app.code if "assignment=" in each.value)
    assert link.endswith(f"?assignment={to_text(VIT)}")
    page.app.selectbox(key="teacher-lesson").set_value(LESSONS[0])
    page.run()
    page.app.selectbox(key=f"teacher-network-{LESSONS[0].name}").set_value("vit")
    page.run()
    assert "which vit does not have" in page.errors()


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


# -- goals ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_goal_counts_attempts_judges_them_and_keeps_the_best() -> None:
    goal = Goal("Half of it", "lenet300", kept=0.6, accuracy=0.95, controls=("criterion",))
    page = Classroom(goal=goal_text(goal))
    assert page.session.name == "lenet300"
    assert "Nothing is cut yet" in page.texts()
    page.drag(fc1=0.1).run()
    assert "Not passed" in page.texts()
    assert "of the parameters are kept, 60.0% may be" in page.texts()
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
    link = next(each.value for each in page.app.code if "goal=" in each.value)
    made = goal_of(link.partition("goal=")[2])
    assert (made.kept, made.accuracy, made.controls) == (0.2, 0.97, ("criterion", "granularity"))


def test_what_was_begun_by_a_link_stands_in_the_worksheet() -> None:
    goal = Goal("Half of it", "lenet300", kept=0.6, accuracy=0.95)
    page = Classroom(goal=goal_text(goal))
    page.drag(fc1=0.6).run()
    page.press("lessons")
    assert "worksheet-name" in {each.key for each in page.app.text_input}
    assert [each.title for each, _ in goals.progress()] == ["Half of it"]
