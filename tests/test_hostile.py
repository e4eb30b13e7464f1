"""Do hostile files run no code and end in a sentence at every door?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pruneviz.storage.home import VARIABLE
from tests.hostile.corpus import Case, cases, mark
from tests.hostile.running import doors_of, laid, run

_TAKEN = ("name of 90 Chinese letters",)  # odd, and harmless
# What is quick enough for every run of the tests; the rest has a process for each.
_QUICK = (
    "label of 2**40", "labels that are dates", "shape of 2**40", "header of brackets",
    "pickled objects", "pickle in torch.save", "pickle as safetensors", "100,000 tensors",
    "timm checkpoint_path", "vocab_size -1", "architectures [5]", "preprocessor_config.json [1]",
    "YAML aliases", "history with a trigger", "history of schema -5", "hf:~nobodyxx",
    "path of 5,000 letters",
)  # fmt: skip
_MIB = 1_500  # more at the peak than before: a bound with room for what networks of a test take


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Case]]:
    folder = tmp_path_factory.mktemp("hostile")
    return folder, {case.name: case for case in cases(folder)}


@pytest.fixture(scope="module")
def doors() -> dict[str, Callable[..., str]]:
    """To import them loads every library that opens networks, so that only this test does."""
    from tests.hostile.doors import DOORS

    return DOORS


@pytest.mark.parametrize("name", _QUICK)
def test_a_hostile_file_is_refused_in_words(
    name: str,
    corpus: tuple[Path, dict[str, Case]],
    doors: dict[str, Callable[..., str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, known = corpus
    case = known[name]
    monkeypatch.setenv(VARIABLE, str(tmp_path / "home"))
    words = [str(path) for path in laid(case, tmp_path)] or [case.words]
    for door in doors_of(case):
        said = doors[door](case.kind, *words)
        assert said or (case.kind == "history" and door == "command line"), door
        assert "Traceback" not in said
        assert door != "upload" or str(tmp_path) not in said
    assert not mark(folder).exists()


@pytest.mark.slow
def test_the_whole_corpus_does_no_harm(
    corpus: tuple[Path, dict[str, Case]], tmp_path: Path
) -> None:
    folder, known = corpus
    for number, case in enumerate(known.values()):
        for door in doors_of(case):
            place = tmp_path / f"{number}{door[0]}"
            place.mkdir()
            found = run(case, door, place)
            assert not found.trace, (case.name, door, found.said)
            assert found.said or case.kind == "history" or case.name in _TAKEN, (case.name, door)
            assert found.mib < _MIB, (case.name, door)
    assert not mark(folder).exists()
