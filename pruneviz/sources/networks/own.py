"""How do the files that pruneviz wrote become weights again?"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pruneviz.sources.networks.checkpoint import Weights

_NUMBERS = (int, float)
_LIMIT = 2**33  # bytes that a file of bits may unfold to: a network of two billion weights


def reopen(weights: Weights, about: Mapping[str, str]) -> Weights:
    """Weights of a safetensors file, by what pruneviz wrote beside them; others as they are.

    Bits and values become tensors, what a plan has cut is known as cut, and the widths of a
    shrunk network go along. ValueError for a file that does not keep what it promises.
    """
    if "plan" not in about:
        return weights
    if "sparse" in about:
        weights = _unfold(weights, _json(about["sparse"], weights.name))
    if "widths" in about:
        return replace(weights, widths=_json(about["widths"], weights.name))
    floating = {n: t for n, t in weights.tensors.items() if t.is_floating_point() and t.ndim > 1}
    masks = {name: tensor != 0 for name, tensor in floating.items() if not tensor.all()}
    return replace(weights, masks=masks)


def _json(text: str, name: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise _broken(name)
    return values


def _broken(name: str) -> ValueError:
    return ValueError(f"{name} does not hold what its header promises; export it again")


def _unfold(weights: Weights, about: Mapping[str, Any]) -> Weights:
    tensors = dict(weights.tensors)
    try:
        sizes = {name: tuple(map(int, shape)) for name, shape in about["shapes"].items()}
        parts = {name: (tensors.pop(f"{name}.bits"), tensors.pop(f"{name}.values"))
                 for name in sizes}  # fmt: skip
        total = sum(math.prod(sizes[name]) * part[1].itemsize for name, part in parts.items())
        if total > _LIMIT:
            raise ValueError
        for name, (bits, values) in parts.items():
            tensors[name] = _fill(sizes[name], bits, values)
        tied = {str(name): tensors[first] for name, first in about["tied"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError, IndexError) as error:
        raise _broken(weights.name) from error
    return replace(weights, tensors=tensors | tied)


def _fill(shape: tuple[int, ...], bits: Tensor, values: Tensor) -> Tensor:
    """The tensor that is zero but where a bit is set; row by row, first bit highest."""
    size = math.prod(shape)
    if bits.dtype != torch.uint8 or min(shape, default=1) < 0 or -(-size // 8) != bits.numel():
        raise ValueError
    where = torch.from_numpy(np.unpackbits(bits.numpy(), count=size).astype(bool))
    if int(where.count_nonzero()) != values.numel():
        raise ValueError
    tensor = torch.zeros(size, dtype=values.dtype)
    tensor[where] = values
    return tensor.view(shape)


def narrow(model: nn.Module, weights: Weights) -> tuple[nn.Module, Weights]:
    """A copy of `model` with the widths of a shrunk network, and the weights that are left to load.

    Sizes must be those of the tensors in the file, numbers may only become smaller: nothing else
    of a network is changed. ValueError names what belongs to another network.
    """
    assert weights.widths is not None
    tensors, small = dict(weights.tensors), copy.deepcopy(model)
    try:
        for name, shape in weights.widths["shapes"].items():
            _resize(small, name, list(shape["from"]), tensors[name])
        for path, changes in weights.widths["attributes"].items():
            for name, change in changes.items():
                _change(small.get_submodule(path), name, change["from"], change["to"])
        for name in weights.widths["buffers"]:
            path, _, last = name.rpartition(".")
            setattr(small.get_submodule(path), last, tensors.pop(name))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f" ({error})" if type(error) is ValueError else ""
        raise ValueError(
            f"{weights.name} was shrunk from another network than {type(model).__name__}{reason}; "
            "name the architecture that it was before"
        ) from error
    for module in small.modules():  # what was worked out from the old sizes
        for name, value in vars(module).items():
            if "cache" in name and isinstance(value, dict):
                value.clear()
    sizes = (sum(p.numel() for p in network.parameters()) for network in (small, model))
    note = "a shrunk network, rebuilt from what its export wrote: {:,} of {:,} parameters"
    notes = (*weights.notes, note.format(*sizes))
    return small, replace(weights, tensors=tensors, widths=None, notes=notes)


def _resize(network: nn.Module, name: str, before: list[int], tensor: Tensor) -> None:
    path, _, last = name.rpartition(".")
    old = getattr(network.get_submodule(path), last)
    if not isinstance(old, Tensor) or list(old.shape) != before or old.ndim != tensor.ndim:
        raise ValueError(f"{name} is of another shape there")
    new = torch.zeros(tensor.shape, dtype=old.dtype, device=old.device)
    if isinstance(old, nn.Parameter):
        new = nn.Parameter(new, requires_grad=old.requires_grad)
    for module in network.modules():  # under every name that it has
        for own in (module._parameters, module._buffers):
            for key in [key for key, value in own.items() if value is old]:
                setattr(module, key, new)


def _change(module: nn.Module, name: str, before: Any, after: Any) -> None:
    now = vars(module)[name]
    several = isinstance(now, list | tuple)
    pairs = list(zip(now, before, after, strict=True)) if several else [(now, before, after)]
    for here, old, new in pairs:
        plain = type(here) is type(old) is type(new) and type(here) in _NUMBERS
        if not plain or here != old or not 0 <= new <= max(old, 0):
            raise ValueError(f"{name} is {here!r} there")
    setattr(module, name, type(now)(after))
