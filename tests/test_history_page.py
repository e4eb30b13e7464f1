"""Does the page of the history show what was tried, and bring it back?"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st

from pruneviz.history import History, ModelVersion
from pruneviz.plan import Plan
from pruneviz.storage.home import VARIABLE
from pruneviz.ui.past.side_by_side import MaskDistance
from pruneviz.ui.session import cached
from tests.page import PATIENCE, Page, new_app, path_of


class Past(Page):
    """The page of the history, reached from the workbench in the same tab."""

    PAGE = "history"

    def snapshot(self, name: str) -> Past:
        box = next(box for box in self.app.text_input if box.label == "Snapshot")
        box.set_value(name)
        return self.press("FormSubmitter:snapshot-Keep")

    @property
    def table(self) -> pd.DataFrame:
        return self.app.dataframe[0].value

    def pick(self, first: int, second: int | None = None) -> Past:
        self.app.session_state["history_first"] = first
        self.app.session_state["history_second"] = second
        self.run()
        return self


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def page(home: Path) -> Past:
    """lenet5 after fc1 at 50 %, then back, then fc2 at 60 % by another branch, named."""
    found = Past(model="lenet5")
    found.settle(fc1=0.5).finish()
    found.ask("undo").finish()
    found.settle(fc2=0.6).finish()
    found.snapshot("narrow fc2")
    return found.go()


def test_without_a_past_the_page_says_what_to_do(home: Path) -> None:
    app = new_app()
    app.switch_page(path_of("history"))
    app.run()
    assert not app.exception
    assert "Move a slider on the workbench" in app.info[0].value
    assert not app.dataframe


def test_looking_alone_writes_nothing(home: Path) -> None:
    Past(model="lenet5").finish()
    assert cached.history().visits().empty


def test_a_session_is_a_tree_with_branches_and_numbers(page: Past) -> None:
    plans = list(page.table["plan"])
    assert plans == [
        "○ dense",
        "├─○ Magnitude, weight: 50 % in 1 layer",
        "● Magnitude, weight: 60 % in 1 layer",
    ]
    assert list(page.table["branch"]) == ["main", "main", "narrow fc2"]
    assert list(page.table["visits"]) == [2, 1, 1], "dense: at the start, and by undo"
    assert (page.table["n"] == 2_000).all()
    bench = page.session.bench
    for row, plan in zip(
        page.table.itertuples(), [page.session.steps[0].plan, None, page.plan], strict=True
    ):
        if plan is not None:
            accuracy = bench.evaluate(plan).accuracy
            assert f"{row.score:.1f}" == f"{100 * accuracy:.1f}"
            assert row.kept == pytest.approx(
                100 * bench.counts(plan).params_kept / bench.counts(plan).params
            )


@pytest.mark.slow
def test_filters_narrow_the_tree_and_say_when_nothing_is_left(page: Past) -> None:
    page.app.text_input(key="history_text").set_value("NARROW")
    page.run()
    assert list(page.table["branch"]) == ["main", "narrow fc2"], "and the root, to tell them by"
    page.app.text_input(key="history_text").set_value("nowhere")
    page.run()
    assert "No visited plan matches" in page.texts()
    page.app.text_input(key="history_text").set_value("")
    page.app.slider(key="history_params").set_value((0.0, 70.0))
    page.run()
    fc1 = ["○ dense", "├─○ Magnitude, weight: 50 % in 1 layer"]
    assert list(page.table["plan"]) == fc1, "fc1 is the larger one"


@pytest.mark.slow
def test_two_are_compared(page: Past) -> None:
    numbers = list(page.table["number"])
    page.pick(numbers[1], numbers[2])
    tables = [frame.value for frame in page.app.dataframe[1:]]
    counts, layers = tables[0].set_index("quantity"), tables[1].set_index("layer")
    assert layers.loc["fc1", ["first", "second", "total"]].tolist() == [24_000, 48_000, 48_000]
    assert layers.loc["fc2", "difference"] == round(0.4 * 10_080) - 10_080
    assert counts.loc["parameters kept", "first"] == f"{61_706 - 24_000:,}"
    assert "Second minus first" in page.texts()


@pytest.mark.slow
def test_masks_and_flipped_examples_wait_for_their_tab(page: Past) -> None:
    numbers = list(page.table["number"])
    page.app.session_state["history_tabs"] = "Masks"
    page.pick(numbers[0], numbers[1])
    end = time.monotonic() + PATIENCE
    apart = page.app.session_state["history_masks"]
    assert isinstance(apart, MaskDistance)
    while apart.table is None and time.monotonic() < end:
        time.sleep(0.05)
    page.run()
    assert apart.table is not None
    assert apart.table.set_index("layer")["differ"].to_dict()["fc1"] == 24_000
    assert "24,000 of" in page.texts()


@pytest.mark.slow
def test_a_plan_comes_back_as_the_next_step(page: Past) -> None:
    numbers = list(page.table["number"])
    steps = len(page.session.steps)
    page.pick(numbers[1]).press("history-restore")
    page.arrive()
    assert page.plan.sparsity["fc1"] == 0.5
    assert len(page.session.steps) == steps + 1
    page.ask("undo")
    assert page.plan.sparsity["fc2"] == 0.6
    page.go()
    assert len(page.table) == 3, "visited again, not another one"


@pytest.mark.slow
def test_after_a_reload_it_is_all_there_and_opens_its_network(page: Past) -> None:
    before = list(page.table["plan"])
    other = new_app()
    other.query_params["model"] = "lenet300"
    other.switch_page(path_of("history"))
    other.run()
    other.session_state["history_model"] = "lenet5"
    other.run()
    assert [text.replace("○", "●") for text in other.dataframe[0].value["plan"]] == [
        text.replace("○", "●") for text in before
    ]
    other.session_state["history_first"] = int(other.dataframe[0].value["number"].iloc[1])
    other.run()
    assert other.button(key="history-restore").label == "Open lenet5 at the first"
    other.button(key="history-restore").click()
    other.run()
    assert not other.exception
    assert other.session_state["session"].name == "lenet5"
    assert other.session_state["session"].settled.sparsity["fc1"] == 0.5


@pytest.mark.slow
def test_another_models_plan_is_refused_in_words(page: Past) -> None:
    number = cached.history().visit(
        ModelVersion("mine", "feedfacecafe", "0" * 16), Plan(sparsity={"a": 0.5})
    )
    page.app.session_state["history_model"] = "all networks"
    page.run()
    before = page.plan
    page.pick(number).press("history-restore")
    assert "unknown model 'mine'" in page.texts()
    assert page.plan == before
    page.pick(number, int(page.table["number"].iloc[-1]))
    assert "can be compared" in page.texts()


@pytest.mark.slow
def test_other_data_is_refused_in_words(page: Past) -> None:
    assert page.session.diary is not None
    number = cached.history().visit(replace(page.session.diary.version, data="e" * 16), page.plan)
    page.app.session_state["history_model"] = "all networks"
    page.run()
    page.pick(number).press("history-restore")
    assert "measured on other data" in page.texts()


@pytest.mark.slow
def test_a_version_is_compared_with_its_original_on_the_same_samples(page: Past) -> None:
    assert page.session.diary is not None
    history, first = cached.history(), int(page.table["number"].iloc[1])
    version = replace(page.session.diary.version, name="lenet5 · v1", weights="feedfacecafe")
    number = history.visit(version, page.plan)
    record = history.record_of(first)
    assert record is not None
    history.record_measurement(number, replace(record, accuracy=record.accuracy - 0.25))
    page.app.session_state["history_model"] = "all networks"
    page.app.session_state["history_tabs"] = "Masks"
    page.run()
    page.pick(first, number)
    said = page.texts()
    assert "First: lenet5; second: lenet5 · v1; on the same samples" in said
    assert "Open 'lenet5 · v1' on the workbench to see where the masks differ" in said
    numbers = page.app.dataframe[1].value.set_index("quantity")
    assert numbers.loc["accuracy", "difference"] == "-25.00 points"


@pytest.mark.slow
def test_words_are_kept(page: Past) -> None:
    page.app.text_input[1].set_value("first try")
    page.app.text_input[2].set_value("the wide one")
    page.app.button[-1].click()
    page.run()
    assert page.table["branch"].iloc[-1] == "first try"
    assert page.table["note"].iloc[-1] == "the wide one"


@pytest.mark.slow
def test_deleting_asks_first(page: Past) -> None:
    root, fc1, fc2 = page.table["number"]
    page.pick(int(root)).press("history-delete")
    assert f"Delete {root} for good?" in page.texts()
    page.press("history-delete-no")
    assert len(page.table) == 3
    page.pick(int(fc1), int(fc2)).press("history-delete").press("history-delete-yes")
    assert list(page.table["number"]) == [root]
    page.back().settle(fc1=0.7).finish()
    page.go()
    assert len(page.table) == 2, "and work goes on"


def test_trouble_is_said_and_stops_nobody(home: Path) -> None:
    home.write_text("a file")
    page = Past(model="lenet5")
    page.settle(fc1=0.5).finish()
    assert "history cannot be kept" in page.texts()
    page.go()
    assert "history cannot be kept" in page.texts()
    assert len(page.table) == 2, "in memory"
    st.cache_resource.clear()


@pytest.mark.slow
def test_a_file_that_was_taken_away_is_written_anew_and_said(page: Past, home: Path) -> None:
    before = list(page.table["plan"])
    for path in [*home.glob("history*")]:
        path.unlink()
    page.run()
    assert "was taken away or replaced while it was open" in page.texts()
    assert list(page.table["plan"]) == before
    page.back().settle(fc2=0.8).finish()
    page.go()
    assert len(page.table) == 4
    again = History(home)
    assert len(again.visits()) == 4
    again.close()
    st.cache_resource.clear()


@pytest.mark.slow
def test_many_hundred_plans_stay_readable(page: Past) -> None:
    history, diary = cached.history(), page.session.diary
    assert isinstance(history, History)
    assert diary is not None
    parent = diary.visits[page.plan]
    for k in range(400):
        plan = Plan(sparsity={"fc1": k / 500, "fc2": 0.1})
        parent = history.visit(diary.version, plan, parent, session=diary.session)
    page.app.session_state["history_fold"] = False
    page.run()
    assert len(page.table) == 300
    assert "The first 300 of 403 plans" in page.texts()
    page.app.session_state["history_fold"] = True
    page.run()
    assert list(page.table["plan"])[-1] == "○ ⋮399 Magnitude, weight: 10–80 % in 2 layers"
    assert len(page.table) == 4
