"""Does the page of trainings ask, show, stop, go on, and make versions as a person expects?"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pruneviz.training import METHODS, Training
from pruneviz.ui.session.versions import Version
from pruneviz.ui.train.training_work import TrainingWork
from tests.page import PATIENCE, Page


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRUNEVIZ_HOME", str(tmp_path))
    return tmp_path


class Trains(Page):
    """The page of trainings, reached from the workbench in the same tab."""

    PAGE, STATE = "train", "TrainingWork"

    @property
    def trainer(self) -> TrainingWork:
        found = self.app.session_state["TrainingWork"]
        assert isinstance(found, TrainingWork)
        return found

    @property
    def versions(self) -> dict[str, Version]:
        found: dict[str, Version] = self.app.session_state["versions"]
        return found

    def set(self, **values: object) -> Trains:
        for name, value in values.items():
            self.app.session_state[f"train_{name}"] = value
        self.run()
        return self

    def until_epoch(self, number: int) -> Trains:
        """Wait until so many epochs are behind."""
        end = time.monotonic() + PATIENCE
        while True:
            seen, job = self.trainer.watching.snapshot, self.trainer.job
            if seen is not None and seen.table["epoch"].max() >= number:
                return self
            assert job is not None
            assert job.running, "it ended too early"
            assert time.monotonic() < end
            time.sleep(0.02)

    def warned(self) -> str:
        return " ".join(one.value for one in self.app.warning)

    def said(self) -> str:
        return " ".join(one.value for one in [*self.app.markdown, *self.app.caption])

    def labels(self) -> list[str]:
        return [button.label for button in self.app.button]


@pytest.fixture
def page() -> Trains:
    """lenet300 with nine tenths of its first layer cut, ready to be trained for an instant."""
    found = Trains(model="lenet300")
    found.settle(fc1=0.9)
    found.go()
    return found.set(epochs=2, samples=500)


# -- asking ------------------------------------------------------------------------------------


OWN = {
    "iterative": {"train_rounds"},
    "gradual": {"train_span", "train_every"},
    "activity": {"train_span", "train_every", "train_silent", "train_memory"},
    "lottery": {"train_rounds", "train_rewind", "train_controls"},
    "set": {"train_span", "train_every", "train_drop"},
    "rigl": {"train_span", "train_every", "train_drop"},
    "l1": {"train_end", "train_strength"},
    "slimming": {"train_end", "train_strength"},
}


@pytest.mark.slow
def test_each_method_shows_what_it_is_and_asks_what_counts(page: Trains) -> None:
    always = {
        f"train_{n}" for n in ("epochs", "learning_rate", "samples", "batch", "seed", "distill")
    } | {"train_features"}
    for method, described in METHODS.items():
        page.set(method=method)
        assert described.meaning in page.said(), method
        keys = {w.key for kind in ("number_input", "toggle", "slider") for w in page.app.get(kind)}
        assert keys - always - {"train_weight_decay"} == OWN.get(method, set()), method


def test_a_plan_that_does_not_fit_a_method_says_what_to_do(page: Trains) -> None:
    page.set(method="activity")
    assert "cuts by 'neuron' or 'head'" in page.warned()
    assert "choose another granularity or method" in page.warned()
    assert page.app.button(key="train-begin").disabled


def test_where_nothing_is_cut_dense_is_offered_and_the_others_explained() -> None:
    page = Trains(model="lenet300").go()
    assert page.app.selectbox(key="train_method").value == "dense"
    assert not page.app.button(key="train-begin").disabled
    assert "Nothing is cut: only *Dense*" in page.said()
    page.set(method="gradual")
    assert "needs a plan that cuts something" in page.warned()
    assert page.app.button(key="train-begin").disabled


def test_each_method_starts_as_its_paper_does_until_another_start_is_chosen(page: Trains) -> None:
    for method, start in (("lottery", "new"), ("gradual", "trained"), ("lottery", "new")):
        page.set(method=method)
        assert page.app.selectbox(key=f"train_start_{start}").value == start
    page.set(start_new="trained").set(epochs=4)
    assert page.app.session_state["TrainingWork"].wish.start == "trained"


def test_what_is_out_of_range_is_said_in_words(page: Trains) -> None:
    page.set(method="gradual")
    for values, words in (
        ({"learning_rate": 0.0}, "the weights would stay as they are"),
        ({"learning_rate": 0.01, "span": (50, 50)}, "Begin must lie before end"),
        ({"method": "lottery", "rewind": 7}, "Rewind must be an epoch of the first round"),
    ):
        page.set(**values)
        assert words in page.warned()
        assert page.app.button(key="train-begin").disabled


@pytest.mark.slow
def test_values_are_remembered_when_one_comes_back(page: Trains) -> None:
    page.set(method="iterative", optimizer="sgd").set(rounds=3, momentum=0.5)
    page.back()
    page.go()
    assert page.app.selectbox(key="train_method").value == "iterative"
    assert page.app.number_input(key="train_rounds").value == 3
    assert page.app.number_input(key="train_momentum").value == 0.5
    assert page.app.number_input(key="train_samples").value == 500


@pytest.mark.slow
def test_what_a_method_does_not_use_does_not_make_it_another_training(page: Trains) -> None:
    page.set(method="iterative").set(rounds=3).set(method="one-shot").press("train-begin")
    assert page.trainer.training == Training(epochs=2, samples=500)
    page.done()


def test_inner_values_of_dense_are_learnt_at_the_layers_chosen(page: Trains) -> None:
    assert not [box for box in page.app.multiselect if box.key == "train_feature_layers"]
    page.set(features=2.0).set(feature_layers=["fc2"]).press("train-begin")
    assert page.trainer.training == Training(
        epochs=2, samples=500, features=2.0, feature_layers=("fc2",)
    )
    page.done()
    assert page.trainer.result is not None
