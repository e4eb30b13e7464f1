"""Is the folder the one that was asked for, or the system's usual one?"""

from __future__ import annotations

from pathlib import Path

import pytest
from platformdirs import user_data_path

from pruneviz.storage.home import VARIABLE, home


def test_the_variable_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = tmp_path / "not" / "there"
    monkeypatch.setenv(VARIABLE, str(asked))
    assert home() == asked
    assert not asked.exists(), "asking makes nothing"


def test_a_tilde_is_the_users_own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "~/measured")
    assert home() == Path.home() / "measured"


@pytest.mark.parametrize("value", [None, ""])
def test_else_it_is_the_usual_place(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is None:
        monkeypatch.delenv(VARIABLE, raising=False)
    else:
        monkeypatch.setenv(VARIABLE, value)
    assert home() == user_data_path("pruneviz", appauthor=False)
    assert home().name == "pruneviz"


def test_tests_have_a_folder_of_their_own() -> None:
    assert home() != user_data_path("pruneviz", appauthor=False)
