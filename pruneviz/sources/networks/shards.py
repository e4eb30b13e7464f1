"""Which files of a folder hold a network's weights?"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

_NAMES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
_SAFE = ("*.safetensors.index.json", "*.safetensors")
_PATTERNS = (*_SAFE, "*.bin.index.json", "*.bin", "*.pt", "*.pth")


def weights_in_folder(folder: Path) -> Path:
    """The file or index of weights in a folder; safetensors before pickles.

    Raises ValueError when there is none, or several with nothing to choose by.
    """
    for name in _NAMES:
        if (folder / name).is_file():
            return folder / name
    for pattern in _PATTERNS:
        files = sorted(folder.glob(pattern))
        if len(files) == 1:
            return files[0]
        if files:
            names = ", ".join(path.name for path in files[:10])
            raise ValueError(f"{folder.name} holds several files of weights, {names}; name one")
    raise ValueError(f"{folder.name} holds no file of weights; give one, or safetensors' index")


def has_weights(folder: Path) -> bool:
    """Is there any file of weights in a folder?"""
    return any(any(folder.glob(pattern)) for pattern in _PATTERNS)


def shard_index(path: Path, name: str) -> dict[str, list[str]]:
    """The shards that an index lists, each with the tensors it should hold.

    Raises ValueError for a damaged index, a missing shard, and one outside the index's folder.
    """
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        entries = [(str(key), str(shard)) for key, shard in index["weight_map"].items()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{name} is no index of shards (it needs a 'weight_map'); download it again"
        ) from error
    shards: dict[str, list[str]] = {}
    for key, shard in entries:
        shards.setdefault(shard, []).append(key)
    for shard in shards:
        pure = PurePosixPath(shard)
        if pure.is_absolute() or ".." in pure.parts or "\\" in shard or ":" in shard:
            raise ValueError(f"{name} names {shard!r}, outside its own folder; this is refused")
        if not (path.parent / shard).is_file():
            raise ValueError(f"{name} needs {shard}, which is missing; put it beside the index")
    return shards
