"""How is a file of bitmasks and values read where pruneviz is not?"""

# from sparse_reader import read
# network.load_state_dict(read("sparse.safetensors"))

import json
from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor


def read(path: str | Path) -> dict[str, Tensor]:
    """The state dict in the file, tied tensors under each of their names."""
    with safe_open(path, "pt") as file:
        tied = json.loads(file.metadata()["sparse"])["tied"]
    tensors = dict(each(path))
    return tensors | {name: tensors[first] for name, first in tied.items()}


def each(path: str | Path) -> Iterator[tuple[str, Tensor]]:
    """Name and tensor, one after the other: one bit an entry says where its values stand."""
    with safe_open(path, "pt") as file:
        shapes = json.loads(file.metadata()["sparse"])["shapes"]
        names = list(file.keys())
    for name, shape in shapes.items():
        yield name, decode(_get(path, f"{name}.bits"), _get(path, f"{name}.values"), shape)
    parts = {f"{name}.{part}" for name in shapes for part in ("bits", "values")}
    for name in names:
        if name not in parts:
            yield name, _get(path, name)


def decode(bits: Tensor, values: Tensor, shape: list[int]) -> Tensor:
    """The tensor of this shape that has these values where a bit is set, and zeros elsewhere."""
    where = np.unpackbits(bits.numpy(), count=prod(shape)).view(bool)
    tensor = torch.zeros(shape, dtype=values.dtype)
    tensor.view(-1).masked_scatter_(torch.from_numpy(where), values)
    return tensor


def _get(path: str | Path, name: str) -> Tensor:
    # Opened for each: what was read of a mapped file takes memory until it is closed.
    with safe_open(path, "pt") as file:
        tensor: Tensor = file.get_tensor(name)
        return tensor
