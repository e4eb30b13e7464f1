"""Does the page refuse what no board asks for?"""

from __future__ import annotations

import pytest

from tests.cases import slow_but
from tests.page import Page


@pytest.fixture
def page() -> Page:
    """The app at lenet5, with all of it measured."""
    return Page(model="lenet5").finish()


@pytest.mark.slow
def test_an_old_request_does_nothing(page: Page) -> None:
    page.settle(conv2=0.5).settle(conv2=0.6)
    page.ask("settle", {"conv2": 0.9}, seq=1)
    assert page.plan.sparsity["conv2"] == 0.6


@pytest.mark.slow
def test_an_unknown_layer_is_left_out(page: Page) -> None:
    page.ask("settle", {"conv2": 0.5, "nosuch": 0.5})
    assert page.plan.sparsity == dict.fromkeys(page.session.bench.layer_of, 0.0) | {"conv2": 0.5}


DAMAGE: list[dict[str, object]] = [
    {"sparsity": {"conv2": float("nan")}},
    {"sparsity": {"conv2": float("inf")}},
    {"sparsity": {"conv2": "half"}},
    {"sparsity": {"conv2": None}},
    {"sparsity": [0.5]},
    {"sparsity": None},
    {"kind": "explode"},
    {"kind": None},
    {"seq": "later"},
    {"seq": -1},
    {"seq": True},
    {"locked": "conv2"},
    {"locked": [3]},
    {"focus": 3},
    {"have": None},
    {"have": {"scene": 1, "picture": ""}},
]


@pytest.mark.parametrize("step", slow_but(lambda step: step > 1, [1, 4]))
def test_a_damaged_request_leaves_everything_as_it_is(page: Page, step: int) -> None:
    page.settle(conv2=0.5)
    before = page.plan, page.numbers()
    for damage in DAMAGE[::step]:
        page.send(page.request("settle", {"conv2": 0.9}) | damage)
        assert (page.plan, page.numbers()) == before, damage
    page.settle(conv2=0.6)
    assert page.plan.sparsity["conv2"] == 0.6, "the next whole request is obeyed"


@pytest.mark.slow
def test_what_is_no_request_is_ignored(page: Page) -> None:
    for request in (None, 1, "x", [], {}, {"seq": 5}):
        page.send(request)
        assert page.plan.is_dense, request


@pytest.mark.slow
def test_levels_beyond_the_range_end_at_its_ends(page: Page) -> None:
    page.settle(conv2=7.0, fc1=-3.0)
    assert page.plan.sparsity["conv2"] == 1.0
    assert page.plan.sparsity["fc1"] == 0.0
