"""Does the page of criteria compare, measure, stop, remember, and say what it left out?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pruneviz import figures
from pruneviz.comparison.contest import LEVELS, Contest
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.storage.home import VARIABLE
from pruneviz.ui.compare.contest_work import ContestWork, hold, work_left
from pruneviz.ui.session import cached
from tests.page import PATIENCE, Page, few_validated

N = 400  # validation samples


class Criteria(Page):
    """The page of criteria, reached from the workbench in the same tab."""

    PAGE, STATE = "criteria", "ContestWork"

    @property
    def contesting(self) -> ContestWork:
        found = self.app.session_state["ContestWork"]
        assert isinstance(found, ContestWork)
        return found

    @property
    def contest(self) -> Contest:
        return self.contesting.contest()


def opened(model: str) -> Criteria:
    cached.bench.clear()
    found = Criteria(model=model)
    found.finish()
    return found


@pytest.fixture(scope="module", autouse=True)
def _few() -> Iterator[None]:
    with few_validated(N):
        yield


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Criteria:
    """lenet300, of which nothing was measured before."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "home"))
    return opened("lenet300").go()


def test_before_anything_it_says_what_it_will_cost(page: Criteria) -> None:
    assert page.buttons() == {"criteria-compare", "criteria-start"}
    plans, seconds = work_left(page.contesting, page.contest)
    assert plans == len(LEVELS) * (4 + 3)
    pace = page.session.bench.seconds_per_sample
    assert seconds == pytest.approx(plans * N * pace)
    assert f"{plans} plans on {N} samples each" in page.texts()
    allowed = sum(criterion.allows("weight") for criterion in CRITERIA.values())
    assert f"all {allowed} criteria" in page.texts()


@pytest.mark.slow
def test_the_likeness_is_drawn_for_all_layers_and_the_one_in_focus(page: Criteria) -> None:
    page.press("criteria-compare").done()
    found = page.contesting.alike
    assert found is not None
    assert "by chance 0.33" in page.texts()
    assert "criteria-compare" not in page.buttons()
    page.choose("criteria_layer", "fc2")
    assert page.contesting.layer == "fc2"
    assert f"{found.items['fc2']:,} items" in page.texts()
    page.choose("criteria_at", 0.9)
    assert f"by chance {0.9 / 1.1:.2f}" in page.texts()
    page.session.focus = "fc1"
    page.press("criteria-focus")
    assert page.contesting.layer == "fc1"
    page.back().go()
    assert page.contesting.alike is found
    assert page.contesting.layer == "fc1"


@pytest.mark.slow
def test_a_contest_fills_the_table_and_is_remembered(page: Criteria) -> None:
    page.press("criteria-start").done()
    found = page.contest
    assert found.complete
    assert found.criteria == ("magnitude", "wanda", "taylor", "fisher", "random")
    assert found.layers == tuple(
        n for n in page.session.bench.layer_of if n not in page.session.locked
    )
    rows = page.app.dataframe[0].value
    assert list(rows["best"]) == [CRITERIA[one.best].label for one in found.verdicts]
    assert list(rows["cut"]) == [f"{100 * level:g} %" for level in LEVELS]
    assert "Holm" in page.texts()
    assert "criteria-start" not in page.buttons(), "there is nothing left to measure"
    again = opened("lenet300").go()
    assert again.contest.complete
    assert again.app.dataframe[0].value.equals(rows)


@pytest.mark.slow
def test_choices_are_obeyed_and_stay(page: Criteria) -> None:
    page.app.multiselect(key="criteria_chosen_weight").set_value(["snip"])
    page.app.multiselect(key="criteria_levels").set_value([0.9])
    page.app.number_input(key="criteria_n").set_value(200)
    page.app.selectbox(key="criteria_share").set_value("erk")
    page.run()
    page.press("criteria-start").done()
    found = page.contest
    assert (found.criteria, found.levels, found.n) == (("snip", "random"), (0.9,), 200)
    assert found.allocation == "erk"
    page.back().go()
    assert page.contest.criteria == ("snip", "random")
    assert page.app.number_input(key="criteria_n").value == 200
    page.app.multiselect(key="criteria_levels").set_value([])
    page.run()
    assert "Choose at least one sparsity" in page.texts()


def test_what_cannot_be_is_said(page: Criteria) -> None:
    page.app.selectbox(key="criteria_share").set_value("sliders")
    page.run()
    assert "raise them, or ask for less" in page.app.error[0].value
    assert "criteria-start" not in page.buttons()


@pytest.mark.slow
def test_cancel_keeps_what_was_measured(page: Criteria) -> None:
    job = hold(page.contesting)
    while job.running and job.done < 0.3:
        pass
    job.cancel()
    page.done()
    if not page.contest.complete:  # it may have been faster
        assert "Stopped. What was measured until now is kept." in page.texts()
        assert page.contest.answers
        assert page.app.button(key="criteria-start").label == "Go on"
        page.press("criteria-start").done()
    assert page.contest.complete


@pytest.mark.slow
def test_neurons_have_criteria_of_their_own(page: Criteria) -> None:
    page.back()
    page.choose("ask_granularity", "neuron")
    page.finish()
    page.go()
    page.press("criteria-compare").done()
    found = page.contesting.alike
    assert found is not None
    assert {"l2", "apoz"} < set(found.criteria)
    assert "bn_scale is left out" in page.texts()


@pytest.mark.slow
def test_figures_hold_the_numbers_they_are_given(page: Criteria) -> None:
    page.choose("criteria_levels", [0.5, 0.9])
    hold(page.contesting).wait(PATIENCE)
    page.done()
    table = page.contest.table
    table = table[table["seed"].isna()]
    figure = figures.contest(table, {"wanda": "W", "random": "R"}, score="accuracy")
    lines = {one.name: one for one in figure.data}
    assert set(lines) == {"W", "R", "wanda-band", "random-band"}
    rows = table[table["criterion"] == "random"]
    assert list(lines["R"].y) == pytest.approx(list(100 * rows["accuracy"]))
    ends = [*(100 * rows["high"]), *(100 * rows["low"][::-1])]
    assert list(lines["random-band"].y) == pytest.approx(ends)
    square = page.session.bench.studies.similarity(levels=(0.5,)).overlaps(0.5)
    heat = figures.alike(square, least=0.0, middle=1 / 3).data[0]
    assert (heat.z == square.to_numpy()).all()
    assert heat.colorscale[1][0] == pytest.approx(1 / 3)
