"""Is each lesson done by what its reader does, step by step, and by nothing else?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext

import pytest

from pruneviz.lessons import Lesson, Question, Record
from pruneviz.lessons.record import Answer, current, is_complete, is_right
from pruneviz.lessons.statement import number_in, readable
from pruneviz.sources.upload import open_upload
from pruneviz.workbench import Workbench
from tests.cases import slow_but
from tests.classroom import LESSONS, Classroom
from tests.page import PATIENCE, few_validated, path_of

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


ATTENTION = [f"blocks.{block}.attn.q_proj" for block in range(4)]


def cut(page: Classroom, granularity: str, level: float, *layers: str) -> Classroom:
    """Press "reset all", choose what is cut, and cut these layers."""
    page.ask("settle", {}).finish()
    page.granularity(granularity).ask("settle", dict.fromkeys(layers, level))
    return page.finish()


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
    "10_a_language_model_forgets": {
        "forget": lambda page: page.every_layer(0.7),
        "write": lambda page: page.open_tab("Examples"),
        "heads": lambda page: cut(page, "head", 0.5, *ATTENTION),
        "neurons": lambda page: cut(page, "neuron", 0.9, "blocks.3.mlp.fc1"),
        "blocks": lambda page: cut(
            page, "block", 1.0, *ATTENTION[2:], "blocks.2.mlp.fc1", "blocks.3.mlp.fc1"
        ),
        "first": lambda page: cut(page, "block", 1.0, ATTENTION[0]),
    },
    "11_your_own_model": {
        "open": upload,
        "half": lambda page: page.every_layer(0.5),
        "scan": scan,
        "edge": lambda page: page.every_layer(0.05),
    },
    "12_lab_weights": {
        "large": lambda page: page.ask("focus", focus="fc2"),
        "small": lambda page: page.ask("focus", focus="conv2"),
        "mask": lambda page: page.drag(fc2=0.6),
    },
    "13_lab_layers": {
        "scan": scan,
        "levels": lambda page: page.drag(conv2=0.5, fc1=0.8, fc2=0.8),
        "tuned": lambda page: train(page, method="one-shot", epochs=3),
    },
    "14_lab_channels": {
        "first": lambda page: page.every_layer(0.3),
        "ranked": choose("ask_criterion", "consumer"),
        "tuned": lambda page: train(page, method="one-shot", epochs=3),
    },
    "15_lab_speed": {
        "channels": lambda page: page.granularity("neuron").every_layer(0.3).weigh(),
        "weights": lambda page: page.granularity("weight").every_layer(0.9).weigh(),
    },
}


@pytest.mark.parametrize(
    "lesson",
    slow_but(lambda lesson: lesson.name.startswith("1_"), LESSONS),
    ids=lambda each: each.name,
)
def test_a_lesson_is_walked_from_start_to_end(lesson: Lesson) -> None:
    with few_validated(200, 100) if lesson.network == "resnet20" else nullcontext():
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
