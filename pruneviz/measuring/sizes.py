"""How many bytes does a network take, in a file and in the encodings that know of zeros?"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from pruneviz.progress import ShareDone, silent_share

_LEVEL = 6  # of deflate: what zip and gzip do unless they are told otherwise
_PIECE = 2**22
_ENTRIES = 2**20  # of a tensor that are encoded at a time; whole bytes of bits
_SMALL = 2**31

Encoding = Callable[[Tensor], dict[str, Tensor]]


@dataclass(frozen=True)
class FileSize:
    """bytes: of the whole file. dense: how many of its tensors stayed as they were, being no
    larger so; tensors: of how many.
    """

    bytes: int
    dense: int
    tensors: int


def file_tensors(network: nn.Module) -> dict[str, Tensor]:
    """What a file of the network holds: its state dict by name, tied tensors once.

    Zeros have no sign here: a mask leaves -0.0 where a weight was negative, a bit for each zero
    that nothing reads and no archive could fold away.
    """
    twice, tensors = ties(network), {}
    for name, tensor in network.state_dict().items():
        if not isinstance(tensor, Tensor) or name in twice:
            continue
        tensor = tensor.detach().cpu()
        tensors[name] = (
            tensor + 0.0 if tensor.is_floating_point() else tensor.clone()
        ).contiguous()
    return tensors


def ties(network: nn.Module) -> dict[str, str]:
    """Names in the state dict of what stands in it already -> its first name there."""
    first_names: dict[str, str] = {}
    names: dict[object, str] = {}
    for name, tensor in network.state_dict().items():
        if isinstance(tensor, Tensor) and tensor.numel():
            where = (tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype)
            if names.setdefault(where, name) != name:
                first_names[name] = names[where]
    return first_names


def file_bytes(tensors: Mapping[str, Tensor]) -> int:
    """Bytes of a safetensors file: the tensors one after the other, behind a header."""
    return len(save(dict(tensors)))


def zipped_bytes(tensors: Mapping[str, Tensor], progress: ShareDone = silent_share) -> int:
    """Bytes of the same file after deflate at level 6, which zip and gzip use by default.

    progress: called with the fraction done; it may raise to stop.
    """
    content, packer, total = memoryview(save(dict(tensors))), zlib.compressobj(_LEVEL), 0
    for start in range(0, len(content), _PIECE):
        progress(start / len(content))
        total += len(packer.compress(content[start : start + _PIECE]))
    return total + len(packer.flush())


def encoded_bytes(tensors: Mapping[str, Tensor], encoding: Encoding) -> FileSize:
    """Bytes of a safetensors file in which each tensor is encoded, where that makes it smaller."""
    parts, dense = encode(tensors, encoding)
    return FileSize(file_bytes(parts), len(dense), len(tensors))


def encode(
    tensors: Mapping[str, Tensor], encoding: Encoding
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Each tensor as the parts of its encoding (NAME.PART) where these are smaller, else itself.

    Also tells which stayed themselves.
    """
    parts: dict[str, Tensor] = {}
    dense = []
    for name, tensor in tensors.items():
        encoding_parts = encoding(tensor)
        if sum(part.nbytes for part in encoding_parts.values()) < tensor.nbytes:
            parts |= {f"{name}.{part}": value for part, value in encoding_parts.items()}
        else:
            parts[name] = tensor
            dense.append(name)
    return parts, tuple(dense)


def as_bitmask(tensor: Tensor) -> dict[str, Tensor]:
    """One bit an entry, set where it is not zero (row by row, first bit highest); the values."""
    blocks = torch.split(tensor.reshape(-1), _ENTRIES)
    bits = [np.packbits((block != 0).numpy()) for block in blocks]
    counts = [int((block != 0).sum()) for block in blocks]
    values = tensor.new_empty(sum(counts))
    for block, place in zip(blocks, torch.split(values, counts), strict=True):
        place.copy_(block[block != 0])
    return {"bits": torch.from_numpy(np.concatenate(bits)), "values": values}


def as_csr(tensor: Tensor) -> dict[str, Tensor]:
    """Compressed sparse rows of the tensor as [first dimension, all others].

    values, the column of each (32 bits), and where each row begins and the last ends (32 bits,
    64 where there are more than 2³¹ values).
    """
    table = tensor.flatten(1) if tensor.ndim > 1 else tensor.reshape(1, -1)
    present = table != 0
    ends = present.count_nonzero(1).cumsum(0)
    rows = torch.cat([ends.new_zeros(1), ends])
    counts = int(ends[-1]) if len(ends) else 0
    return {
        "values": table[present],
        "columns": present.nonzero()[:, 1].int(),
        "rows": rows.int() if counts < _SMALL else rows,
    }
