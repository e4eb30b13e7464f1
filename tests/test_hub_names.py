"""Is a name of the hub never a path after some expansion, and does no door tell what is there?"""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.sources.networks.architectures import build
from pruneviz.sources.upload import open_upload
from pruneviz.storage.faults import public
from tests import optional
from tests.page import APP, Page

BERT = {
    "model_type": "bert", "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
    "intermediate_size": 32, "vocab_size": 50,
}  # fmt: skip


def offline(*args: object, **named: object) -> None:
    raise OSError("no network in tests")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that is a folder of Transformers, and holds another."""
    optional.transformers()
    place = tmp_path / "home"
    (place / "net").mkdir(parents=True)
    (place / "empty").mkdir()
    (tmp_path / "work").mkdir()
    for folder in (place, place / "net"):
        (folder / "config.json").write_text(json.dumps(BERT))
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("USERPROFILE", str(place))
    monkeypatch.setenv("NET", str(place))
    monkeypatch.setattr(urllib.request, "urlopen", offline)
    monkeypatch.chdir(tmp_path / "work")
    return place


def in_python(name: str) -> str:
    with pytest.raises(ValueError, match="hub") as refusal:
        pv.open(f"hf:{name}")
    return str(refusal.value)


def on_the_command_line(name: str) -> str:
    found = CliRunner().invoke(main, ["layers", f"hf:{name}"])
    assert found.exit_code != 0
    assert isinstance(found.exception, SystemExit)
    return found.output


def in_a_recipe(name: str) -> str:
    Path("recipe.yaml").write_text(json.dumps({"model": f"hf:{name}", "plan": {}}))
    found = CliRunner().invoke(main, ["replay", "recipe.yaml"])
    assert found.exit_code != 0
    assert isinstance(found.exception, SystemExit)
    return found.output


def uploaded(name: str) -> str:
    with pytest.raises(ValueError, match="name") as refusal:
        open_upload(None, "", f"hf:{name}")
    return public(refusal.value)


OWN = [in_python, on_the_command_line, in_a_recipe]
DOORS = [*OWN, uploaded]
ODD = (
    "~", "~/net", "~/empty", "~/nothing", "~root", "~nobodyxx", "~root/.ssh", "$HOME", "${NET}",
    "$NET/net", "%USERPROFILE%", "~/../home", "file:///etc", "hf:~", "~\0", "owner/../../home",
)  # fmt: skip


def masked(words: str, name: str) -> str:
    """The words without the name itself, in whichever way they show it."""
    for shown in (repr(name), repr(f"hf:{name}"), "'hf:…'", "'hf:file:…'"):
        words = words.replace(shown, "NAME")
    return words


@pytest.mark.parametrize("door", DOORS)
def test_nothing_is_expanded_and_all_are_refused_in_the_same_words(
    door: Callable[[str], str], home: Path
) -> None:
    said = {masked(door(name), name) for name in ODD}
    assert len(said) == 1, said
    assert str(home) not in said.pop()


@pytest.mark.parametrize("door", OWN)
def test_a_path_says_the_same_whatever_is_or_is_not_there(
    door: Callable[[str], str], home: Path
) -> None:
    (home / "a file").touch()
    names = ("../home/empty", "../home/nothing", "../home/a file", "/etc", "/etc/passwd", "..", ".")
    said = {masked(door(name), name) for name in names}
    assert len(said) == 1, said


@pytest.mark.parametrize("name", ["../home/net", "./net", "net", "net/config.json", "~"])
def test_a_folder_that_is_written_as_a_path_opens(name: str, home: Path) -> None:
    shutil.copytree(home / "net", "net")
    shutil.copytree(home / "net", "~")  # by this very name: it is taken as it stands
    assert build(f"hf:{name}").spec.vocab == 50


@pytest.mark.slow
def test_the_whole_path_opens(home: Path) -> None:
    assert build(f"hf:{home / 'net'}").spec.vocab == 50
    assert CliRunner().invoke(main, ["layers", f"hf:{home / 'net'}"]).exit_code == 0


@pytest.mark.slow
def test_an_address_tells_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(APP.parent)
    said = set()
    for name in ("~", "~root", "~nobodyxx", "../home", str(home), str(home / "nothing"), "$HOME"):
        message = Page(model=f"hf:{name}").errors()
        assert "Unknown model" in message
        assert str(home) not in message
        said.add(masked(message, name))
    assert len(said) == 1, said
