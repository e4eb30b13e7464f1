"""Does `pruneviz pareto` print the line that the library draws?"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import pruneviz as pv
from pruneviz.allocation.request import SearchRequest
from pruneviz.cli import main
from pruneviz.storage.home import VARIABLE


@pytest.mark.slow
def test_it_agrees_with_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    csv = tmp_path / "line.csv"
    result = CliRunner().invoke(main, ["pareto", "lenet300", "--json", "--csv", str(csv)])
    assert result.exit_code == 0, result.output
    bench = pv.open("lenet300")
    line = bench.studies.pareto(SearchRequest(locked=[*bench.locks]))
    values = json.loads(result.stdout)
    assert values["locked"] == bench.locks
    assert [one["accuracy"] for one in values["points"]] == [*line.table["accuracy"]]
    assert [pv.Plan.from_dict(one["plan"]) for one in values["points"]] == [
        one.plan for one in line.points
    ]
    assert len(pd.read_csv(csv)) == len(line.points)
    text = CliRunner().invoke(main, ["pareto", "lenet300"])
    assert line.words in text.output
    assert "fc3" in text.output, "what is locked is said"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--granularity", "2:4"], "one level only"),
        (["--granularity", "block"], "no line of them"),
        (["--floor", "x"], "takes X or LAYER=X"),
    ],
)
def test_what_has_no_line_is_refused_before_anything_is_measured(
    words: list[str], message: str
) -> None:
    result = CliRunner().invoke(main, ["pareto", "lenet300", *words])
    assert result.exit_code != 0
    assert message in result.output
    assert "Traceback" not in result.output
