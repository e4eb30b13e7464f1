"""Does the page show, do and refuse what a browser asks of it?"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import streamlit as st

from pruneviz.plan import Plan, from_link
from pruneviz.ui.board.scene import scene_id
from pruneviz.ui.session import Session, jobs
from pruneviz.ui.workbench import address
from tests.cases import slow_but
from tests.page import Page, board_json, links, new_app, path_of

NETWORKS = ("lenet300", "lenet5", "resnet20", "vit")

LAYERS = ("conv1", "conv2", "fc1", "fc2", "fc3")


@pytest.fixture
def page() -> Page:
    """The app at lenet5, with all of it measured."""
    return Page(model="lenet5").finish()


# -- opening -----------------------------------------------------------------------------------


@pytest.mark.parametrize("network", slow_but(lambda name: name == "vit", NETWORKS))
def test_every_network_opens_with_its_board_and_its_dense_accuracy(network: str) -> None:
    page = Page(model=network)
    session = page.session
    assert session.bench.name == network
    assert page.plan == Plan(sparsity=dict.fromkeys(session.bench.layer_of, 0.0))
    assert page.result().accuracy == session.bench.source.card["accuracy"]
    assert page.result().n == 2_000, "the source brings its dense answers along"
    assert page.address == {"model": network}
    assert session.message is None
    names = [each.proto.component_name for each in page.app.get("bidi_component")]
    drawn = ["skip", "welcome", "board", "link", "chart_program"]
    assert names == [f"pruneviz.{name}" for name in drawn]


def test_the_first_visit_opens_a_network_without_being_asked() -> None:
    assert Page().session.bench.name == "lenet5"


@pytest.mark.parametrize("name", ["sensitivity", "criteria", "devices", "train", "export"])
def test_a_page_that_is_opened_bare_opens_the_first_network(name: str) -> None:
    app = new_app()
    app.switch_page(path_of(name))
    app.run()
    assert not app.exception
    assert app.session_state["session"].bench.name == "lenet5"
    assert not app.query_params, "it says as much, and Back would lead to it first"
    assert app.button


@pytest.mark.slow
def test_another_network_is_chosen_above_the_board(page: Page) -> None:
    page.settle(fc1=0.5)
    page.app.selectbox(key=page.key("ask_model")).set_value("lenet300")
    page.run()
    assert page.session.bench.name == "lenet300"
    assert page.plan.is_dense
    assert page.address == {"model": "lenet300"}


# -- the board ---------------------------------------------------------------------------------


def test_a_drag_is_measured_but_not_settled(page: Page) -> None:
    page.ask("drag", {"conv2": 0.5})
    assert page.session.live.sparsity["conv2"] == 0.5
    assert page.plan.is_dense
    assert page.session.bench.samples_measured(page.session.live) >= page.session.bench.probe
    assert page.address == {"model": "lenet5"}


@pytest.mark.slow
def test_the_dense_score_beside_a_measured_one_is_of_the_same_samples(page: Page) -> None:
    for level in (0.5, 0.9):
        page.ask("drag", {"conv2": level, "fc1": level})
        shown = page.session.shown
        assert shown is not None
        dense = page.session.bench.evaluate(Plan(), int(shown["n"]))
        assert shown["dense"] == dense.accuracy
        assert float(shown["accuracy"]) - float(shown["dense"]) == pytest.approx(shown["delta"])


def test_the_board_looks_for_news_while_there_may_be_some(page: Page) -> None:
    page.settle(conv2=0.3)
    assert json.loads(board_json(page.app))["look"] > 0
    page.finish()
    assert json.loads(board_json(page.app))["look"] is None
    again = Page(**page.address)
    assert again.plan == page.plan
    assert json.loads(board_json(again.app))["look"] is None, "all of it is known"


def test_what_another_visitor_measured_while_a_page_was_drawn_is_drawn_too(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of the page waits for it, not the board alone."""
    drawn, write = list[bool](), address.write

    def somebody_else_measures(session: Session, *others: str) -> None:
        drawn.append(session.awaits)
        if session.unmeasured:
            jobs.measure(session.bench, session.settled).wait(60)
        write(session, *others)

    monkeypatch.setattr(address, "write", somebody_else_measures)
    page.settle(fc1=0.637)
    assert drawn == [True, False]
    assert page.session.job is None


def test_a_look_changes_nothing_and_brings_what_is_new(page: Page) -> None:
    page.settle(conv2=0.32)
    plan, job = page.plan, page.session.job
    assert job is not None
    job.wait(60)
    page.ask("look")
    assert (page.plan, page.session.live) == (plan, plan)
    data = json.loads(board_json(page.app))
    assert data["settled"]["seq"] == page.seq
    assert data["measured"]["full"]


def test_a_change_within_its_interval_is_told_in_words_and_a_larger_one_as_a_number(
    page: Page,
) -> None:
    words = {}
    for level in (0.1, 0.95):
        page.ask("drag", {"conv2": level, "fc1": level})
        shown = page.session.shown
        assert shown is not None
        assert (shown["delta_low"] <= 0 <= shown["delta_high"]) == (level == 0.1)
        words[level] = shown["words"]
    assert words == {0.1: "no measurable change", 0.95: ""}


def test_a_release_is_settled_measured_in_full_and_in_the_address(page: Page) -> None:
    page.ask("drag", {"conv2": 0.4})
    bench, dragged = page.session.bench, page.session.live
    for times in (1, 2, 3):
        assert bench.samples_measured(dragged) == min(times * bench.probe, 2_000)
        page.ask("sharpen", {"conv2": 0.4})
    assert page.plan.is_dense, "a thumb that rests settles on nothing"
    page.settle(conv2=0.5)
    assert page.plan.sparsity == dict.fromkeys(LAYERS, 0.0) | {"conv2": 0.5}
    assert page.session.live == page.plan
    page.finish()
    assert page.result().n == 2_000
    link = from_link(page.address["plan"], page.session.bench.fingerprint)
    assert link == replace(page.plan, sparsity={"conv2": 0.5})
    assert links(page.app)[0].endswith(page.address["plan"])


@pytest.mark.slow
def test_undo_and_redo_bring_back_the_exact_numbers(page: Page) -> None:
    seen = [(page.plan, page.numbers(), "")]
    for level in (0.5, 0.9):
        page.settle(fc1=level, conv2=level / 2).finish()
        seen.append((page.plan, page.numbers(), page.address["plan"]))
    assert len({str(numbers) for _, numbers, _ in seen}) == 3
    for kind, place in (("undo", 1), ("undo", 0), ("undo", 0), ("redo", 1), ("redo", 2)):
        page.ask(kind)
        assert (page.plan, page.numbers(), page.address.get("plan", "")) == seen[place]


@pytest.mark.slow
def test_an_undo_reaches_a_browser_that_asked_before_the_last_address_came(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = page.address
    page.settle(fc1=0.5)
    send = type(st.query_params).from_dict
    addresses = []

    def record(params: object, query: dict[str, str]) -> None:
        addresses.append(query)
        send(params, query)

    monkeypatch.setattr(type(st.query_params), "from_dict", record)
    page.app.query_params.clear()
    page.app.query_params.update(before)  # what the browser shows while the new one is on its way
    page.ask("undo")
    assert addresses == [before]
    page.run()
    assert addresses == [before]


@pytest.mark.slow
def test_what_an_undo_replaced_does_not_come_back_with_a_late_request(page: Page) -> None:
    late = page.key("ask_criterion")
    page.choose("ask_criterion", "wanda").ask("undo")
    page.app.session_state[late] = "wanda"  # it was on its way when the undo was done
    page.run()
    assert page.plan.criterion == "magnitude"
    assert page.app.selectbox(key=page.key("ask_criterion")).value == "magnitude"


@pytest.mark.slow
def test_a_new_step_forgets_what_was_undone(page: Page) -> None:
    page.settle(fc1=0.5).ask("undo").settle(fc2=0.5)
    last = page.plan
    page.ask("redo")
    assert page.plan == last


@pytest.mark.slow
def test_a_lock_holds_what_is_cut(page: Page) -> None:
    page.settle(conv2=0.3).ask("lock", locked=["conv2"])
    assert page.session.locked == {"conv2": ""}
    page.settle(**dict.fromkeys(LAYERS, 0.8))
    assert page.plan.sparsity == dict.fromkeys(LAYERS, 0.8) | {"conv2": 0.3}
    page.ask("lock", locked=[]).settle(conv2=0.8)
    assert page.plan.sparsity["conv2"] == 0.8


@pytest.mark.slow
def test_a_lock_on_an_unknown_layer_does_nothing(page: Page) -> None:
    page.ask("lock", locked=["nosuch", "fc1"])
    assert page.session.locked == {"fc1": ""}


@pytest.mark.slow
@pytest.mark.parametrize(
    "granularity", slow_but(lambda kind: kind == "neuron", ["weight", "neuron", "N:M"])
)
def test_the_usual_locks_hold_until_they_are_opened(page: Page, granularity: str) -> None:
    page.choose("ask_granularity", granularity)
    assert page.session.locked == page.session.bench.locks
    page.settle(**dict.fromkeys(LAYERS, 0.5))
    cut = page.session.bench.prune(page.plan).sparsity
    assert {name for name, share in cut.items() if not share} == {"conv1", "fc3"}
    page.ask("lock", locked=["conv1"]).settle(fc3=0.5)
    assert page.session.bench.prune(page.plan).sparsity["fc3"] > 0
    again = Page(**page.address)
    assert again.session.locked == page.session.locked
    assert again.plan == page.plan


@pytest.mark.slow
def test_the_focus_goes_where_it_is_sent(page: Page) -> None:
    for layer in ("conv2", "fc3"):
        page.ask("focus", focus=layer)
        assert page.session.focus == layer
        page.ask("focus", focus="nosuch")
        assert page.session.focus == layer


def test_what_the_browser_has_is_not_sent_again(page: Page) -> None:
    def sizes() -> int:
        return len(board_json(page.app))

    page.ask("need")
    full = sizes()
    session = page.session
    scene = scene_id(session.bench, session.live, session.locked)
    page.ask("drag", {"conv2": 0.5}, have={"scene": scene, "picture": ""})
    assert sizes() < full


def test_small_pictures_are_sent_of_the_layers_that_are_asked_for(page: Page) -> None:
    def given() -> set[str]:
        data = json.loads(board_json(page.app))
        return {name.split("|")[-3] for name in data["thumbnails"]["pictures"]}

    page.ask("need")
    assert given() == set()
    page.ask("need", thumbnails=["conv2", "nosuch"])
    assert given() == {"conv2"}


@pytest.mark.slow
def test_a_network_cut_in_two_is_shown_and_can_be_undone(page: Page) -> None:
    page.settle(conv2=1.0).finish()
    assert "conv2" in page.session.bench.warnings(page.plan)
    assert page.result().accuracy < 0.2
    page.ask("undo")
    assert page.plan.is_dense


@pytest.mark.parametrize(
    ("network", "tab"),
    [("lenet5", "Flipped examples"), pytest.param("writer", "Examples", marks=pytest.mark.slow)],
)
def test_the_first_steps_name_a_tab_that_is_there(network: str, tab: str) -> None:
    app = Page(model=network).app
    parts = {each.proto.component_name: each for each in app.get("bidi_component")}
    assert json.loads(parts["pruneviz.welcome"].proto.json)["pays"] == tab
    assert tab in [each.label for each in app.tabs]


def test_what_became_of_a_plan_is_told_beside_the_board_alone(page: Page) -> None:
    page.session.tell_change("One layer was unlocked.")
    page.app.switch_page(path_of("criteria"))
    assert not page.run().app.warning
    page.session.message = "measuring stopped: the disk is full"
    assert "disk" in page.run().app.warning[0].value
