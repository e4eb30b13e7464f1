"""How does one network serve many at once without ever being written to?"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import inspect
from collections.abc import Mapping

import torch
from torch import Tensor, nn


def replica(model: nn.Module) -> nn.Module:
    """A copy of the modules of `model` in eval mode that shares every parameter with it.

    Buffers are copied: a network may write to them while it answers.

    `torch.func.functional_call` swaps parameters inside the module it is given, so two threads
    must not share one: each call gets a replica, which costs no memory worth naming.
    """
    shared = {id(parameter): parameter for parameter in model.parameters()}
    return copy.deepcopy(model, dict(shared)).eval()


def overlaid(model: nn.Module, tensors: Mapping[str, Tensor]) -> nn.Module:
    """A replica in which these parameters and buffers stand in for the network's own.

    tensors: by any of the names that what they replace has. The rest is shared with `model`, so
    that what comes back is not to be written to.
    """
    memo: dict[int, object] = {id(parameter): parameter for parameter in model.parameters()}
    for name, tensor in tensors.items():
        path, _, last = name.rpartition(".")
        own = getattr(model.get_submodule(path), last)
        stand_in = nn.Parameter(tensor, requires_grad=False) if id(own) in memo else tensor
        memo[id(own)] = stand_in
    return copy.deepcopy(model, memo).eval()


def state(model: nn.Module) -> dict[str, Tensor]:
    """Every parameter and buffer by name, detached, tied ones under each of their names."""
    tensors = dict(model.named_parameters(remove_duplicate=False))
    tensors |= dict(model.named_buffers(remove_duplicate=False))  # type: ignore[arg-type]
    return {name: tensor.detach() for name, tensor in tensors.items()}


def first_names(model: nn.Module) -> dict[str, str]:
    """Every name of a parameter -> its first name; they differ where a parameter is tied."""
    first: dict[int, str] = {}
    return {
        name: first.setdefault(id(value), name)
        for name, value in model.named_parameters(remove_duplicate=False)
    }


def leaves(model: nn.Module) -> dict[str, Tensor]:
    """Every parameter under its first name, as a leaf that asks for gradients; memory is shared."""
    return {
        name: parameter.detach().requires_grad_(parameter.is_floating_point())
        for name, parameter in model.named_parameters()
    }


def apply_masks(parameters: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The parameters that a mask changes, zero where it is False; a new tensor for each.

    masks: parameter name -> bool of the parameter's shape, True = kept.
    """
    # Not multiplied: that leaves negative zeros, which make files larger, and keeps NaN.
    return {n: parameters[n].masked_fill(~m, 0) for n, m in masks.items() if not bool(m.all())}


def fingerprint(model: nn.Module) -> str:
    """The first 12 hex digits of the SHA-256 of all parameters and buffers, by name."""
    digest = hashlib.sha256()
    for name, tensor in sorted(state(model).items()):
        digest.update(name.encode())
        digest.update(content(tensor))
    return digest.hexdigest()[:12]


def content(tensor: Tensor) -> memoryview:
    """The bytes of a tensor's numbers, in order."""
    flat = tensor.detach().contiguous().cpu().reshape(-1)
    return flat.view(torch.uint8).numpy().data


def code_fingerprint(model: nn.Module) -> str:
    """The first 12 hex digits of the SHA-256 of the source of every class of module in `model`.

    Torch's own count by their name alone, as classes do whose source cannot be read.
    """
    digest = hashlib.sha256()
    for kind in sorted({type(module) for module in model.modules()}, key=_full_name):
        digest.update(_full_name(kind).encode())
        if not kind.__module__.startswith("torch."):
            with contextlib.suppress(OSError, TypeError):
                digest.update(inspect.getsource(kind).encode())
    return digest.hexdigest()[:12]


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
