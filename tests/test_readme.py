"""Do the README, the manual and the tables tell the truth?"""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from pruneviz import lessons
from pruneviz.cli import main, serve
from pruneviz.export import FORMATS
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.sources import Source, opening
from pruneviz.sources.registered import load_registered
from pruneviz.training import METHODS
from tests import optional

TOP = Path(__file__).parents[1]
README = (TOP / "README.md").read_text("utf-8")
MANUAL = sorted((TOP / "pruneviz" / "manual").glob("*.md"))
TABLES = sorted((TOP / "tests" / "benchmarks").glob("*.md"))
PAGES = (TOP / "README.md", *MANUAL)

OWN_LESSON = Path(lessons.__file__).parent / "1_what_is_in_a_network.md"


def blocks(language: str) -> list[str]:
    """The blocks of a language in the README and the manual; what stands in both, once."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return list(
        dict.fromkeys(b for page in PAGES for b in pattern.findall(page.read_text("utf-8")))
    )


def commands() -> list[list[str]]:
    """The pruneviz commands of each block: what one writes the next may read."""
    lines = (
        [line for line in block.splitlines() if line.startswith("pruneviz ")]
        for block in blocks("sh")
    )
    return [commands for commands in lines if commands]


def on_few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample networks are measured on fewer samples: enough for each thing that is shown."""

    def load(name: str) -> Source:
        source = load_registered(name)
        return replace(
            source,
            calibration=source.calibration.first(100),
            validation=source.validation.first(800),
            dense=None,
        )

    monkeypatch.setattr(opening, "load_registered", load)


def test_every_python_block_stands_alone(tmp_path: Path) -> None:
    for i, block in enumerate(blocks("python")):
        (tmp_path / f"block{i}.py").write_text(block, "utf-8")
        for line in ast.walk(ast.parse(block)):
            if isinstance(line, ast.ImportFrom) and (line.module or "").startswith("pruneviz"):
                module = importlib.import_module(str(line.module))
                absent = [name.name for name in line.names if not hasattr(module, name.name)]
                assert not absent, f"{line.module} has no {absent}"
    words = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", str(tmp_path)]
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


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
    on_few_samples(monkeypatch)
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
    if not lines[0].startswith("pruneviz lessons"):  # which holds its numbers to all samples
        on_few_samples(monkeypatch)
    # The app would run in place of this process: see tests/test_serve.py.
    monkeypatch.setattr(serve, "_become", lambda words, environment: print(*words))
    (tmp_path / "my-lessons").mkdir()  # a teacher's, which the manual shows beside
    shutil.copy(OWN_LESSON, tmp_path / "my-lessons")
    for command in lines:
        result = CliRunner().invoke(main, shlex.split(command)[1:])
        assert result.exit_code == 0, f"{command}: {result.output}"
        assert result.output


def test_the_readme_has_blocks_of_each_kind() -> None:
    assert len(blocks("python")) >= 2
    assert sum(len(lines) for lines in commands()) >= 5


def test_every_criterion_has_its_row_and_no_other_is_listed() -> None:
    for path in (TOP / "README.md", TOP / "pruneviz" / "manual" / "criteria.md"):
        page = path.read_text("utf-8")
        rows = re.findall(r"^\| `(\w+)` \|.*?\| ([\w:, ]+) \| [^|]+ \|$", page, re.MULTILINE)
        listed = {name: tuple(where.split(", ")) for name, where in rows}
        there = {name: found.granularities for name, found in CRITERIA.items()}
        wrong = sorted(set(listed.items()) ^ set(there.items()))
        assert not wrong, f"{path.name} and the table of criteria differ: {wrong}"


def test_every_method_of_training_has_its_row() -> None:
    section = (TOP / "pruneviz" / "manual" / "training.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[^|]+) \| [^|]+ \|[^|]*\|$", section, re.MULTILINE)
    assert [name for row in rows for name in re.findall(r"`([\w-]+)`", row)] == [*METHODS]


def test_the_two_commands_name_the_torch_that_pyproject_allows() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]
    assert any(text.startswith("torch>=") for text in project["dependencies"])
    assert 'pip install "torch==2.13.0" -e . && streamlit run app.py' in README
    assert 'pip install "torch==2.13.0" -e ".[test]" && pytest' in README


@pytest.mark.parametrize("page", [*PAGES, *TABLES], ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    assert [link for link in links if not (page.parent / link).is_file()] == []
    named = re.findall(r"python (tests/\S+\.py)", text) + re.findall(r"`(tests/\S+\.md)`", text)
    modules = re.findall(r"python -m (tests\.[\w.]+)", text)
    paths = [TOP / name.replace(".", "/") for name in modules]
    assert [name for name in named if not (TOP / name).is_file()] == []
    programs = [(path.with_suffix(".py"), path / "__main__.py") for path in paths]
    assert [files for files in programs if not any(file.is_file() for file in files)] == []


def test_the_readme_is_short_and_says_where_more_stands() -> None:
    lines = README.splitlines()
    assert len(lines) <= 300, "shorten something, or move it to pruneviz/manual/"
    assert [line for line in lines if len(line) > 110 and not line.startswith("|")] == []
    unnamed = {page.stem for page in MANUAL} - set(re.findall(r"manual/(\w+)\.md", README))
    assert not unnamed, f"the README names no way to {sorted(unnamed)}"


def test_readme_and_manual_list_the_formats_there_are() -> None:
    line = re.search(r"- \*\*Formats\*\*: ([^.]+)\.", README)
    assert line is not None
    assert re.split(r",\s+", line[1]) == list(FORMATS)
    table = (TOP / "pruneviz" / "manual" / "export.md").read_text("utf-8")
    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == list(FORMATS)
