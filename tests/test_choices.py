"""What does a choice above the board do?"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from pruneviz.background import Job
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.ui.session import jobs
from pruneviz.ui.workbench import live
from pruneviz.workbench import Workbench
from tests.cases import slow_but
from tests.page import Page
from tests.test_app import LAYERS


@pytest.fixture
def page() -> Page:
    """The app at lenet5, with all of it measured."""
    return Page(model="lenet5").finish()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "granularity"),
    [("lenet300", "weight"), ("lenet5", "neuron"), ("lenet300", "N:M"), ("resnet20", "neuron")],
)
def test_every_criterion_can_be_chosen_and_cuts(network: str, granularity: str) -> None:
    page = Page(model=network).choose("ask_granularity", granularity)
    for name, criterion in CRITERIA.items():
        if not criterion.allows(granularity):
            continue
        if network == "resnet20" and "scale" not in criterion.needs:  # lenet5 has no batch norms
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
    ("defined", "criterion", "granularity"),
    [
        ("weight", "lamp", "N:M"),
        ("weight", "obs", "neuron"),
        ("neuron", "l2", "weight"),
        ("neuron", "apoz", "N:M"),
    ],
)
def test_a_criterion_gives_way_with_a_sentence_where_it_is_not_defined(
    defined: str, criterion: str, granularity: str
) -> None:
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


def test_a_click_while_the_page_is_drawn_anew_counts(page: Page) -> None:
    page.settle(fc1=0.5)
    page.ask("undo")
    page.session.travel(1)  # another redraw is on its way, as when a choice becomes ready
    page.choose("ask_scope", "global")
    assert page.plan.scope == "global"
    page.run()
    assert page.plan.scope == "global"
    before = page.plan
    page.session.travel(-1)
    page.run()
    assert page.plan != before, "what nobody clicked is not brought back"
    assert page.plan.scope == "layer"


def test_a_click_while_another_is_made_ready_counts_too(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready, prepare = threading.Event(), jobs.prepare

    def slow(bench: Workbench, plan: Plan, make: Callable[[], Plan]) -> Job:
        def wait() -> Plan:
            ready.wait()
            return make()

        return prepare(bench, plan, wait)

    monkeypatch.setattr(jobs, "prepare", slow)
    monkeypatch.setattr(live, "_WAIT", 0.0)
    for name, value in (("ask_scope", "global"), ("ask_scores", "relative")):
        page.app.session_state[page.key(name)] = value
        page.run()
        assert page.plan.scope == "layer"
    ready.set()
    page.arrive()
    assert (page.plan.scope, page.plan.relative) == ("global", True)
