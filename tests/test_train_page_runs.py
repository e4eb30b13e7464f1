"""What does the page Train show while and after it trains?"""

from __future__ import annotations

import shutil
import time
from dataclasses import replace

import pytest
import torch

from pruneviz.plan import Plan
from pruneviz.storage.home import home
from pruneviz.training import Training
from pruneviz.training.checkpoints import trainings
from pruneviz.training.result import key_of
from pruneviz.ui.session import cached
from tests.page import PATIENCE, Page, new_app, path_of
from tests.test_train_page import Trains


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """No training that another test has left."""
    shutil.rmtree(home() / "training", ignore_errors=True)


@pytest.fixture
def page() -> Trains:
    """lenet300 with nine tenths of its first layer cut, ready to be trained for an instant."""
    found = Trains(model="lenet300")
    found.settle(fc1=0.9)
    found.go()
    return found.set(epochs=2, samples=500)


def test_a_training_shows_its_numbers_and_becomes_a_version(page: Trains) -> None:
    plan, before = page.plan, page.session
    page.press("train-begin").done()
    found = page.trainer.result
    assert found is not None, page.trainer.message
    rows = page.app.dataframe[0].value.set_index("")
    assert list(rows.index) == ["before", "cut, not trained", "after training"]
    last = found.trained.table.iloc[-1]
    assert rows.loc["after training", "accuracy"] == f"{100 * last['accuracy']:.1f} %"
    assert list(rows.columns) == ["accuracy", "95 %", "change from dense (95 %)"]
    assert len(page.app.get("plotly_chart")) == 5
    page.press("train-use")
    assert page.session is not before
    assert page.session.name == "lenet300 · v1"
    page.arrive().finish()
    masks = page.session.bench.masks(page.plan).masks
    assert all(torch.equal(masks[name], mask) for name, mask in found.trained.masks.items())
    assert page.result().accuracy == pytest.approx(last["accuracy"], abs=1e-9)
    assert before.settled == plan, "the first stays as it was"
    page.go()
    table = page.app.dataframe[-1].value
    assert list(table["version"]) == ["lenet300", "lenet300 · v1"]
    assert (
        table["parameters"][1] == f"{int(last['params']):,} ({100 * (1 - last['sparsity']):.1f} %)"
    )
    assert page.session.diary is not None
    assert page.session.diary.version.name == "lenet300 · v1"


@pytest.mark.slow
def test_runs_lie_over_each_other_each_from_what_was_really_trained(page: Trains) -> None:
    page.press("train-begin").done()
    assert "Compare runs" not in page.said(), "there is nothing beside it"
    page.set(start_trained="new").press("train-begin").done()
    outcome = page.trainer.result
    assert outcome is not None, page.trainer.message
    assert outcome.before.accuracy < 0.3, "new weights know nothing"
    assert outcome.cut.accuracy == outcome.trained.table["accuracy"].iloc[0]
    rows = page.app.dataframe[0].value.set_index("")
    assert rows.loc["before", "accuracy"] == f"{100 * outcome.before.accuracy:.1f} %"
    assert rows.loc["before", "change from before (95 %)"] == "–"
    assert rows.loc["before", "change from dense (95 %)"].startswith("-")
    said = page.said()
    assert "Began with new weights at" in said
    for words in (
        "Compare runs",
        "1 One-shot",
        "2 One-shot",
        "new weights. Accuracy: tr",
    ):
        assert words in said
    first, second = page.trainer.runs
    assert first.before.accuracy == page.session.bench.evaluate(Plan()).accuracy
    assert second.before is outcome.before


@pytest.mark.slow
def test_the_address_of_a_version_opens_it_in_another_tab_and_after_a_restart(
    page: Trains,
) -> None:
    for number in (1, 2):
        page.set(epochs=1).press("train-begin").done().press("train-use").arrive()
        assert page.session.name == f"lenet300 · v{number}"
        page.go()
    page.back()
    cached.bench.clear()  # a server that has just started
    again = Page(**page.address).arrive()
    assert not again.errors()
    assert again.session.name == "lenet300 · v2"
    assert again.session.bench.fingerprint == page.session.bench.fingerprint
    assert again.plan == page.plan
    assert again.address == page.address
    assert list(again.app.session_state["versions"]) == [*page.versions]
    assert again.session.bench is not page.session.bench

    (first, second) = (page.versions[f"lenet300 · v{number}"].key for number in (1, 2))
    shutil.rmtree(cached.training_folder() / first)
    for address, named in (
        (page.address, f"no trained version '{first}'"),
        ({**page.address, "version": "0" * 32}, "no trained version '00000"),
        ({"model": "lenet5", "version": "0" * 32}, "no trained version '00000"),
        ({**page.address, "version": "../../etc"}, "no trained version '../../etc'"),
    ):
        lost = Page(**address)
        assert named in lost.errors()
        assert "Open in its place is lenet5" in lost.errors()
        assert lost.address == address
        assert len(lost.app.error) == 1, "said once"
    assert second in {one.folder.name for one in trainings(cached.training_folder())}


@pytest.mark.slow
def test_a_version_of_a_version_belongs_to_the_same_line(page: Trains) -> None:
    for number in (1, 2):
        page.set(epochs=1).press("train-begin").done().press("train-use")
        page.arrive()
        assert page.session.name == f"lenet300 · v{number}"
        page.go()
    assert [v.parent for v in page.versions.values()] == [
        "",
        "lenet300",
        "lenet300 · v1",
    ]
    assert len(page.app.dataframe[-1].value) == 3


@pytest.mark.slow
def test_a_cancelled_training_changes_nothing_and_can_be_resumed(page: Trains) -> None:
    plan, fingerprint = page.plan, page.session.bench.fingerprint
    page.set(epochs=30).press("train-begin").until_epoch(1)
    job = page.trainer.job
    assert job is not None
    job.cancel()
    page.done()
    assert "it can be resumed below" in page.warned()
    assert page.plan == plan
    assert page.session.bench.fingerprint == fingerprint
    assert page.trainer.result is None
    kept = trainings(cached.training_folder())
    assert len(kept) == 1
    here = round(30 * kept[0].done)
    assert f"Resume (epoch {here} of 30)" in page.labels()
    page.press(f"train-again-{kept[0].folder.name}").done()
    assert page.trainer.result is not None
    assert page.trainer.result.trained.table["epoch"].max() == 30
    assert "Open again" in page.labels()


@pytest.mark.slow
def test_a_page_that_is_loaded_anew_takes_its_training_over(page: Trains) -> None:
    page.set(epochs=30).press("train-begin")
    again = Trains.__new__(Trains)  # nothing but the address is left
    again.app, again.seq = new_app(), 0
    again.app.query_params.update(page.address)
    again.app.switch_page(path_of("train"))
    again.run().arrive()
    again.app.query_params.update(page.address)
    assert again.plan == page.plan
    name = key_of(page.session.bench, page.plan, page.trainer.training)
    assert "started in another tab, or before this page was reloaded" in again.said()
    again.press(f"train-over-{name}")
    assert not page.trainer.running
    assert again.trainer.running
    page.run()
    assert "Stopped" in page.warned()
    again.until_epoch(1)
    assert again.trainer.job is not None
    again.trainer.job.cancel()
    again.done()
    assert f"train-again-{name}" in again.buttons()


@pytest.mark.slow
def test_a_pause_holds_it_and_going_on_ends_it(page: Trains) -> None:
    page.set(epochs=8).press("train-begin").until_epoch(1)
    trainer, job = page.trainer, page.trainer.job
    assert job is not None
    trainer.pause()
    end = time.monotonic() + PATIENCE
    while "paused" not in job.label:
        assert job.running
        assert time.monotonic() < end
        time.sleep(0.02)
    done = job.done
    page.run()
    assert "Resume" in page.labels()
    time.sleep(0.3)
    assert job.done == done
    page.press("train-resume").done()
    assert trainer.result is not None
    assert trainer.result.trained.table["seconds"].max() < 0.3 * 8


@pytest.mark.slow
def test_what_is_kept_is_of_this_network_alone_and_can_be_deleted(page: Trains) -> None:
    page.press("train-begin").done()
    name = trainings(cached.training_folder())[0].folder.name
    other = Trains(model="lenet5").go()
    assert "Open again" not in other.labels()
    page.press(f"train-again-{name}").done()
    assert page.trainer.result is not None
    page.press(f"train-delete-{name}").press(f"train-delete-yes-{name}")
    assert not trainings(cached.training_folder())
    assert "Open again" not in page.labels()


@pytest.mark.slow
def test_a_loss_that_is_no_number_is_told_with_what_to_do(page: Trains) -> None:
    page.set(optimizer="sgd", learning_rate=1e9).press("train-begin").done()
    assert "learning rate" in page.warned()
    assert "train again with a lower one" in page.warned()
    assert not page.app.exception


@pytest.mark.slow
def test_another_network_stops_it_and_that_is_said(page: Trains) -> None:
    page.set(epochs=50).press("train-begin").until_epoch(1)
    job = page.trainer.job
    assert job is not None
    page.back()
    page.app.selectbox(key=page.key("ask_model")).set_value("lenet5")
    page.run()
    page.go()
    assert job.cancelled
    job.wait(PATIENCE)
    assert "The training of lenet300 was stopped" in page.warned()


@pytest.mark.slow
def test_two_tabs_train_the_very_same_and_end_alike(page: Trains) -> None:
    other = Trains(model="lenet300")
    other.settle(fc1=0.9)
    other.go()
    other.set(epochs=2, samples=500)
    page.press("train-begin")
    other.press("train-begin")
    results = [each.done().trainer.result for each in (page, other)]
    tables = [found.trained.table.drop(columns="seconds") for found in results if found]
    assert tables[0].equals(tables[1])


@pytest.mark.slow
def test_a_checkpoint_that_cannot_be_written_is_told_and_nothing_is_lost(page: Trains) -> None:
    training = Training(epochs=2, samples=500)
    folder = cached.training_folder() / key_of(page.session.bench, page.plan, training)
    (folder / "request.json").mkdir(parents=True)  # what is written cannot take this place
    page.press("train-begin").done()
    assert "could not be written" in page.warned()
    assert page.trainer.result is not None
    assert "Use as a new version" in page.labels()


@pytest.mark.slow
def test_training_stands_aside_while_somebody_drags(page: Trains) -> None:
    page.set(epochs=50).press("train-begin").until_epoch(1)
    session, job = page.session, page.trainer.job
    assert job is not None
    session.drag(replace(page.plan, sparsity={**page.plan.sparsity, "fc2": 0.5}))
    session.seq += 1
    time.sleep(0.2)
    done = job.done
    time.sleep(0.5)
    assert job.done == done
    session.drag(page.plan)
    end = time.monotonic() + PATIENCE
    while job.done == done:
        assert time.monotonic() < end
        time.sleep(0.02)
    job.cancel()
    page.done()
