"""Are versions found by their keys, by nobody else, and within a bound?"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pruneviz.plan import Plan
from pruneviz.training import Training
from pruneviz.training.checkpoints import place_for
from pruneviz.training.stored_versions import (
    find_version,
    keep_version,
    make_room,
    stored_versions,
)

KEYS = [letter * 32 for letter in "abcd"]


def put(place: Path, key: str, done: float = 1.0, size: int = 1_000, age: int = 0) -> Path:
    """A training on disk, as far as its folder tells."""
    folder = place / key
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").write_bytes(bytes(size))
    says = {"model": "m", "plan": Plan().as_dict(), "training": Training().as_dict(), "done": done}
    (folder / "request.json").write_text(json.dumps(says))
    os.utime(folder / "request.json", (1_000_000 - age, 1_000_000 - age))
    return folder


def test_a_version_is_found_by_its_key_in_its_owners_folder_alone(tmp_path: Path) -> None:
    ann, bob = tmp_path / "ann", tmp_path / "bob"
    keep_version(put(ann, KEYS[0]), "m · v1", "m")
    keep_version(put(ann, KEYS[1]), "m · v2", "m · v1", KEYS[0])
    found = find_version(ann, KEYS[1])
    assert (found.name, found.model, found.parent, found.key) == (
        *("m · v2", "m · v1"),
        *(KEYS[0], KEYS[1]),
    )
    for place, key in ((bob, KEYS[1]), (ann, KEYS[2]), (ann, ""), (bob, f"../ann/{KEYS[1]}")):
        with pytest.raises(ValueError, match="no trained version"):
            find_version(place, key)


def test_what_is_damaged_or_has_not_ended_is_no_version(tmp_path: Path) -> None:
    keep_version(put(tmp_path, KEYS[0], done=0.5), "m · v1", "m")
    put(tmp_path, KEYS[1])
    for key, text in ((KEYS[2], "{"), (KEYS[3], '{"name": 3, "model": "m", "parent": ""}')):
        (put(tmp_path, key) / "version.json").write_text(text)
    assert stored_versions(tmp_path) == []


def test_the_oldest_make_room_but_none_at_work_and_not_the_newest(tmp_path: Path) -> None:
    folders = [put(tmp_path, key, size=10_000, age=age) for age, key in enumerate(KEYS)]
    assert make_room(tmp_path, 100_000, folders[0]) == []
    with place_for(tmp_path, KEYS[3]):
        gone = make_room(tmp_path, 25_000, folders[0])
        assert [one.folder for one in gone] == [folders[2], folders[1]]
        make_room(tmp_path, 1, folders[0])
    assert [folder.exists() for folder in folders] == [True, False, False, True]
