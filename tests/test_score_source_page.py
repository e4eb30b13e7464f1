"""Does the page say what is scored and as what, and can another be chosen?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from tests.answers import heads
from tests.page import Page, undrawn


def page_of(name: str, network: nn.Module, data: object) -> Page:
    return Page(model="lenet300").own(name, pv.open(network, data))


def choose(page: Page, title: str, value: str) -> list[str]:
    box = next(box for box in page.app.selectbox if box.label == title)
    options = list(box.options)
    box.set_value(value)
    page.run()
    return options


@pytest.mark.slow
def test_another_output_is_chosen_in_the_app() -> None:
    network, _ = heads("dict")
    page = page_of("heads", network, (torch.randn(80, 8), torch.arange(80) % 4))
    assert page.session.bench.task.output == "scores"
    assert choose(page, "Score from output", "boxes") == ["the usual", "scores", "boxes"]
    chosen = page.session
    assert (chosen.name, chosen.bench.task.output) == ("heads · output boxes", "boxes")
    said = [note for note in chosen.bench.notes if "outputs: 'scores', 'boxes'" in note]
    assert len(said) == 1
    assert "taken from 'boxes'" in said[0]
    choose(page, "Measured by", "closeness")
    assert page.session.name == "heads · output boxes · task closeness"
    choose(page, "Score from output", "the usual")
    choose(page, "Measured by", "the usual")
    assert (page.session.name, page.session.bench.task.output) == ("heads", "scores")
    assert not undrawn(page.app)


@pytest.mark.slow
def test_a_choice_goes_back_to_the_targets_as_they_were_given() -> None:
    """Once they are classes, one-hot rows are numbers, which no task of rows would take."""
    rows = nn.functional.one_hot(torch.arange(80) % 4, 4)
    page = page_of("rows", nn.Linear(8, 4), (torch.randn(80, 8), rows))
    assert page.session.bench.task.note.startswith("measured by accuracy")
    assert {"classes", "labels", "agreement"} <= set(choose(page, "Measured by", "labels"))
    assert page.session.bench.task.name == "labels"
    assert sum("measured by" in note for note in page.session.bench.notes) == 1
    choose(page, "Measured by", "agreement")
    assert page.session.bench.evaluate(pv.Plan()).accuracy == 1


def test_only_what_fits_is_offered() -> None:
    x, y = torch.randn(60, 8), torch.arange(60) % 4
    assert pv.open(nn.Linear(8, 4), (x, y)).tasks == (
        "classes", "agreement", "closeness", "cosine",
    )  # fmt: skip
    assert pv.open(nn.Linear(8, 4), x).tasks == ("agreement", "closeness", "cosine")
    assert pv.open(nn.Linear(8, 1), (x, x[:, :1])).tasks == ("values", "closeness", "cosine")
    assert pv.open(nn.Linear(8, 1), (x, y % 2)).tasks[0] == "binary"

    def metric(outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs.argmax(1) == targets).float()

    assert pv.open(nn.Linear(8, 4), (x, y), metric=metric).tasks == ()


def test_a_choice_that_does_not_fit_is_said_and_the_network_stays() -> None:
    network, _ = heads("dict")
    page = page_of("heads", network, (torch.randn(80, 8), torch.arange(80) % 5))
    choose(page, "Score from output", "boxes")  # which are four
    assert page.session.name == "heads"
    assert "choose another with output=" in page.errors()
    box = next(box for box in page.app.selectbox if box.label == "Score from output")
    assert box.value == "the usual"


@pytest.mark.slow
def test_the_address_of_a_choice_opens_it_again() -> None:
    page = Page(model="lenet300 · task agreement")
    assert page.session.bench.task.name == "agreement"
    assert page.result().accuracy == 1
    choose(page, "Measured by", "the usual")
    assert page.session.name == "lenet300"
    lost = Page(model="lenet300 · task poetry")
    assert "Task must be one of" in lost.errors()


@pytest.mark.parametrize("other", ["agreement", "cosine"])
def test_a_sample_s_own_answers_do_not_stand_in_for_another_task(other: str) -> None:
    assert pv.open("lenet300", task=other).evaluate(pv.Plan()).accuracy == pytest.approx(1)
