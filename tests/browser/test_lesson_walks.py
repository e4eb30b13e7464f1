"""Is every lesson done in a browser by what its reader does, with the smallest trainings?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from driving import Board, press
from playwright.sync_api import Page
from reading import Reader
from serving import free_port, served

from pruneviz.lessons import Lesson, read_lessons
from pruneviz.sources.few import LEAST, VARIABLE

pytestmark = pytest.mark.browser

Act = Callable[[Reader], object]
REPAIRS = "7_getting_accuracy_back"  # of a network that takes seconds, so of few samples here
ONE_SHOT, UNITS, SINGLE = "One-shot: cut, then retrain", "Neurons and filters", "Single weights"


def every(level: str) -> Act:
    """The slider above the list."""
    return lambda reader: reader.board.type("master-number", level)


def layer(**levels: str) -> Act:
    """The sliders of these layers."""

    def act(reader: Reader) -> None:
        for name, level in levels.items():
            reader.board.type(f"number-{name}", level)

    return act


def click(name: str) -> Act:
    """The name of a layer in the list."""
    return lambda reader: reader.board.root.get_by_role("button", name=name, exact=True).click()


def choose(label: str, option: str) -> Act:
    """A control above the board."""
    return lambda reader: reader.choose(label, option)


def train(method: str, *, controls: bool = False, **numbers: int) -> Act:
    """A training on the page Train."""
    return lambda reader: reader.train(method, controls=controls, **numbers)


def then(*acts: Act) -> Act:
    """One after the other."""

    def act(reader: Reader) -> None:
        for each in acts:
            each(reader)

    return act


def undo(reader: Reader) -> None:
    """The arrow to the left."""
    reader.board.click("undo")


def reset(reader: Reader) -> None:
    """The words "reset all"."""
    reader.board.click("reset")


def switches(*blocks: str) -> Act:
    """Leave these blocks out."""

    def act(reader: Reader) -> None:
        for name in blocks:
            reader.board.click(f"switch-blocks.{name}")

    return act


def upload(reader: Reader) -> None:
    """A network by its architecture alone."""
    page = reader.page
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("textbox", name="Architecture").fill("sample:lenet300")
    page.get_by_test_id("stBaseButton-primaryFormSubmit").click()
    reader.see(reader.text, "Step 1 done.")
    reader.board.open()


def repair(*switches: str) -> Act:
    """Turn these switches of the popover Repair, each once the one before took effect."""

    def act(reader: Reader) -> None:
        for switch in switches:
            with reader.board.changing_address():
                press(reader.page, "Repair")
                reader.page.get_by_test_id("stCheckbox").get_by_text(switch).click()
            reader.page.keyboard.press("Escape")

    return act


RECALIBRATE, RECONSTRUCT = "Recalibrate batch norms", "Reconstruct the next layer"

# Lesson -> step -> what is done. Lessons 1 and 2 are walked with mouse and keys in test_learn.py.
ACTS: Mapping[str, Mapping[str, Act]] = {
    "3_cutting_neurons": {
        "filters": layer(conv2="50"),
        "digits": lambda reader: reader.open_tab("Flipped examples"),
        "connections": then(choose("Granularity", SINGLE), every("42")),
    },
    "4_minor_relative_active": {
        "minor": every("50"),
        "fair": lambda reader: reader.choose_button("Relative"),
        "active": choose("Criterion", "Mean |activation|"),
        "chance": choose("Criterion", "Random (control)"),
    },
    "5_which_layers_can_take_it": {
        "early": layer(conv2="80"),
        "late": then(undo, layer(fc2="80")),
        "even": every("80"),
        "uneven": layer(conv2="50", fc1="82", fc2="85"),
    },
    "6_size_is_not_speed": {
        "zeros": then(every("90"), Reader.weigh),
        "units": then(choose("Granularity", UNITS), every("50"), Reader.weigh),
    },
    REPAIRS: {
        "cut": every("25"),
        "recalibrate": repair(RECALIBRATE),
        "update": repair(RECALIBRATE, RECONSTRUCT),
        "tuned": then(repair(RECONSTRUCT), train(ONE_SHOT, Epochs=1, Training=500)),
    },
    "8_pruning_while_training": {
        "oneshot": then(every("90"), train(ONE_SHOT, Epochs=1, Training=500)),
        "gradual": train("Gradual, cubic", Epochs=1, Training=500),
        "quiet": then(
            choose("Granularity", UNITS),
            every("50"),
            train("By activity while it trains", Silent=90, Epochs=1, Training=500),
        ),
        "overfit": then(every("0"), train("Dense", Epochs=1, Training=100)),
        "lottery": then(
            choose("Granularity", SINGLE),
            every("90"),
            train("Lottery tickets", Epochs=1, Rounds=1, Training=100, controls=True),
        ),
    },
    "9_on_a_small_device": {
        "whole": Reader.devices,
        "zeros": every("90"),
        "fit": then(choose("Granularity", UNITS), every("30")),
        "memory": Reader.devices,
    },
    "10_a_language_model_forgets": {
        "forget": every("70"),
        "write": lambda reader: reader.open_tab("Examples"),
        "heads": then(choose("Granularity", "Attention heads"), every("50")),
        "neurons": then(reset, choose("Granularity", UNITS), layer(**{"blocks.3.mlp.fc1": "90"})),
        "blocks": then(
            reset,
            choose("Granularity", "Whole blocks"),
            switches("2.attn.q_proj", "2.mlp.fc1", "3.attn.q_proj", "3.mlp.fc1"),
        ),
        "first": then(reset, switches("0.attn.q_proj")),
    },
    "11_your_own_model": {
        "open": upload,
        "half": every("50"),
        "scan": Reader.scan,
        "edge": every("5"),
    },
    "12_lab_weights": {
        "large": click("fc2"),
        "small": click("conv2"),
        "mask": layer(fc2="60"),
    },
    "13_lab_layers": {
        "scan": Reader.scan,
        "levels": layer(conv2="50", fc1="80", fc2="80"),
        "tuned": train(ONE_SHOT, Epochs=1, Training=500),
    },
    "14_lab_channels": {
        "first": every("30"),
        "ranked": choose("Criterion", "Norm of what reads it"),
        "tuned": train(ONE_SHOT, Epochs=1, Training=500),
    },
    "15_lab_speed": {
        "channels": then(choose("Granularity", UNITS), every("30"), Reader.weigh),
        "weights": then(choose("Granularity", SINGLE), every("90"), Reader.weigh),
    },
}


def is_beside(reader: Reader) -> bool:
    """Whether the lesson's text stands beside the board, and nothing is wider than the window."""
    text, board = reader.text.bounding_box(), reader.board.root.bounding_box()
    assert text is not None
    assert board is not None
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    return text["x"] + text["width"] <= board["x"] and bool(reader.page.evaluate(fits))


WALKED = [lesson for lesson in read_lessons() if lesson.name in ACTS]


def test_all_lessons_but_two_are_walked_here() -> None:
    others = {lesson.name.partition("_")[0] for lesson in read_lessons() if lesson not in WALKED}
    assert others == {"1", "2"}


@pytest.mark.parametrize(
    "lesson", [each for each in WALKED if each.name != REPAIRS], ids=lambda lesson: lesson.name
)
def test_a_lesson_is_walked_in_a_browser(lesson: Lesson, visit: Callable[..., Board]) -> None:
    walk(visit(address(lesson), measured=False), lesson)


def test_the_lesson_on_repairs_is_walked_where_few_samples_measure(
    tmp_path: Path, page: Page
) -> None:
    lesson = next(each for each in WALKED if each.name == REPAIRS)
    known = {"PRUNEVIZ_HOME": str(tmp_path), VARIABLE: str(LEAST)}
    with served(tmp_path / "log", free_port(), environment=known) as app:
        page.goto(f"{app.address}/{address(lesson)}")
        walk(Board(page), lesson)


def address(lesson: Lesson) -> str:
    return f"learn?lesson={lesson.name.partition('_')[0]}"


def walk(board: Board, lesson: Lesson) -> None:
    reader = Reader(board, lesson)
    reader.walk(ACTS[lesson.name])
    assert is_beside(reader)
