"""Does the command line export what it is told to, and end as scripts need it?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from safetensors.torch import load_file

from pruneviz.cli import main
from pruneviz.export import FORMATS


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["export", *map(str, words)])


def test_weights_and_zip(tmp_path: Path) -> None:
    result = run("lenet5", "--all", 0.9, "--out", tmp_path, "--format", "safetensors", "--zip")
    assert result.exit_code == 0, result.output
    assert "model.safetensors (" in result.stdout
    assert "largest difference 0.0e+00" in result.stdout
    assert "left dense: conv1" in result.stderr
    assert (tmp_path / "lenet5.zip").exists()
    assert int((load_file(tmp_path / "model.safetensors")["fc1.weight"] == 0).sum()) == 43_200


def test_json_says_what_was_written(tmp_path: Path) -> None:
    result = run("lenet5", "--all", 0.5, "--out", tmp_path, "--format", "masks", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["model"] == "lenet5"
    assert found["plan"]["sparsity"] == {"conv2": 0.5, "fc1": 0.5, "fc2": 0.5}
    (row,) = found["written"]
    assert (row["format"], row["file"], row["failed"]) == ("masks", "masks.safetensors", False)
    assert row["bytes"] == (tmp_path / "masks.safetensors").stat().st_size


def test_a_format_asked_for_by_name_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    words = ("lenet5", "--all", 0.5, "--out", tmp_path, "--format", "masks", "--format", "shrunk")
    result = run(*words)
    assert result.exit_code == 1
    assert "not written: shrunk (granularity 'weight' leaves the shape" in result.stderr
    assert (tmp_path / "masks.safetensors").exists()


@pytest.mark.slow
def test_all_is_whatever_can_be_made(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    result = run("lenet5", "--all", 0.5, "--out", tmp_path, "--format", "all", "--json")
    assert result.exit_code == 0, result.output
    found = {row["format"]: row["failed"] for row in json.loads(result.stdout)["written"]}
    assert found.keys() == FORMATS.keys()
    assert found["shrunk"]


def test_nothing_is_written_over_without_force(tmp_path: Path) -> None:
    words = ("lenet5", "--all", 0.5, "--out", tmp_path, "--format", "masks")
    assert run(*words).exit_code == 0
    again = run(*words)
    assert again.exit_code == 1
    assert "masks.safetensors, export.json are in" in again.stderr
    assert run(*words, "--force").exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "gguf"), "'gguf' is not one of"),
        (("--sparsity", "nope=0.5"), "nope"),
        (("--sparsity", "fc1=2"), "sparsity of 'fc1' must be in [0, 1], got 2"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    result = run("lenet5", "--out", tmp_path, *words)
    assert result.exit_code != 0
    assert said in result.stderr
    assert not list(tmp_path.iterdir())


def test_help_has_an_example_and_all_formats() -> None:
    text = run("--help").stdout
    assert "Example: pruneviz export" in text
    assert all(name in text for name in FORMATS)
