"""Which finished trainings are versions of a network, that can be opened again?"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from pruneviz.training.checkpoints import StoredTraining, in_use, trainings, whole_file

_FILE = "version.json"
_KEY = re.compile(r"[0-9a-f]{32}")
_LONGEST = 500


@dataclass(frozen=True)
class StoredVersion:
    """A finished training, taken over as a version under a name.

    model: the name of the network it was trained from; parent: the key of that one's training
    where it is a version itself, else "".
    """

    training: StoredTraining
    name: str
    model: str
    parent: str = ""

    @property
    def key(self) -> str:
        """32 hex digits, the name of its folder: of weights, data, plan and settings."""
        return self.training.folder.name


def keep_version(folder: Path, name: str, model: str, parent: str = "") -> None:
    """Write down that the training in this folder is a version; OSError where it cannot be."""
    says = {"name": name, "model": model, "parent": parent}
    with whole_file(folder / _FILE) as place:
        place.write_text(json.dumps(says), encoding="utf-8")


def stored_versions(place: Path) -> list[StoredVersion]:
    """All versions in a folder of trainings, the latest first; what is damaged is left out."""
    versions = []
    for one in trainings(place):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            says = json.loads((one.folder / _FILE).read_text(encoding="utf-8"))
            words = [says[name] for name in ("name", "model", "parent")]
            if one.done >= 1 and all(isinstance(w, str) and len(w) <= _LONGEST for w in words):
                versions.append(StoredVersion(one, *words))
    return versions


def find_version(place: Path, key: str) -> StoredVersion:
    """The version with this key; ValueError says that it is not there."""
    if _KEY.fullmatch(key):
        for version in stored_versions(place):
            if version.key == key:
                return version
    raise ValueError(
        f"there is no trained version {key[:40]!r} among the trainings of this browser: they were "
        "deleted, made room for later ones, or belong to somebody else"
    )


def make_room(place: Path, most: int, spare: Path) -> list[StoredTraining]:
    """Delete the oldest trainings of a folder until no more than `most` bytes are left.

    Those at work stay, and the one in the folder `spare`. Returns what was deleted.
    """
    kept = [(one, _bytes_of(one.folder)) for one in trainings(place)]
    used, gone = sum(size for _, size in kept), []
    for one, size in reversed(kept):
        if used <= most:
            break
        if one.folder != spare and not in_use(one.folder):
            shutil.rmtree(one.folder, ignore_errors=True)
            used -= size
            gone.append(one)
    return gone


def _bytes_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
