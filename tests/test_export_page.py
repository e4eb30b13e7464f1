"""Does the page of exports write what is on the screen, and say what it can't?"""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from pruneviz.export import DEFAULT, FORMATS
from pruneviz.training import Training
from pruneviz.ui.export.export_work import ExportWork, archive_of, size
from pruneviz.ui.session import cached
from tests.page import PATIENCE, Page, path_of


class Exports(Page):
    """The page of exports, reached from the workbench in the same tab."""

    PAGE, STATE = "export", "ExportWork"

    def go(self) -> Exports:
        self.app.switch_page(path_of("export"))
        return self.done()

    def done(self) -> Exports:
        self.run()
        for _ in range(20):
            job = self.exporting.job
            if job is None:
                return self
            job.wait(PATIENCE)
            self.run()
        raise AssertionError("the export does not end")

    @property
    def exporting(self) -> ExportWork:
        found = self.app.session_state["ExportWork"]
        assert isinstance(found, ExportWork)
        return found

    def only(self, *names: str) -> Exports:
        for name in FORMATS:
            if not self.app.checkbox(key=f"export_{name}").disabled:
                self.app.session_state[f"export_{name}"] = name in names
        self.run()
        return self

    def press(self, key: str) -> Exports:
        self.app.button(key=key).click()
        return self.done()


@pytest.fixture
def page() -> Exports:
    """lenet5 with nine tenths of one layer cut."""
    found = Exports(model="lenet5")
    found.settle(fc1=0.9)
    return found.go()


def test_every_format_can_be_chosen_with_its_meaning(page: Exports) -> None:
    boxes = {name: page.app.checkbox(key=f"export_{name}") for name in FORMATS}
    assert {name for name, box in boxes.items() if box.value} == set(DEFAULT)
    assert boxes["shrunk"].disabled
    said = [caption.value for caption in page.app.caption]
    assert any("only whole units" in words for words in said)
    assert FORMATS["onnx"].meaning in said
    assert "Nothing is exported yet." in said


def test_files_are_written_proved_and_offered_as_one_zip(page: Exports) -> None:
    page.only("safetensors", "sparse", "masks").press("export-begin")
    rows = page.app.dataframe[0].value.set_index("file")
    assert all(words.startswith("✓ read back") for words in rows["verdict"])
    assert len(rows) == 3
    assert rows.loc["model.safetensors", "largest difference"] == "0, bit for bit"
    archive = archive_of(page.exporting)
    assert archive is not None
    assert archive.name == "lenet5.zip"
    names = set(zipfile.ZipFile(archive).namelist())
    assert {"model.safetensors", "sparse.safetensors", "sparse_reader.py"} < names
    assert "Download lenet5.zip" in page.app.get("download_button")[0].proto.label


def test_the_banner_says_which_network_leaves(page: Exports) -> None:
    said = " ".join(one.value for one in page.app.markdown)
    counts, result = page.session.bench.counts(page.plan), page.result()
    assert "**lenet5**, as it was opened" in said
    assert "Magnitude, weight: 90 % in 1 layer" in said
    assert f"{counts.params_kept:,} of {counts.params:,} parameters kept" in said
    assert f"accuracy {100 * result.accuracy:.1f} %" in said
    assert f"on {result.n:,})" in said


@pytest.mark.slow
def test_a_training_that_nobody_took_over_is_offered_and_taken(
    page: Exports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNEVIZ_HOME", str(tmp_path))
    training = Training(epochs=1, samples=64)
    page.session.bench.train(page.plan, training, cached.training_folder())
    page.run()
    assert "was not taken over: One-shot" in page.app.info[0].value
    page.press("export-take")
    page.arrive().run()
    said = " ".join(one.value for one in page.app.markdown)
    assert page.session.name == "lenet5 · v1"
    assert "**lenet5 · v1**, trained from lenet5 (One-shot" in said
    assert "from dense: " in said
    assert not page.app.info
    page.app.switch_page(path_of("history")).run()
    plans = [*page.app.dataframe[0].value["plan"]]
    assert [words for words in plans if "dense" in words] == []
    assert any("lenet5 · v1 as trained" in words for words in plans)


@pytest.mark.slow
def test_another_plan_is_not_taken_for_the_exported_one(page: Exports) -> None:
    page.only("masks").press("export-begin")
    page.session.settle(page.plan.from_dict(page.plan.as_dict() | {"sparsity": {"fc2": 0.5}}))
    page.run()
    assert "of an earlier plan" in page.app.info[0].value


def test_whole_units_can_be_shrunk() -> None:
    page = Exports(model="lenet5")
    page.choose("ask_granularity", "neuron")
    page.settle(conv2=0.5)
    page.go()
    assert not page.app.checkbox(key="export_shrunk").disabled
    assert page.app.checkbox(key="export_shrunk").value, "it is what one came for"
    page.app.checkbox(key="export_shrunk").uncheck()
    page.run()
    assert not page.app.checkbox(key="export_shrunk").value, "not against one's will"
    page.only("shrunk").press("export-begin")
    assert page.app.dataframe[0].value.loc[0, "file"] == "shrunk.safetensors"


def test_nothing_chosen_is_nothing_to_export(page: Exports) -> None:
    page.only()
    assert page.app.button(key="export-begin").disabled


def test_a_cancelled_export_leaves_nothing(page: Exports) -> None:
    page.only("safetensors")
    page.app.button(key="export-begin").click()
    page.app.run()
    job = page.exporting.job
    if job is not None:
        job.cancel()
    page.done()
    found, place = page.exporting.result, page.exporting.place
    assert (found is None) == (page.exporting.message == "Stopped: nothing was written.")
    assert place is not None
    assert found is not None or not list(place.iterdir()), "not even under a temporary name"


@pytest.mark.parametrize(
    ("count", "words"), [(7, "7 B"), (1_500, "1.5 kB"), (2_340_000, "2.3 MB"), (10**9, "1.0 GB")]
)
def test_sizes_are_read_by_people(count: int, words: str) -> None:
    assert size(count) == words
