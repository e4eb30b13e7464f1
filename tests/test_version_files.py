"""Are files of other tools kept as versions, found again, and within a bound?"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pruneviz.workbench.version_files import VersionFile, keep_file, key_of, version_files

WEIGHTS = "0123456789ab"


def keep(place: Path, content: bytes, age: int = 0, most: int = 1_000) -> str:
    key = key_of(WEIGHTS, content)
    version = VersionFile(place / key, "lenet5 · half.pt", "half.pt", "lenet5", "")
    keep_file(place, key, content, version, most)
    os.utime(place / key / "version.json", ns=(10**18 - age, 10**18 - age))
    return key


def test_a_file_is_read_as_it_was_kept(tmp_path: Path) -> None:
    key = keep(tmp_path, b"weights")
    (found,) = version_files(tmp_path)
    assert (found.key, found.name, found.file) == (key, "lenet5 · half.pt", "half.pt")
    assert found.content(WEIGHTS) == b"weights"
    assert keep(tmp_path, b"weights") == key, "the same file is kept once"
    assert len(version_files(tmp_path)) == 1


def test_other_weights_and_a_damaged_file_are_refused(tmp_path: Path) -> None:
    key = keep(tmp_path, b"weights")
    (found,) = version_files(tmp_path)
    with pytest.raises(ValueError, match=r"half\.pt was kept with other weights than lenet5 has"):
        found.content("another")
    (tmp_path / key / "file").write_bytes(b"weighty")
    with pytest.raises(ValueError, match="or is damaged"):
        found.content(WEIGHTS)


def test_what_is_damaged_is_left_out(tmp_path: Path) -> None:
    key = keep(tmp_path, b"weights")
    for name, text in (("a" * 32, "{"), ("..", "{}"), ("b" * 32, '{"name": 3}')):
        (tmp_path / "in" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name / "version.json").write_text(text)
    assert version_files(tmp_path / "in") == []
    (tmp_path / key / "file").unlink()
    assert version_files(tmp_path) == []


def test_the_oldest_make_room(tmp_path: Path) -> None:
    keys = [keep(tmp_path, bytes([n]) * 400, age=10 - n) for n in range(3)]
    assert {one.key for one in version_files(tmp_path)} == set(keys[1:])
    with pytest.raises(OSError, match=r"half\.pt is larger than the 0 MiB kept of versions"):
        keep(tmp_path, bytes(2_000))
    assert {one.key for one in version_files(tmp_path)} == set(keys[1:])
