"""Is a server's measuring held to the samples it was started for?"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

import pruneviz as pv
from pruneviz.classroom import VARIABLE, ClassRules, read_class
from pruneviz.cli import main, serve
from pruneviz.sources import few
from pruneviz.ui.session import cached
from tests.browser.serving import free_port
from tests.small import small_bench


def environment(monkeypatch: pytest.MonkeyPatch, *words: str) -> dict[str, str]:
    """With which the app would be started."""
    calls: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(serve, "_become", lambda *values: calls.append(values))
    done = CliRunner().invoke(main, ["app", "--port", str(free_port()), *words])
    assert done.exit_code == 0, done.output
    return calls[0][1]


def test_the_first_samples_measure_and_what_was_known_of_them_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = pv.open("lenet300").source
    monkeypatch.setenv(few.VARIABLE, "150")
    fewer = few.few(source)
    assert torch.equal(fewer.validation.targets, source.validation.targets[:150])
    assert fewer.dense is not None
    assert torch.equal(fewer.dense.predicted, source.dense.predicted[:150])
    assert fewer.calibration is source.calibration
    assert "the first 150 of 2,000 validation samples" in fewer.notes[-1]
    plan = pv.Plan(sparsity={"fc1": 0.9})
    few_of_all = pv.Workbench(source).evaluate(plan, 150)
    assert pv.Workbench(fewer).evaluate(plan).accuracy == few_of_all.accuracy


def test_with_nothing_said_or_too_many_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    source = small_bench().source
    monkeypatch.delenv(few.VARIABLE, raising=False)
    assert few.few(source) is source
    monkeypatch.setenv(few.VARIABLE, "1000000")
    assert few.few(source) is source


@pytest.mark.parametrize("text", ["99", "-5", "many", "1e3", "99999999999"])
def test_what_is_no_such_number_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(few.VARIABLE, text)
    with pytest.raises(ValueError, match="PRUNEVIZ_SAMPLES must be a whole number from 100") as why:
        few.few(small_bench().source)
    assert repr(text) in str(why.value)


def test_everybody_at_the_app_measures_on_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(few.VARIABLE, "200")
    cached.bench.clear()
    try:
        bench = cached.bench("lenet300")
        assert bench.evaluate(pv.Plan(sparsity={"fc1": 0.5})).n == 200
        assert bench.fingerprint == pv.open("lenet300").fingerprint, "it is the same network"
        assert bench.data_fingerprint != pv.open("lenet300").data_fingerprint
    finally:
        cached.bench.clear()


def test_the_app_is_started_with_them_by_an_option_or_a_class(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert environment(monkeypatch, "--samples", "500")[few.VARIABLE] == "500"
    assert few.VARIABLE not in environment(monkeypatch)
    file = tmp_path / "10b.yaml"
    file.write_text("lessons: [lesson-2]\nsamples: 300")
    assert environment(monkeypatch, "--class", str(file))[few.VARIABLE] == "300"
    started = environment(monkeypatch, "--class", str(file), "--samples", "400")
    assert started[few.VARIABLE] == "400", "what is said at the start counts"
    assert ClassRules.from_text(started[VARIABLE]).samples == 300


def test_a_class_with_too_few_samples_is_refused_by_line(tmp_path: Path) -> None:
    file = tmp_path / "10b.yaml"
    file.write_text("lessons: [lesson-2]\nsamples: 50")
    with pytest.raises(ValueError, match=r"line 2: samples: must be validation samples.*got 50"):
        read_class(str(file))
