"""Do tables become inputs and targets, and is every column and gap named?"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from torch import nn

from pruneviz.cli import main
from pruneviz.sources.data.reader import read_data
from pruneviz.sources.data.samples import Samples
from pruneviz.workbench.opening import open_workbench

ROWS = 12
PLACES = ["csv", "parquet", "frame"]


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": [20.5 + row for row in range(ROWS)],
            "city": ["Bern", "Oslo", "Rome"] * 4,
            "calls": [7 * row % 5 for row in range(ROWS)],
            "member": [row % 2 == 0 for row in range(ROWS)],
            "churned": ["yes", "no", "no"] * 4,
        },
        index=pd.Index(range(100, 100 + ROWS)),
    )


def placed(table: pd.DataFrame, place: str, folder: Path) -> object:
    if place == "frame":
        return table
    path = folder / f"people.{place}"
    table.to_csv(path) if place == "csv" else table.to_parquet(path)
    return path


def read(table: pd.DataFrame, place: str, folder: Path, target: str | None = None) -> Samples:
    return read_data(placed(table, place, folder), share=0.5, target=target)


@pytest.mark.parametrize("place", PLACES)
def test_columns_are_inputs_and_the_named_one_is_the_target(place: str, tmp_path: Path) -> None:
    found = read(frame(), place, tmp_path, "churned")
    inputs = torch.cat([found.calibration.inputs, found.validation.inputs])
    order = inputs[:, 0].argsort()
    assert inputs[order].T.tolist() == [
        [20.5 + row for row in range(ROWS)],
        [7 * row % 5 for row in range(ROWS)],
        [float(row % 2 == 0) for row in range(ROWS)],
    ]
    targets = torch.cat([found.calibration.targets, found.validation.targets])
    assert targets[order].tolist() == [1, 0, 0] * 4
    assert found.classes == ("no", "yes")
    assert "inputs are the columns age, calls, member" in found.notes
    assert "the target is the column churned" in found.notes
    assert "left out, no numbers: city" in found.notes


def test_the_index_that_pandas_wrote_is_no_input(tmp_path: Path) -> None:
    found = read(frame(), "csv", tmp_path, "churned")
    assert "left out, an index of rows: Unnamed: 0" in found.notes
    named = frame().rename_axis("__index_level_0__").reset_index()
    assert "left out, an index of rows: __index_level_0__" in read(named, "frame", tmp_path).notes


@pytest.mark.parametrize("place", PLACES)
def test_an_unknown_target_lists_the_columns(place: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no column 'left' .* age, city, calls, member, chur"):
        read(frame(), place, tmp_path, "left")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("column", ["age", "calls", "churned"])
def test_a_gap_is_named_by_column_and_row(place: str, column: str, tmp_path: Path) -> None:
    table = frame()
    table[column] = table[column].astype(object)
    table.iloc[4, table.columns.get_loc(column)] = None
    table.iloc[9, table.columns.get_loc(column)] = None
    if column != "churned":
        table[column] = table[column].astype(float)
    with pytest.raises(ValueError, match=rf"column '{column}' has a gap in row 5"):
        read(table, place, tmp_path, "churned")


def test_a_gap_in_what_is_left_out_does_not_matter(tmp_path: Path) -> None:
    table = frame()
    table.loc[104, "city"] = None
    assert len(read(table, "csv", tmp_path, "churned").validation) == 6


def test_a_word_among_numbers_is_named(tmp_path: Path) -> None:
    table = frame().astype({"age": object})
    table.loc[104, "age"] = "unknown"
    with pytest.raises(ValueError, match=r"column 'age' holds 'unknown' in row 5"):
        read(table, "csv", tmp_path, "churned")


@pytest.mark.parametrize("place", PLACES)
def test_without_a_target_it_is_said_how_to_name_one(place: str, tmp_path: Path) -> None:
    found = read(frame(), place, tmp_path)
    assert found.validation.targets is None
    assert any("name the column that is, with target= (--target)" in note for note in found.notes)


@pytest.mark.parametrize("values", [[3, 1, 0, 2] * 3, [0.5, 1.5, 2.5, 3.25] * 3])
def test_targets_that_are_numbers_stay_numbers(values: list[float], tmp_path: Path) -> None:
    found = read(frame().assign(label=values), "csv", tmp_path)
    targets = torch.cat([found.calibration.targets, found.validation.targets])
    assert sorted(targets.tolist()) == sorted(values)
    assert targets.is_floating_point() == isinstance(values[0], float)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "people.csv cannot be read as a table"),
        ("1,2,3\n4,5,6\n", "the first line of people.csv holds numbers, no names of columns"),
        ("a,b\nx,y\nz,w\n", "people.csv holds no numbers as inputs, only a, b"),
        ("a,b\n1,2\n3,4,5\n", "people.csv cannot be read as a table"),
    ],
)
def test_what_is_no_table_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence) as refused:
        read_data(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_are_seen(separator: str, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    frame().to_csv(path, sep=separator, index=False)
    assert read_data(path, target="churned").classes == ("no", "yes")


def test_library_and_command_line_open_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = placed(frame(), "csv", tmp_path)
    network = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2)).eval()
    bench = open_workbench(network, path, target="churned")
    assert bench.source.opened is not None
    assert bench.source.opened.target == "churned"
    assert bench.source.classes == ("no", "yes")
    code = (
        "from torch import nn\n\ndef make():\n"
        "    return nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2)).eval()\n"
    )
    (tmp_path / "tabular.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    words = ["layers", "tabular:make", "--data", str(path), "--target"]
    assert CliRunner().invoke(main, [*words, "churned"]).exit_code == 0
    wrong = CliRunner().invoke(main, [*words, "left"])
    assert "people.csv has no column 'left'" in wrong.output
