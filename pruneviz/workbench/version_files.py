"""Which files of another tool are versions of a network, that can be opened again?"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from pruneviz.training.checkpoints import whole_file

_SAYS, _CONTENT = "version.json", "file"
_KEY = re.compile(r"[0-9a-f]{32}")
_LONGEST = 500


@dataclass(frozen=True)
class VersionFile:
    """A file that another tool wrote, opened as a version under a name.

    file: what it was called. model: the name of the network it is a version of; parent: the key
    of that one where it is a version itself, else "".
    """

    folder: Path
    name: str
    file: str
    model: str
    parent: str = ""

    @property
    def key(self) -> str:
        """32 hex digits, the name of its folder: of the network's weights and the content."""
        return self.folder.name

    def content(self, weights: str) -> bytes:
        """The file; weights: the fingerprint of the network it is opened with. ValueError: it is
        damaged, or was kept with other weights; OSError: it cannot be read.
        """
        content = (self.folder / _CONTENT).read_bytes()
        if key_of(weights, content) != self.key:
            raise ValueError(
                f"{self.file} was kept with other weights than {self.model} has now, or is damaged"
            )
        return content


def key_of(weights: str, content: bytes) -> str:
    """The key of a file as a version of the network with this fingerprint."""
    return hashlib.sha256(weights.encode() + b"\0" + content).hexdigest()[:32]


def keep_file(place: Path, key: str, content: bytes, version: VersionFile, most: int) -> None:
    """Keep a file under its key; what was kept longest goes until no more than `most` bytes are
    left. OSError where nothing can be written, or it is larger than that by itself.
    """
    if len(content) > most:
        raise OSError(f"{version.file} is larger than the {most // 2**20:,} MiB kept of versions")
    folder = place / key
    folder.mkdir(parents=True, exist_ok=True)
    says = {n: getattr(version, n) for n in ("name", "file", "model", "parent")}
    with whole_file(folder / _CONTENT) as at:
        at.write_bytes(content)
    with whole_file(folder / _SAYS) as at:
        at.write_text(json.dumps(says), encoding="utf-8")
    sizes = [(one, (one.folder / _CONTENT).stat().st_size) for one in version_files(place)]
    used = sum(size for _, size in sizes)
    for one, size in reversed(sizes):
        if used > most and one.key != key:
            shutil.rmtree(one.folder, ignore_errors=True)
            used -= size


def version_files(place: Path) -> list[VersionFile]:
    """All that are kept in a folder, the latest first; what is damaged is left out."""
    found = []
    for path in place.glob(f"*/{_SAYS}"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            says = json.loads(path.read_text(encoding="utf-8"))
            words = [says[name] for name in ("name", "file", "model", "parent")]
            whole = (path.parent / _CONTENT).is_file() and _KEY.fullmatch(path.parent.name)
            if whole and all(isinstance(w, str) and len(w) <= _LONGEST for w in words):
                found.append((path.stat().st_mtime_ns, VersionFile(path.parent, *words)))
    return [one for _, one in sorted(found, key=lambda each: each[0], reverse=True)]
