"""Does the README tell the truth?"""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from pruneviz.cli import main
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.training import METHODS
from tests import optional

TOP = Path(__file__).parents[1]
README = (TOP / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    """The pruneviz commands of each block: what one writes the next may read."""
    found = [
        [line for line in block.splitlines() if line.startswith("pruneviz ")]
        for block in blocks("sh")
    ]
    return [lines for lines in found if lines]


@pytest.mark.slow
@pytest.mark.parametrize("block", blocks("python"))
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_python_block_runs(
    block: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for library in (optional.timm, optional.transformers):
        if f"import {library.__name__}" in block or f"from {library.__name__}" in block:
            library()
    before = dict(CRITERIA)
    try:
        exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
    finally:  # an example may enter a criterion; the table of the other tests stays as it was
        for name in set(CRITERIA) - set(before):
            del CRITERIA[name]
    assert capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("lines", commands(), ids=lambda lines: lines[0])
def test_every_pruneviz_command_runs(
    lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where those that write files may do so
    for command in lines:
        result = CliRunner().invoke(main, shlex.split(command)[1:])
        assert result.exit_code == 0, f"{command}: {result.output}"
        assert result.output


def test_the_readme_has_blocks_of_each_kind() -> None:
    assert len(blocks("python")) >= 2
    assert sum(len(lines) for lines in commands()) >= 5


def test_every_criterion_has_its_row_and_no_other_is_listed() -> None:
    section = README.split("## Importance criteria")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|.*?\| ([\w:, ]+) \| [^|]+ \|$", section, re.MULTILINE)
    listed = {name: tuple(where.split(", ")) for name, where in rows}
    assert listed == {name: found.granularities for name, found in CRITERIA.items()}


def test_every_method_of_training_has_its_row() -> None:
    section = README.split("## Pruning during training")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \| [^|]+ \|[^|]*\|$", section, re.MULTILINE)
    assert [name for row in rows for name in re.findall(r"`([\w-]+)`", row)] == [*METHODS]


def test_the_two_commands_name_the_torch_that_pyproject_allows() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]
    assert any(text.startswith("torch>=") for text in project["dependencies"])
    assert 'pip install "torch==2.13.0" -e . && streamlit run app.py' in README
    assert 'pip install "torch==2.13.0" -e ".[test]" && pytest' in README


def test_every_file_the_readme_shows_is_there() -> None:
    shown = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README)
    scripts = re.findall(r"python (tests/\S+\.py)", README)
    modules = re.findall(r"python -m (tests\.[\w.]+)", README)
    scripts += [f"{name.replace('.', '/')}.py" for name in modules]
    assert shown
    assert modules
    assert [name for name in (*shown, *scripts) if not (TOP / name).is_file()] == []
