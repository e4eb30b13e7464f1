"""Does a recipe that is dropped on the page open its plan, and nothing else?"""

from __future__ import annotations

import pytest

import pruneviz as pv
from pruneviz.plan import Plan
from pruneviz.recipes import recipe_of, to_yaml
from tests.cases import slow_but
from tests.page import Page


def drop(page: Page, text: str) -> Page:
    """Drop a recipe of this text."""
    box = next(box for box in page.app.file_uploader if "recipe" in box.label)
    box.set_value(("recipe.yaml", text.encode(), "application/yaml"))
    page.run()
    return page.run()


@pytest.fixture
def page() -> Page:
    """The app at lenet300."""
    return Page(model="lenet300")


def test_an_exported_recipe_opens_its_network_and_plan(page: Page) -> None:
    plan = Plan(sparsity={"fc1": 0.75})
    bench = pv.open("lenet5")
    drop(page, to_yaml(recipe_of(bench, plan, bench.evaluate(plan, 64))))
    assert page.session.name == "lenet5"
    assert page.plan.sparsity["fc1"] == 0.75
    masks = page.session.bench.masks(page.plan).checksum
    assert masks == bench.masks(plan).checksum


def test_one_written_by_hand_opens_on_the_network_at_hand(page: Page) -> None:
    drop(page, "plan:\n  criterion: magnitude\n  sparsity: {fc1: 0.5, fc2: 0.25}\n")
    assert page.session.name == "lenet300"
    assert dict(page.plan.sparsity) == {"fc1": 0.5, "fc2": 0.25, "fc3": 0.0}


@pytest.mark.parametrize(
    ("text", "says"),
    slow_but(
        lambda text, says: says in ("sparsty", "os:system"),
        [
            ("plan:\n  sparsty: {fc1: 0.5}\n", "sparsty"),
            ("plan:\n  sparsity: {fc1: 7}\n", "fc1"),
            ("plan: {sparsity: {fc1: 0.5}}\ntraining: [{method: one-shot}]\n", "pruneviz replay"),
            ("model: os:system\nplan:\n  sparsity: {fc1: 0.5}\n", "model"),
            ('model: {from: "os:system"}\nplan: {sparsity: {fc1: 0.5}}\n', "os:system"),
        ],
    ),
)
def test_what_does_not_fit_is_refused_and_the_plan_stays(page: Page, text: str, says: str) -> None:
    before = page.plan
    drop(page, text)
    shown = " ".join(error.value for error in page.app.error)
    assert says in shown
    assert (page.session.name, page.plan) == ("lenet300", before)
