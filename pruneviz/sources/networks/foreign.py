"""Which file is this, where it holds no weights of PyTorch?"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from pruneviz.sources.networks.quantised import QUANTISED

_OTHER = "only networks of PyTorch can be opened: convert it, or open the network it came from"
_GGUF = f"is a GGUF file, whose weights are packed for llama.cpp: {QUANTISED} (hf:FOLDER)"
_BUILT = "is built for one machine to run, and holds no weights that could be pruned; open the "
_BUILT += "network that it was made from"
_UNPACK = "is a packed archive; unpack it and give the file of weights that is in it"
# (offset, bytes, what a file is that has them there)
_HEADS = (
    (0, b"GGUF", _GGUF),
    (0, b"ggjt", _GGUF),
    (0, b"tjgg", _GGUF),
    (0, b"\x89HDF\r\n\x1a\n", f"is an HDF5 file of Keras or TensorFlow; {_OTHER}"),
    (4, b"TFL3", f"is a TensorFlow Lite file; {_OTHER}"),
    (4, b"ET12", f"is an ExecuTorch program, which {_BUILT.removeprefix('is ')}"),
    (0, b"\x93NUMPY", "is a numpy array, which is data (--data) and no network"),
    (0, b"version https://git-lfs", "is a Git LFS pointer and not the file itself; fetch it "
     "with `git lfs pull`, or download it again"),
    (0, b"<!DOCTYPE", "is a web page and not the file; use the link that downloads the file"),
    (0, b"<!doctype", "is a web page and not the file; use the link that downloads the file"),
    (0, b"<html", "is a web page and not the file; use the link that downloads the file"),
    (0, b"\x1f\x8b", _UNPACK),
    (0, b"BZh", _UNPACK),
    (0, b"\xfd7zXZ", _UNPACK),
    (0, b"7z\xbc\xaf", _UNPACK),
    (0, b"Rar!", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", _UNPACK),
    (257, b"ustar", _UNPACK),
)  # fmt: skip
_ENDINGS = {
    ".gguf": _GGUF,
    ".onnx": "is an ONNX file and no weights; open it as a network of its own, without arch, on "
    "the command line or in Python",
    ".engine": _BUILT,
    ".trt": _BUILT,
    ".plan": _BUILT,
    ".mlmodel": f"is a Core ML file; {_OTHER}",
    ".pb": f"is a TensorFlow graph; {_OTHER}",
    ".h5": f"is a file of Keras; {_OTHER}",
    ".msgpack": f"holds weights of Flax; {_OTHER}",
    ".pdparams": f"holds weights of Paddle; {_OTHER}",
    ".xml": f"is an OpenVINO network; {_OTHER}",
    ".yaml": "is a recipe or a configuration and no network; a recipe is done again with "
    "`pruneviz replay FILE`",
    ".yml": "is a recipe or a configuration and no network; a recipe is done again with "
    "`pruneviz replay FILE`",
    ".py": "is a program; name the function in it that makes the network, as package.module:"
    "function (on the command line and in Python)",
}
_SCRIPT = (
    "is a TorchScript archive: it runs code when opened, and its layers can't be pruned; open the "
    "nn.Module that it was made from, with its state_dict"
)
_PROGRAM = (
    "is an exported program (.pt2), which runs code when opened; for files you made yourself "
    "only, open it without arch and with unsafe=True (on the command line: --unsafe-load), or "
    "save the network's state_dict"
)


def foreign(path_or_bytes: Path | bytes, name: str) -> str | None:
    """What is said of a file that is known not to hold weights, and what to do; None of others.

    path_or_bytes: a file, or the bytes of an upload; told by its content, then by its name.
    """
    head = _head(path_or_bytes)
    for offset, magic, what in _HEADS:
        if head[offset : offset + len(magic)] == magic:
            return f"{name} {what}"
    if head[:4] == b"PK\x03\x04":
        inside = _zip(path_or_bytes)
        return None if inside is None else f"{name} {inside}"
    ending = Path(name).suffix.lower()
    pickled = head[:1] == b"\x80" or head[8:9] == b"{"
    return None if pickled or ending not in _ENDINGS else f"{name} {_ENDINGS[ending]}"


def _head(path_or_bytes: Path | bytes) -> bytes:
    if isinstance(path_or_bytes, bytes):
        return path_or_bytes[:512]
    with path_or_bytes.open("rb") as file:
        return file.read(512)


def _zip(path_or_bytes: Path | bytes) -> str | None:
    """What a zip is that torch.save did not write; a damaged one is left to others."""
    try:
        with zipfile.ZipFile(
            io.BytesIO(path_or_bytes) if isinstance(path_or_bytes, bytes) else path_or_bytes
        ) as archive:
            paths = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    names = {Path(path).name for path in paths}
    if "constants.pkl" in names:
        return _SCRIPT
    if names & {"archive_format", "serialized_exported_program.json"}:
        return _PROGRAM
    if "data.pkl" in names:
        return None
    if "model.weights.h5" in names:
        return f"is a Keras file; {_OTHER}"
    if paths and all(path.endswith(".npy") for path in paths):
        return "holds numpy arrays, which are data (--data) and no network"
    return None
