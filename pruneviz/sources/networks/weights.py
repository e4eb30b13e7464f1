"""Which tensors does a file of weights hold?"""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load as load_safetensors
from torch import Tensor

from pruneviz import limits
from pruneviz.sources.networks.checkpoint import Weights as Weights
from pruneviz.sources.networks.foreign import foreign
from pruneviz.sources.networks.masked import bake
from pruneviz.sources.networks.nested_weights import find_weights
from pruneviz.sources.networks.own import reopen
from pruneviz.sources.networks.pickles import why_not
from pruneviz.sources.networks.quantised import QUANTISED, quantisation_of
from pruneviz.sources.networks.shards import shard_index, weights_in_folder

_ADVICE = "save the network's state_dict() with torch.save, or as safetensors"
_PICKLE_ADVICE = "save the state_dict, or convert to safetensors"
_WIDTHS = "widths.json"  # lies beside the weights of a shrunk network that an export wrote


def read_weights(path_or_bytes: Path | bytes, name: str = "") -> Weights:
    """The tensors of a weights file, of an index with its shards, of a folder, or of an upload.

    path_or_bytes: a path to safetensors, to what torch.save wrote of a state_dict, to an
    `*.index.json`, or to a folder that holds one of these; or the bytes of a single file. What a
    file is, its content says, not its ending. A path is memory-mapped where the format allows.
    Nothing is ever unpickled that could run code. name: the file's name, for notes and errors.
    Raises ValueError naming the file that is missing, damaged, or holds more than tensors.
    """
    if isinstance(path_or_bytes, bytes):
        return _check(_read_file(path_or_bytes, name or "the upload"), name or "the upload")
    name = name or path_or_bytes.name
    if not path_or_bytes.exists():
        raise ValueError(f"{name}: there is no such file or folder; check the path")
    path = weights_in_folder(path_or_bytes) if path_or_bytes.is_dir() else path_or_bytes
    if path != path_or_bytes:
        name = f"{name}/{path.name}"
    if not path.is_file():
        raise ValueError(f"{name} is no regular file; give a file of weights")
    if not path.name.endswith(".index.json"):
        return _check(_read_file(path, name), name)
    tensors: dict[str, Tensor] = {}
    shards = shard_index(path, name)
    for shard, keys in shards.items():
        shard_tensors = _read_file(path.parent / shard, shard).tensors
        for key in keys:
            if key not in shard_tensors:
                raise ValueError(
                    f"{name} promises {key!r} in {shard}, which does not hold it; "
                    "download the files again"
                )
            tensors[key] = shard_tensors[key]
    notes = (f"weights came in {len(shards)} shards",)
    return _check(Weights(tensors, notes, name), name)


def _read_file(path_or_bytes: Path | bytes, name: str) -> Weights:
    """One file by its content: safetensors, a zip or an old pickle of torch.save."""
    head, size = _head(path_or_bytes)
    if not size:
        raise ValueError(f"{name} is empty; download or save it again")
    if (why := foreign(path_or_bytes, name)) is not None:
        raise ValueError(why)
    if head[:4] == b"PK\x03\x04":
        _check_zip(path_or_bytes, name)
        return _unpickle(path_or_bytes, name)
    if head[8:9] == b"{" and head[:1] != b"{":
        return _read_safetensors(path_or_bytes, name, size)
    if head[:1] == b"\x80":
        if name.endswith(".safetensors"):
            raise ValueError(
                f"{name} is a pickle under the name of safetensors: it could run code when "
                f"opened; {_PICKLE_ADVICE}"
            )
        return _unpickle(path_or_bytes, name)
    raise ValueError(f"{name} is neither safetensors nor a file of torch.save; {_ADVICE}")


def _head(path_or_bytes: Path | bytes) -> tuple[bytes, int]:
    if isinstance(path_or_bytes, bytes):
        return path_or_bytes[:16], len(path_or_bytes)
    with path_or_bytes.open("rb") as file:
        return file.read(16), path_or_bytes.stat().st_size


def _read_safetensors(path_or_bytes: Path | bytes, name: str, size: int) -> Weights:
    promised = struct.unpack("<Q", _head(path_or_bytes)[0][:8])[0]
    if promised > size - 8:
        raise ValueError(
            f"{name} is truncated: its header of {promised} bytes does not fit into {size}; "
            "download it again"
        )
    limits.check("header_bytes", promised, f"{name} lists its tensors in")
    _check_listed(path_or_bytes, promised, name)
    try:
        if isinstance(path_or_bytes, bytes):
            weights = Weights(load_safetensors(path_or_bytes), (), name)
            about = json.loads(path_or_bytes[8 : 8 + promised]).get("__metadata__") or {}
        else:
            # The tensors are views of the mapped file: they outlive the handle.
            with safe_open(str(path_or_bytes), framework="pt", device="cpu") as file:
                weights = Weights({k: file.get_tensor(k) for k in file.keys()}, (), name)  # noqa: SIM118
                about = file.metadata() or {}
    except (SafetensorError, ValueError, KeyError, AttributeError) as error:
        raise ValueError(
            f"{name} is no whole safetensors file ({_short(error)}); download it again"
        ) from error
    if (
        isinstance(path_or_bytes, Path)
        and "shrunk" in path_or_bytes.name
        and (path_or_bytes.parent / _WIDTHS).is_file()
    ):
        about = {"widths": (path_or_bytes.parent / _WIDTHS).read_text("utf-8")} | about
    return reopen(weights, about)


def _check_listed(path_or_bytes: Path | bytes, length: int, name: str) -> None:
    """ValueError for a header that lists more tensors than are taken."""
    if isinstance(path_or_bytes, bytes):
        header = path_or_bytes[8 : 8 + length]
    else:
        with path_or_bytes.open("rb") as file:
            header = file.read(8 + length)[8:]
    # Counted, not parsed: no tensor is listed without it, and JSON makes objects of all the rest.
    limits.check("tensors", header.count(b'"data_offsets"'), f"{name} lists")


def _check_zip(path_or_bytes: Path | bytes, name: str) -> None:
    """ValueError for a zip that is cut off, compressed, or something else than torch.save's."""
    try:
        with zipfile.ZipFile(
            io.BytesIO(path_or_bytes) if isinstance(path_or_bytes, bytes) else path_or_bytes
        ) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise ValueError(f"{name} is truncated or damaged; download or save it again") from error
    limits.check("tensors", len(entries), f"{name} holds the values of")
    sizes = [e.file_size for e in entries if Path(e.filename).name == "data.pkl"]
    limits.check("header_bytes", max(sizes, default=0), f"{name} lists its tensors in")
    names = {Path(entry.filename).name for entry in entries}
    if "data.pkl" not in names:
        raise ValueError(f"{name} is a zip without a network's weights in it; {_ADVICE}")
    # torch.save stores and never compresses: a compressed entry may unfold to any size.
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ValueError(f"{name} is compressed, as torch.save never does; {_ADVICE}")


def _unpickle(path_or_bytes: Path | bytes, name: str) -> Weights:
    """What torch.save wrote, by torch's unpickler that knows tensors and containers only."""
    try:
        content = _load(path_or_bytes)
    except pickle.UnpicklingError as error:
        raise ValueError(why_not(path_or_bytes, name)) from error
    # Whatever a damaged pickle makes an unpickler raise, it is the file that is at fault.
    except Exception as error:
        raise ValueError(
            f"{name} is damaged, or no file of torch.save ({_short(error)}); "
            "download or save it again"
        ) from error
    _refuse_quantised(name, [*_keys(content)], {})
    tensors, notes = find_weights(content, name)
    return Weights(tensors, notes, name)


def _keys(content: object, depth: int = 4) -> Iterator[str]:
    """Every name in mappings within mappings, also of what is no tensor."""
    if isinstance(content, Mapping) and depth:
        for key, value in content.items():
            if isinstance(key, str):
                yield key
                yield from _keys(value, depth - 1)


def _refuse_quantised(name: str, keys: list[str], tensors: Mapping[str, Tensor]) -> None:
    scheme = quantisation_of(keys, tensors)
    if scheme is not None:
        raise ValueError(f"{name} is quantised ({scheme[0]!r}: {scheme[1]}): {QUANTISED}")


def _load(path_or_bytes: Path | bytes) -> object:
    if isinstance(path_or_bytes, bytes):
        return torch.load(io.BytesIO(path_or_bytes), map_location="cpu", weights_only=True)
    mapped = zipfile.is_zipfile(path_or_bytes)
    return torch.load(path_or_bytes, map_location="cpu", weights_only=True, mmap=mapped)


def _check(weights: Weights, name: str) -> Weights:
    """With masks put in; ValueError for no tensors, or for one that is no block of numbers."""
    if not weights.tensors:
        raise ValueError(f"{name} holds no tensors; {_ADVICE}")
    limits.check("tensors", len(weights.tensors), f"{name} holds")
    _refuse_quantised(name, [*weights.tensors], weights.tensors)
    for key, tensor in weights.tensors.items():
        if tensor.is_quantized or tensor.layout != torch.strided or tensor.is_meta:
            raise ValueError(
                f"{name}: {key!r} is quantised, sparse or without values; "
                "pruning needs plain tensors, so save the weights before that step "
                "(of a sparse tensor: to_dense())"
            )
        # A stride of zero lets some bytes stand for any number of values.
        if tensor.numel() * tensor.element_size() > max(tensor.untyped_storage().nbytes(), 2**16):
            raise ValueError(
                f"{name}: {key!r} claims {tensor.numel()} values and stores fewer; "
                "save it after .contiguous()"
            )
    return bake(weights)


def _short(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:120].rstrip(".")
