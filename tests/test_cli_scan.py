"""Does `pruneviz scan` say the same as the library, keep what it measured, and stop when asked?"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.scale import SHARE
from pruneviz.sensitivity.scan import LEVELS
from pruneviz.storage.home import VARIABLE
from tests.counting_bench import rows

PATIENCE = 120.0


@pytest.fixture(scope="module", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> pytest.MonkeyPatch:
    """One folder for this file."""
    patch = pytest.MonkeyPatch()
    patch.setenv(VARIABLE, str(tmp_path_factory.mktemp("scan")))
    yield patch
    patch.undo()


def run(*arguments: str) -> Result:
    """Run `pruneviz scan` with these arguments in this process."""
    return CliRunner().invoke(main, ["scan", *arguments])


@pytest.mark.slow
def test_json_agrees_with_the_library() -> None:
    result = run("lenet300", "--json")
    assert result.exit_code == 0, result.output
    found, bench = json.loads(result.stdout), pv.open("lenet300")
    curves = bench.studies.curves()
    assert found["model"] == "lenet300"
    assert pv.Plan.from_dict(found["plan"]) == pv.Plan()
    assert (found["complete"], found["spent"]) == (True, curves.spent)
    assert found["words"] == curves.words
    assert found["points"] == curves.table.to_dict(orient="records")
    assert found["kept_in"] == str(bench.studies.memory.path)
    order = [curve.slider.name for curve in curves.ranked()]
    by_rank = sorted(found["layers"], key=lambda row: row["rank"])
    assert [row["layer"] for row in by_rank] == order
    for row in found["layers"]:
        curve = curves.by_name[row["layer"]]
        assert row["words"] == curves.words_of(row["layer"])
        assert (row["robust"], row["knee"], row["certain"], row["no_op"]) == (
            curve.robust(), curve.knee, curve.certain(), "",
        )  # fmt: skip


def test_the_text_has_a_row_for_each_layer_the_most_sensitive_first() -> None:
    result = run("lenet300")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    bench = pv.open("lenet300")
    curves = bench.studies.known_curves()
    assert [f"{100 * level:g} %" for level in LEVELS] == re.findall(r"[\d.]+ %", lines[0])
    ranked = curves.ranked()
    assert [line.split()[0] for line in lines[1:4]] == [curve.slider.name for curve in ranked]
    for line, curve in zip(lines[1:4], ranked, strict=True):
        changes = line.split()[1 : 1 + len(curve.points)]
        assert changes == [SHARE.change_text(point.delta, unit=False) for point in curve.points]
        assert line.endswith(curves.words_of(curve.slider.name))
    assert lines[-1] == curves.words
    assert result.stderr.splitlines() == [*bench.notes], "no progress into a file"


def test_levels_precision_and_budget_are_obeyed() -> None:
    result = run("lenet300", "--levels", "0.25,.75", "--precision", "5", "--json")
    curves = pv.open("lenet300").studies.curves(levels=(0.25, 0.75), precision=0.05)
    assert json.loads(result.stdout)["points"] == curves.table.to_dict(orient="records")
    part = json.loads(run("lenet300", "--levels", "0.33,0.44", "--budget", "1000", "--json").stdout)
    assert not part["complete"]
    assert 0 < part["spent"] <= 1000
    assert "stopped at the budget of 1,000 samples" in part["words"]


def test_what_counts_as_a_loss_is_a_choice() -> None:
    rough = json.loads(run("lenet300", "--lose", "10", "--json").stdout)
    curves = pv.open("lenet300").studies.known_curves()
    for row in rough["layers"]:
        assert row["robust"] == curves.by_name[row["layer"]].robust(0.1)
    assert "at most 10 points lost" in run("lenet300", "--lose", "10").stdout


@pytest.mark.slow
def test_criterion_granularity_and_repair_are_obeyed() -> None:
    choices = ("--criterion", "l2", "--granularity", "neuron", "--repair", "fold")
    result = run("lenet5", *choices, "--levels", "0.5", "--json")
    plan = pv.Plan("l2", "neuron", repair=("fold",))
    table = pv.open("lenet5").scan(plan, (0.5,))
    found = json.loads(result.stdout)
    assert pv.Plan.from_dict(found["plan"]) == plan
    assert found["points"] == table.to_dict(orient="records")


@pytest.mark.slow
def test_no_ops_are_said_as_such() -> None:
    result = run("lenet5", "--levels", "0.001")
    assert result.exit_code == 0
    assert "conv1: no level asked for cuts even one of its items" in result.stdout
    nothing = run("lenet5", "--granularity", "head")
    assert nothing.exit_code == 0
    assert nothing.stdout.count("fc1") == 1
    assert "nothing can be cut" in nothing.stdout
    found = json.loads(run("lenet5", "--granularity", "head", "--json").stdout)
    assert found["points"] == []
    assert all(row["rank"] is None and row["no_op"] for row in found["layers"])


def test_the_table_can_be_written_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "curves.csv"
    assert run("lenet300", "--csv", str(path)).exit_code == 0
    table = pv.open("lenet300").scan()
    again = pd.read_csv(path, keep_default_na=False)
    assert list(again["delta"]) == pytest.approx(list(table["delta"]))
    assert list(again["layer"]) == list(table["layer"])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["lenet300", "--levels", "0.5,x"], "'0.5,x'"),
        (["lenet300", "--levels", "0.5,1.5"], "[1.5]"),
        (["lenet300", "--precision", "0"], "precision must be above 0"),
        (["lenet300", "--budget", "-1"], "got -1"),
        (["lenet300", "--lose", "-1"], "--lose"),
        (["lenet300", "--criterion", "magnitud"], "magnitud"),
        (["lenet300", "--granularity", "4:2"], "4:2"),
        (["lenet300", "--repair", "hope"], "hope"),
        (["lenet300", "--csv", "/not/there/x.csv"], "/not/there/x.csv"),
        (["nobody"], "nobody"),
    ],
)
def test_bad_options_are_refused_in_a_sentence(arguments: list[str], named: str) -> None:
    result = run(*arguments)
    assert result.exit_code in (1, 2)
    assert named in result.stderr
    assert "Traceback" not in result.output


def test_where_nothing_can_be_kept_it_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "taken"))
    result = run("lenet300", "--levels", "0.5", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["complete"]
    assert json.loads(result.stdout)["kept_in"] is None
    assert "cannot be kept" in result.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_keeps_what_was_measured_and_says_so(tmp_path: Path) -> None:
    home = tmp_path / "home"
    process = subprocess.Popen(
        [sys.executable, "-m", "pruneviz", "scan", "lenet5", "--json"],
        env=os.environ | {VARIABLE: str(home)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    end = time.monotonic() + PATIENCE
    while rows(home) < 5:
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    stdout, stderr = (text.decode() for text in process.communicate(timeout=PATIENCE))
    assert process.returncode == 130
    assert "Stopped: what was measured is kept" in stderr
    assert "Traceback" not in stderr
    found = json.loads(stdout)
    assert not found["complete"]
    assert 5 <= len(found["points"]) < 55
