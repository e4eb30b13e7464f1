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
        for name, shape in shapes.items():
            bits, values = file.get_tensor(f"{name}.bits"), file.get_tensor(f"{name}.values")
            where = np.unpackbits(bits.numpy(), count=prod(shape)).astype(bool)
            tensor = torch.zeros(shape, dtype=values.dtype)
            tensor.view(-1)[torch.from_numpy(where)] = values
            yield name, tensor
        parts = {f"{name}.{part}" for name in shapes for part in ("bits", "values")}
        for name in file.keys():  # noqa: SIM118
            if name not in parts:
                yield name, file.get_tensor(name)
