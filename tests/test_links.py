"""Does a link, a snapshot or a point of the chart lead back to its plan?"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1.element_tree import TextInput

from pruneviz.plan import Plan, to_link
from pruneviz.ui.board import MEASURES
from pruneviz.ui.session import cached
from pruneviz.ui.workbench.trade_off import promise
from tests.cases import slow_but
from tests.page import Page, board_json
from tests.test_app import LAYERS


@pytest.fixture
def page() -> Page:
    """The app at lenet5, with all of it measured."""
    return Page(model="lenet5").finish()


# -- results -----------------------------------------------------------------------------------


def sent(page: Page) -> dict[str, Any]:
    """What the board was sent last."""
    data = json.loads(board_json(page.app))
    assert isinstance(data, dict)
    return data


@pytest.mark.slow
def test_every_kind_of_chart_is_sent_once(page: Page) -> None:
    page.settle(fc1=0.7).finish()
    for measure in MEASURES:
        told = sent(page.ask("need", measure=measure))
        visited = 0 if measure == "layers" else 2
        predicted = len(promise(page.session))  # none, but where another test has scanned before
        assert (told["measure"], len(told["chart"]["keys"])) == (measure, visited + predicted)
        have = {"scene": "", "picture": "", "chart": told["chart_id"]}
        assert sent(page.ask("need", measure=measure, have=have))["chart"] is None
    assert "100 points" in sent(page.ask("need", lose=1.0))["chart"]["words"]


@pytest.mark.slow
def test_a_point_of_the_chart_leads_back_to_its_plan(page: Page) -> None:
    dense = page.plan
    pruned = page.settle(fc1=0.7).finish().plan
    keys = sent(page)["chart"]["keys"]
    page.ask("return", point=keys[0]).arrive()
    assert page.plan == dense
    assert page.ask("return", point=keys[1]).arrive().plan == pruned
    moves = page.session.moves
    for point in (keys[1], "nosuch"):
        assert page.ask("return", point=point).arrive().plan == pruned
    assert page.session.moves == moves, "nothing was settled"
    assert page.ask("undo").plan == dense, "a return is a step like others"


@pytest.mark.slow
def test_the_pictures_follow_the_focus(page: Page) -> None:
    page.settle(conv2=0.4).choose("tabs", "Feature maps").ask("focus", focus="fc2")
    assert any("`fc2` is a linear layer" in text.value for text in page.app.caption)
    page.ask("focus", focus="conv2").choose("sample", 5)
    assert any("feature maps of `conv2`" in text.value for text in page.app.caption)
    (picture,) = page.app.image[0].proto.imgs
    answer, label = page.result().predicted[5], page.session.bench.source.validation.targets[5]
    dense = page.result().dense_predicted[5]
    assert picture.caption == f"{dense} → {answer}" + ("" if dense == label else f" (is {label})")


def snapshot_name(page: Page) -> TextInput:
    """The field that a snapshot's name is typed into."""
    return next(field for field in page.app.text_input if field.label == "Snapshot")


@pytest.mark.slow
def test_a_snapshot_leads_back_to_its_plan(page: Page) -> None:
    page.choose("ask_criterion", "taylor").settle(fc1=0.7).finish()
    kept = page.plan, page.numbers()
    snapshot_name(page).set_value("  mine ")
    page.app.button(key="FormSubmitter:snapshot-Keep").click()
    page.run()
    assert page.session.snapshots == {"mine": kept[0]}
    page.choose("ask_criterion", "magnitude").settle(fc1=0.0).finish()
    page.app.button(key="snapshot-0").click()
    page.run().arrive().finish()
    assert (page.plan, page.numbers()) == kept
    assert page.app.selectbox(key=page.key("ask_criterion")).value == "taylor"


def test_a_click_is_not_lost_when_the_background_work_has_just_ended(page: Page) -> None:
    page.settle(fc1=0.6789)  # measured by no other test: there is work to do
    job = page.session.job
    assert job is not None
    job.wait()
    snapshot_name(page).set_value("mine")
    page.app.button(key="FormSubmitter:snapshot-Keep").click()
    page.run()
    assert page.session.snapshots == {"mine": page.plan}


@pytest.mark.slow
def test_flipped_examples_and_classes_are_drawn(page: Page) -> None:
    page.settle(fc1=0.97).finish()
    changed = int((page.result().predicted != page.result().dense_predicted).sum())
    assert changed > 12
    page.choose("tabs", "Flipped examples")
    assert any(f"{changed:,} of 2,000 answers changed" in text.value for text in page.app.caption)
    page.choose("tabs", "Per-class change")
    assert any("on 2,000 validation samples" in text.value for text in page.app.caption)


def test_a_snapshot_needs_a_name(page: Page) -> None:
    snapshot_name(page).set_value("   ")
    page.app.button(key="FormSubmitter:snapshot-Keep").click()
    page.run()
    assert page.session.snapshots == {}


# -- links -------------------------------------------------------------------------------------


PLANS = {
    "layer": Plan(sparsity={"conv2": 0.1234, "fc1": 0.9}),
    "global": Plan("wanda", scope="global", sparsity=dict.fromkeys(LAYERS[:3], 0.6), relative=True),
    "neuron": Plan("l2", "neuron", sparsity={"conv2": 0.25}),
    "pattern": Plan("snip", "1:4", sparsity={"fc1": 0.75}),
    "seed": Plan("random", sparsity={"fc1": 0.5}, seed=11),
}


@pytest.mark.parametrize("name", slow_but(lambda name: name == "neuron", PLANS))
def test_a_link_reopens_the_same_plan_and_the_same_numbers(page: Page, name: str) -> None:
    mark = page.session.bench.fingerprint
    cached.bench.clear()  # what other tests have measured would be taken over
    first = Page(model="lenet5", plan=to_link(PLANS[name], mark)).finish()
    assert first.session.message is None
    levels = {layer: level for layer, level in first.plan.sparsity.items() if level}
    assert replace(first.plan, sparsity=levels) == PLANS[name]

    cached.bench.clear()  # a server that has just started
    second = Page(**first.address).finish()
    assert second.session.bench is not first.session.bench
    assert second.plan == first.plan
    assert second.session.locked == first.session.locked
    assert second.numbers() == first.numbers()
    assert second.address == first.address
    second.ask("undo")
    assert second.plan.is_dense, "the link is a step that can be undone"


def damaged(link: str) -> list[str]:
    """What becomes of links in mails and chats."""
    return [link[:-6], "é" * 20, "%00"]


@pytest.mark.parametrize("which", slow_but(lambda which: which == 0, range(3)))
def test_a_damaged_link_is_said_and_shows_the_dense_network(which: int) -> None:
    link = to_link(Plan(sparsity={"conv2": 0.5}), cached.bench("lenet5").fingerprint)
    address = {"model": "lenet5", "plan": damaged(link)[which]}
    page = Page(**address)
    assert page.plan.is_dense
    assert re.search(r"damaged .*lenet5, and nothing is cut", page.errors())
    assert page.address == address, "what was asked for stays until something else is done"
    page.settle(fc1=0.5)
    assert not page.errors()
    assert page.address["plan"] == to_link(page.plan, page.session.bench.fingerprint)


def test_an_empty_link_is_no_link() -> None:
    page = Page(model="lenet5", plan="")
    assert page.plan.is_dense
    assert page.session.message is None


def test_a_link_to_other_weights_is_said(page: Page) -> None:
    page = Page(model="lenet5", plan=to_link(Plan(sparsity={"conv2": 0.5}), "0123456789ab"))
    assert page.plan.is_dense
    assert "other weights" in page.errors()


def test_a_link_that_asks_for_what_is_not_there_is_said() -> None:
    mark = cached.bench("lenet5").fingerprint
    for plan, named in (
        (Plan(sparsity={"nosuch": 0.5}), "'nosuch'"),
        (Plan("nosuch", sparsity={"conv2": 0.5}), "'nosuch'"),
        (Plan("bn_scale", "neuron", sparsity={"conv2": 0.5}), "batch norm"),
        (Plan("lamp", "neuron", sparsity={"conv2": 0.5}), "'lamp'"),
    ):
        page = Page(model="lenet5", plan=to_link(plan, mark))
        assert page.plan.is_dense
        assert named in page.errors()


def test_an_unknown_network_is_said_and_another_opens() -> None:
    page = Page(model="nosuch", plan="broken")
    assert page.session.bench.name == "lenet5"
    assert page.plan.is_dense
    assert "Unknown model 'nosuch'" in page.errors()
    assert "Open in its place is lenet5" in page.errors()
    assert page.address == {"model": "nosuch", "plan": "broken"}


# -- several people ----------------------------------------------------------------------------


@pytest.mark.slow
def test_two_tabs_share_the_network_but_not_the_plan(page: Page) -> None:
    other = Page(model="lenet5")
    assert other.session.bench is page.session.bench
    page.settle(conv2=0.9)
    assert other.run().plan.is_dense
