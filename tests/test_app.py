"""Does the page show, do and refuse what a browser asks of it?"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1.element_tree import TextInput

from pruneviz.plan import Plan, from_link, to_link
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.ui.board import MEASURES
from pruneviz.ui.board.scene import scene_id
from pruneviz.ui.session import cached
from tests.cases import slow_but
from tests.page import Page, board_json, new_app, path_of

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
    drawn = ["skip", "welcome", "board", "chart_program"]
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


# -- the choices above the board ---------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "granularity"),
    [("lenet5", "weight"), ("lenet5", "neuron"), ("lenet5", "N:M"), ("resnet20", "neuron")],
)
def test_every_criterion_can_be_chosen_and_cuts(network: str, granularity: str) -> None:
    page = Page(model=network).choose("ask_granularity", granularity)
    for name, criterion in CRITERIA.items():
        if not criterion.allows(granularity):
            continue
        page.choose("ask_criterion", name)
        assert page.plan.criterion == name
        assert "used instead" not in (page.session.message or "")
        able = [layer for layer in page.session.bench.layer_of if layer not in page.session.locked]
        page.ask("settle", dict.fromkeys(able, 0.5))
        whole = page.session.bench.cannot(page.plan)
        cut = page.session.bench.prune(page.plan).sparsity
        for layer in able:
            assert (cut[layer] > 0) == (layer not in whole), layer
        page.ask("undo")
        assert page.plan.is_dense


@pytest.mark.slow
def test_a_pattern_keeps_n_of_each_m() -> None:
    page = Page(model="lenet300").choose("ask_granularity", "N:M")
    assert page.plan.granularity == "2:4"
    for n, m in ((1, 4), (3, 8), (1, 2), (2, 4)):
        page.type_pattern(f"{n}:{m}").arrive()
        assert page.plan.granularity == f"{n}:{m}"
        page.settle(fc1=1 - n / m)
        kept = page.session.bench.prune(page.plan).masks["fc1"]
        groups = kept[:, : 784 // m * m].reshape(-1, m)
        assert (groups.sum(1) == n).all(), (n, m)


@pytest.mark.slow
def test_a_pattern_that_is_none_is_refused_by_name(page: Page) -> None:
    page.choose("ask_granularity", "N:M").settle(fc1=0.5)
    before = page.plan
    for pattern in ("4:4", "9:4", "half", "2:4:8", "0:4"):
        page.type_pattern(pattern)
        assert page.plan == before
        assert repr(pattern) in (page.session.message or "")
    page.type_pattern("1:4")
    assert page.plan.granularity == "1:4"
    assert "fc1 50.0 → 75.0 %" in (page.session.message or "")  # what changed with it is told


@pytest.mark.slow
@pytest.mark.parametrize(
    "granularity", slow_but(lambda kind: kind == "neuron", ["weight", "neuron"])
)
@pytest.mark.parametrize("scores", ["raw", "relative"])
def test_both_scopes_cut_with_both_kinds_of_scores(granularity: str, scores: str) -> None:
    page = Page(model="lenet5").choose("ask_granularity", granularity)
    page.choose("ask_scores", scores).choose("ask_scope", "global")
    assert page.plan.scope == "global"
    assert page.plan.relative == (scores == "relative")
    page.settle(**dict.fromkeys(LAYERS[1:4], 0.5))
    cut = page.session.bench.prune(page.plan).sparsity
    assert len({round(cut[name], 3) for name in LAYERS[1:4]}) > 1
    page.choose("ask_scope", "layer")
    for name, share in page.session.bench.prune(page.plan).sparsity.items():
        assert share == pytest.approx(cut[name], abs=1e-3)


@pytest.mark.slow
def test_relative_scores_move_the_global_ranking(page: Page) -> None:
    page.choose("ask_scope", "global").settle(**dict.fromkeys(LAYERS, 0.5))
    raw = page.session.bench.prune(page.plan).sparsity
    page.choose("ask_scores", "relative")
    assert page.session.bench.prune(page.plan).sparsity != raw


@pytest.mark.slow
def test_a_pattern_knows_no_global_scope(page: Page) -> None:
    page.choose("ask_scope", "global").choose("ask_granularity", "N:M")
    assert (page.plan.granularity, page.plan.scope) == ("2:4", "layer")


@pytest.mark.slow
def test_another_seed_is_another_random_ranking(page: Page) -> None:
    page.choose("ask_criterion", "random").settle(fc1=0.5)
    first = page.session.bench.prune(page.plan).masks["fc1"]
    page.choose("ask_seed", 7)
    assert page.plan.seed == 7
    assert not page.session.bench.prune(page.plan).masks["fc1"].equal(first)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("criterion", "granularity"),
    [
        (name, granularity)
        for name, criterion in CRITERIA.items()
        for granularity in ("weight", "neuron", "N:M")
        if not criterion.allows(granularity)
    ],
)
def test_a_criterion_gives_way_with_a_sentence_where_it_is_not_defined(
    criterion: str, granularity: str
) -> None:
    defined = next(g for g in ("weight", "neuron", "N:M") if CRITERIA[criterion].allows(g))
    page = Page(model="lenet5").choose("ask_granularity", defined)
    page.choose("ask_criterion", criterion)
    assert page.plan.criterion == criterion
    page.choose("ask_granularity", granularity)
    assert page.plan.criterion != criterion
    assert CRITERIA[page.plan.criterion].allows(granularity)
    message = page.session.message
    assert message is not None
    assert CRITERIA[criterion].label in message
    assert CRITERIA[page.plan.criterion].label in message


@pytest.mark.slow
def test_a_choice_keeps_what_is_cut(page: Page) -> None:
    page.settle(conv2=0.3, fc1=0.8).choose("ask_criterion", "wanda")
    assert page.plan.sparsity["conv2"] == 0.3
    assert page.plan.sparsity["fc1"] == 0.8
    page.ask("undo")
    assert page.plan.criterion == "magnitude"
    assert page.app.selectbox(key=page.key("ask_criterion")).value == "magnitude"


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
    assert page.app.code[0].value.endswith(page.address["plan"])


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
def test_an_old_request_does_nothing(page: Page) -> None:
    page.settle(conv2=0.5).settle(conv2=0.6)
    page.ask("settle", {"conv2": 0.9}, seq=1)
    assert page.plan.sparsity["conv2"] == 0.6


@pytest.mark.slow
def test_an_unknown_layer_is_left_out(page: Page) -> None:
    page.ask("settle", {"conv2": 0.5, "nosuch": 0.5})
    assert page.plan.sparsity == dict.fromkeys(LAYERS, 0.0) | {"conv2": 0.5}


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


@pytest.mark.slow
def test_a_network_cut_in_two_is_shown_and_can_be_undone(page: Page) -> None:
    page.settle(conv2=1.0).finish()
    assert "conv2" in page.session.bench.warnings(page.plan)
    assert page.result().accuracy < 0.2
    page.ask("undo")
    assert page.plan.is_dense


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
        assert (told["measure"], len(told["chart"]["keys"])) == (measure, 2 * (measure != "layers"))
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
    assert picture.caption == f"is {label}: {page.result().dense_predicted[5]} → {answer}"


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
    return ["", "broken", link[:-6], link[5:], link.swapcase(), "é" * 20, "%00"]


@pytest.mark.parametrize("which", slow_but(lambda which: which == 2, range(1, 7)))
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
