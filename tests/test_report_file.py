"""Is a report written whole, or not at all?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pruneviz as pv
from pruneviz.history import History, ModelVersion, measurement_of
from pruneviz.plan import Plan
from pruneviz.report import write_report
from pruneviz.storage.home import VARIABLE
from tests.test_report import run, section


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.html"
    assert write_report(path, "first") == path
    with pytest.raises(FileExistsError, match=r"report\.html"):
        write_report(path, "second")
    assert path.read_text() == "first"
    write_report(path, "second", overwrite=True)
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]
    with pytest.raises(OSError, match="no folder"):
        write_report(path / "x.html", "third")


@pytest.mark.slow
def test_the_command_line_writes_one(tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    words = ("lenet5", "--all", 0.8, "-n", 256, "--out", path)
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["bytes"], found["n"]) == (path.stat().st_size, 256)
    again = run(*words)
    assert again.exit_code == 1
    assert "--force" in again.stderr
    assert run(*words, "--force").exit_code == 0


@pytest.mark.slow
def test_the_command_line_shows_what_was_visited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "home"))
    bench, history = pv.open("lenet5"), History(tmp_path / "home")
    plan = Plan(sparsity={"fc1": 0.5})
    visit = history.visit(ModelVersion("lenet5", bench.fingerprint, bench.data_fingerprint), plan)
    record = measurement_of(bench.evaluate(plan, 64), bench.counts(plan), bench.masks(plan))
    history.record_measurement(visit, record)
    history.close()
    path = tmp_path / "r.html"
    result = run("lenet5", "--all", 0.8, "-n", 64, "--visited", "--out", path)
    assert result.exit_code == 0, result.output
    assert "Magnitude, weight: 50 % in 1 layer" in section(path.read_text("utf-8"), "tradeoff")
    (tmp_path / "home" / "history.sqlite3").write_bytes(b"no database" * 1_000)
    result = run("lenet5", "--all", 0.8, "-n", 64, "--visited", "--out", tmp_path / "s.html")
    assert result.exit_code == 1
    assert "not a database" in result.stderr


def test_a_layer_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    result = run("lenet5", "--sparsity", "fc9=0.5", "--out", tmp_path / "r.html")
    assert result.exit_code == 1
    assert "no layer 'fc9'" in result.stderr
    assert not (tmp_path / "r.html").exists()
