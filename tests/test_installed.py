"""Does what is installed have all that it needs, and find it?"""

from __future__ import annotations

import tomllib
from pathlib import Path

import click
import pytest
from click.shell_completion import get_completion_class

from pruneviz.cli import main
from pruneviz.cli.serve import app_file

ROOT = Path(__file__).parents[1]
ASKED = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
PASSING = {".py", ".pyc", ".swp", ".orig"}


@pytest.mark.parametrize("package", ["pruneviz", "sample_models"])
def test_every_file_that_is_no_program_is_package_data(package: str) -> None:
    folder = ROOT / package
    there = {path for path in folder.rglob("*") if path.is_file() and path.suffix not in PASSING}
    packed = {path for glob in ASKED["package-data"][package] for path in folder.glob(glob)}
    assert there <= packed, "add it to package-data in pyproject.toml"
    for glob in ASKED["package-data"][package]:
        assert [*folder.glob(glob)], f"{glob} in pyproject.toml stands for nothing"


def test_every_folder_with_programs_is_a_package() -> None:
    for package in ("pruneviz", "sample_models"):
        folders = {path.parent for path in (ROOT / package).rglob("*.py")}
        assert not [str(each) for each in folders if not (each / "__init__.py").is_file()]


def test_the_app_is_installed_with_its_settings_beside_it() -> None:
    assert ASKED["data-files"] == {
        "share/pruneviz": ["app.py"],
        "share/pruneviz/.streamlit": [".streamlit/config.toml"],
    }
    assert app_file() == ROOT / "app.py"


def test_the_app_shows_nothing_but_what_it_is_told_to() -> None:
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert settings["runner"]["magicEnabled"] is False


def test_an_installed_app_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, share = tmp_path / "lib" / "site-packages", tmp_path / "share" / "pruneviz"
    about = site / "pruneviz-9.dist-info"
    about.mkdir(parents=True)
    share.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: pruneviz\nVersion: 9\n")
    (about / "RECORD").write_text("app.py,,\n../../share/pruneviz/app.py,,\n")
    monkeypatch.syspath_prepend(str(site))
    with pytest.raises(click.ClickException, match="was not installed"):
        app_file(tmp_path)
    (site / "app.py").write_text("somebody else's")
    (share / "app.py").write_text("ours")
    assert app_file(tmp_path) == share / "app.py"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_options_and_values(shell: str) -> None:
    kind = get_completion_class(shell)
    assert kind is not None
    completion = kind(main, {}, "pruneviz", "_PRUNEVIZ_COMPLETE")

    def completed(*words: str) -> list[str]:
        return [item.value for item in completion.get_completions([*words[:-1]], words[-1])]

    assert completed("re") == ["replay", "report"]
    assert sorted(completed("report", "lenet5", "--o")) == ["--out", "--output"]
    assert completed("export", "lenet5", "--format", "onn") == ["onnx", "onnx-int8"]
    assert f"_PRUNEVIZ_COMPLETE={shell}_source pruneviz >" in (
        ROOT / "pruneviz" / "manual" / "export.md"
    ).read_text("utf-8")
