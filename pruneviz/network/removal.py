"""How does a network look without some of its units?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from pruneviz.network.groups import Group, Groups, Skip
from pruneviz.network.replica import replica
from pruneviz.network.stand_ins import PassThrough, Silence

# Attributes of modules that say how wide a parameter is: (attribute, parameter, its dimension).
_SIZES: dict[type[nn.Module], tuple[tuple[str, str, int], ...]] = {
    nn.Linear: (("out_features", "weight", 0), ("in_features", "weight", 1)),
    nn.modules.batchnorm._NormBase: (
        ("num_features", "running_mean", 0),
        ("num_features", "weight", 0),
    ),
    nn.GroupNorm: (("num_channels", "weight", 0),),
    nn.Embedding: (("embedding_dim", "weight", 1),),
    nn.PReLU: (("num_parameters", "weight", 0),),
}
_HEAD_WORDS = ("head", "nhead")
_WIDTHS = ("all_head_size", "split_size", "inner_dim", "embed_dim", "dim")


def remove(model: nn.Module, groups: Groups, kept: Mapping[str, Tensor]) -> nn.Module:
    """A network like `model` without the units that are not kept, in eval mode.

    kept: group -> bool [units]; what is not named stays whole. Class, keys and order of modules
    stay; tensors get smaller, and what modules know of their sizes is brought up to date. The
    modules of a block that is cut are gone; stand-ins pass it by. What is not cut is shared with
    `model`. Nothing is checked here.
    """
    small = replica(model)
    _forget(small)
    cut = {name: line for name, line in kept.items() if not bool(line.all())}
    for name in [name for name in cut if groups.groups[name].skip]:
        _leave_out(small, groups.groups[name].skip)
        del cut[name]
    lines = lines_of(groups, cut)
    holders = _holders(small, lines)
    whole = _holders(small, groups.whole & lines.keys())
    for tensor, dims in lines.items():
        _narrow(small, tensor, dims)
    for path in holders:
        _resize(model.get_submodule(path), small.get_submodule(path), path in whole)
    for name, line in cut.items():
        if groups.groups[name].word == "head":
            _fewer_heads(small, groups.groups[name], line)
    return small


def _leave_out(small: nn.Module, skip: Skip | None) -> None:
    """Put what answers as a block of zeros does in the place of its modules."""
    if skip is not None:
        for path, values in skip.silent.items():
            small.set_submodule(path, Silence(values))
        for path, values in skip.through.items():
            small.set_submodule(path, PassThrough(values))


def lines_of(groups: Groups, cut: Mapping[str, Tensor]) -> dict[str, dict[int, Tensor]]:
    """Tensor -> dimension -> which of its entries stay, for groups -> bool [units], True = kept."""
    lines: dict[str, dict[int, Tensor]] = {}
    for name, kept in cut.items():
        with_stay = torch.cat([kept.cpu(), torch.ones(1, dtype=torch.bool)])
        for place in groups.groups[name].places:
            line = with_stay[place.unit]
            dims = lines.setdefault(place.tensor, {})
            dims[place.dim] = dims[place.dim] & line if place.dim in dims else line
    return lines


def _holders(small: nn.Module, tensors: Iterable[str]) -> list[str]:
    """The modules that hold one of these tensors, under whatever name: tied ones have several."""
    ids = {id(_tensor(small, name)) for name in tensors}
    return [
        path
        for path, module in small.named_modules()
        if any(id(t) in ids for t in [*module.parameters(False), *module.buffers(False)])
    ]


def _forget(small: nn.Module) -> None:
    """What modules have worked out from their parameters, they must work out again."""
    for module in small.modules():
        for name, value in vars(module).items():
            if "cache" in name and isinstance(value, dict):
                value.clear()


def _narrow(small: nn.Module, name: str, dims: Mapping[int, Tensor]) -> None:
    """Cut a tensor under every name that it has."""
    old = _tensor(small, name)
    new = narrow(old.detach(), dims).clone(memory_format=torch.contiguous_format)
    if isinstance(old, nn.Parameter):
        new = nn.Parameter(new, requires_grad=old.requires_grad)
    for module in small.modules():
        stores: tuple[dict[str, Any], ...] = (module._parameters, module._buffers)
        for store in stores:
            for key, value in store.items():
                if value is old:
                    store[key] = new


def narrow(tensor: Tensor, dims: Mapping[int, Tensor]) -> Tensor:
    """The entries of a tensor that stay; dims: dimension -> bool of its length."""
    for dim, line in dims.items():
        tensor = tensor.index_select(dim, line.nonzero().flatten().to(tensor.device))
    return tensor


def _tensor(module: nn.Module, name: str) -> Tensor:
    path, _, last = name.rpartition(".")
    owner = module.get_submodule(path)
    value: Any = owner._parameters.get(last)
    value = owner._buffers[last] if value is None else value
    assert isinstance(value, Tensor)
    return value


def _resize(old: nn.Module, new: nn.Module, whole: bool) -> None:
    """Bring what a module knows of its own size up to date with its parameters."""
    for kind, sizes in _SIZES.items():
        if isinstance(new, kind):
            for attribute, parameter, dim in sizes:
                value = getattr(new, parameter, None)
                if value is not None:
                    setattr(new, attribute, value.shape[dim])
    if isinstance(new, nn.modules.conv._ConvNd):
        assert isinstance(old, nn.modules.conv._ConvNd)
        _resize_convolution(old, new, whole)
    if isinstance(new, nn.GroupNorm) and isinstance(old, nn.GroupNorm):
        new.num_groups = new.num_channels // (old.num_channels // old.num_groups)
    if hasattr(new, "nf") and hasattr(new, "nx"):  # GPT-2's linear layer
        new.nx, new.nf = new.weight.shape  # type: ignore[assignment,misc]


def _resize_convolution(
    old: nn.modules.conv._ConvNd, new: nn.modules.conv._ConvNd, whole: bool
) -> None:
    """whole: it loses whole groups, not the same number from each."""
    first, second = new.weight.shape[:2]  # second: inputs (turned: units) of one group
    if whole:
        new.groups = first // (old.weight.shape[0] // old.groups)
    sizes = (first, second * new.groups)
    new.in_channels, new.out_channels = sizes if new.transposed else sizes[::-1]


def _fewer_heads(small: nn.Module, group: Group, kept: Tensor) -> None:
    """Numbers that a module keeps of its heads: how many there are, and how wide they are all."""
    heads = int(kept.sum())
    for layer in group.layers:
        width = int((group.rows[layer] >= 0).sum())  # of all heads, in all parts of a packed layer
        for module in _around(small, layer):
            for name, value in list(vars(module).items()):
                if type(value) is not int or value % group.units:
                    continue
                wide = value in (width, width // 3) and name in _WIDTHS
                if value == group.units and any(word in name for word in _HEAD_WORDS):
                    setattr(module, name, heads)
                elif wide or name.endswith("attn_dim"):
                    setattr(module, name, heads * (value // group.units))


def _around(model: nn.Module, layer: str) -> Iterator[nn.Module]:
    """The modules that hold a layer, from the inside, that are about attention."""
    path = layer
    for _ in range(2):
        if not path:
            return
        path = path.rpartition(".")[0]
        module = model.get_submodule(path)
        yield module
        if "head" in " ".join(vars(module)):
            return
