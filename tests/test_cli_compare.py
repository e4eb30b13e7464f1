"""Does `pruneviz compare` say the same as the library, and refuse in a sentence?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.comparison.contest import ContestRequest
from pruneviz.storage.home import VARIABLE

ARGUMENTS = (
    *("lenet300", "--criteria", "magnitude,taylor", "--levels", "0.5,0.9"),
    *("--samples", "256"),
)


@pytest.fixture(scope="module", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One folder for this file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(tmp_path_factory.mktemp("compare")))
        yield


def run(*arguments: str) -> Result:
    """Run `pruneviz compare` with these arguments in this process."""
    return CliRunner().invoke(main, ["compare", *arguments])


@pytest.mark.slow
def test_json_agrees_with_the_library() -> None:
    result = run(*ARGUMENTS, "--json")
    assert result.exit_code == 0, result.output
    found, bench = json.loads(result.stdout), pv.open("lenet300")
    asked = ContestRequest(("magnitude", "taylor"), (0.5, 0.9), n=256, locked=tuple(bench.locks))
    held = bench.studies.known_contest(asked)
    assert held.complete
    assert found["layers"] == list(held.layers)
    assert found["criteria"] == ["magnitude", "taylor", "random"]
    assert [row["accuracy"] for row in found["points"]] == list(held.table["accuracy"])
    assert [one["best"] for one in found["verdicts"]] == [one.best for one in held.verdicts]
    for told, one in zip(found["verdicts"], held.verdicts, strict=True):
        assert told["words"] == one.words
        assert [x["difference"] for x in told["against"]] == [x.difference for x in one.against]
    alike = bench.studies.similarity(levels=(0.5, 0.9))
    assert len(found["pairs"]) == len(alike.table)
    assert found["pairs"][1]["spearman"] == alike.table["spearman"][1]


@pytest.mark.slow
def test_the_text_has_all_three_tables() -> None:
    result = run(*ARGUMENTS)
    assert result.exit_code == 0, result.output
    assert "rank correlation (Spearman), mean over layers" in result.stdout
    assert "overlap of what is cut at 90 % (Jaccard; by chance 0.82)" in result.stdout
    assert "10 of 10 plans, 256 samples each." in result.stdout
    assert "90 % cut: " in result.stdout
    assert "Holm" in result.stdout


@pytest.mark.slow
def test_rankings_alone_measure_nothing() -> None:
    result = run("lenet5", "--granularity", "neuron", "--levels", "0.5", "--rankings")
    assert result.exit_code == 0, result.output
    assert "accuracy in %" not in result.stdout
    assert "bn_scale is left out" in result.stdout
    told = json.loads(run("lenet300", "--levels", "0.5", "--rankings", "--json").stdout)
    assert "verdicts" not in told


@pytest.mark.slow
def test_locks_are_those_of_the_app_unless_unlocked() -> None:
    unlocked = json.loads(run(*ARGUMENTS, "--unlocked", "--lock", "fc1", "--json").stdout)
    assert unlocked["layers"] == ["fc2", "fc3"]


@pytest.mark.slow
def test_the_points_can_be_written_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    assert run(*ARGUMENTS, "--csv", str(path)).exit_code == 0
    assert len(pd.read_csv(path)) == 2 * (2 + 4)
    assert run(*ARGUMENTS, "--rankings", "--csv", str(path)).exit_code == 0
    assert list(pd.read_csv(path).columns)[:5] == ["layer", "sparsity", "a", "b", "spearman"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["lenet300", "--levels", "0.5,x"], "'0.5,x'"),
        (["lenet300", "--levels", "0.5,1.5"], "[1.5]"),
        (["lenet300", "--criteria", "magnitud"], "magnitud"),
        (["lenet300", "--criteria", "l2"], "'l2'"),
        (["lenet300", "--granularity", "4:2"], "4:2"),
        (["lenet300", "--samples", "1"], "got 1"),
        (["lenet300", "--seeds", "0"], "got 0"),
        (["lenet300", "--lock", "fc9"], "'fc9'"),
        (["lenet300", "--allocation", "fair"], "fair"),
        (["lenet300", "--repair", "hope"], "hope"),
        ([*ARGUMENTS, "--csv", "/not/there/x.csv"], "/not/there/x.csv"),
        (["nobody"], "nobody"),
    ],
)
def test_bad_options_are_refused_in_a_sentence(arguments: list[str], named: str) -> None:
    result = run(*arguments)
    assert result.exit_code in (1, 2)
    assert named in result.stderr
    assert "Traceback" not in result.output
