"""How is a file of bitmasks and values read where pruneviz is not?"""

# from sparse_reader import read
# network.load_state_dict(read("sparse.safetensors"))

import json
from math import prod
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor


def read(path: str | Path) -> dict[str, Tensor]:
    """The state dict in the file: one bit an entry says where its values stand, row by row."""
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["sparse"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    for name, shape in about["shapes"].items():
        bits, values = tensors.pop(f"{name}.bits"), tensors.pop(f"{name}.values")
        where = np.unpackbits(bits.numpy(), count=prod(shape)).astype(bool)
        tensors[name] = torch.zeros(shape, dtype=values.dtype)
        tensors[name].view(-1)[torch.from_numpy(where)] = values
    return tensors | {name: tensors[first] for name, first in about["tied"].items()}
