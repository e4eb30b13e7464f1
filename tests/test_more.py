"""What is asked of a newcomer, and where does the rest stand?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1.element_tree import Block, Widget

from pruneviz.plan import Plan, to_link
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.ui.workbench.more import split
from tests.page import Page

HIDDEN = {"ask_other", "ask_scope", "ask_scores", "ask_aggregate"}


def test_four_criteria_come_first_and_the_others_under_more() -> None:
    first, others = split(list(CRITERIA), "magnitude")
    assert first == ["magnitude", "wanda", "taylor", "random"]
    assert {*first, *others} == set(CRITERIA)
    assert not set(first) & set(others)


def test_a_chosen_criterion_stands_in_the_list() -> None:
    first, others = split(list(CRITERIA), "snip")
    assert first == ["magnitude", "wanda", "taylor", "random", "snip"]
    assert "snip" not in others


def test_what_a_granularity_does_not_allow_is_nowhere() -> None:
    allowed = ["magnitude", "random", "fisher"]
    assert split(allowed, "magnitude") == (["magnitude", "random"], ["fisher"])


def widgets(block: Block) -> Iterator[str]:
    """The names of the choices within a block of the page."""
    for child in block.children.values():
        if isinstance(child, Block):
            yield from widgets(child)
        elif isinstance(child, Widget) and child.key:
            yield child.key.rpartition("-")[0]


def under_more(block: Block) -> set[str]:
    """The names of the choices that stand under More."""
    label = getattr(getattr(block.proto, "popover", None), "label", "")
    if label == "More":
        return set(widgets(block)) & HIDDEN
    blocks = [child for child in block.children.values() if isinstance(child, Block)]
    return set().union(*map(under_more, blocks))


def test_what_is_used_moves_from_more_into_the_row_and_stays() -> None:
    page = Page(model="lenet300")
    assert under_more(page.app.main) == HIDDEN
    assert len(page.app.selectbox(key=page.key("ask_criterion")).options) == 4
    page.choose("ask_scope", "global")
    assert page.plan.scope == "global"
    assert "ask_scope" not in under_more(page.app.main)
    page.choose("ask_scope", "layer")
    assert "ask_scope" not in under_more(page.app.main), "it stays where it was used last"
    page.choose("ask_other", "snip")
    assert page.plan.criterion == "snip"
    box = page.app.selectbox(key=page.key("ask_criterion"))
    assert box.value == "snip"
    assert CRITERIA["snip"].label in box.options
    page.choose("ask_criterion", "wanda")
    assert page.plan.criterion == "wanda"


@pytest.mark.slow
def test_a_link_shows_what_its_plan_uses() -> None:
    mark = Page(model="lenet300").session.bench.fingerprint
    plan = Plan("fisher", "neuron", "global", {"fc1": 0.5}, relative=True, aggregate="max")
    page = Page(model="lenet300", plan=to_link(plan, mark))
    assert page.plan == plan
    assert under_more(page.app.main) == {"ask_other"}
    assert page.app.selectbox(key=page.key("ask_criterion")).value == "fisher"


@pytest.mark.slow
def test_who_chooses_a_pattern_is_told_what_runs_it() -> None:
    page = Page(model="lenet300").choose("ask_granularity", "N:M")
    assert "runtimes" in (page.session.message or "")
