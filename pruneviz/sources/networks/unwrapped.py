"""What stands between a network as it came and its plain weights?"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from torch import Tensor, nn
from torch.nn.utils import parametrize, prune, remove_spectral_norm, remove_weight_norm
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from pruneviz.sources import Source
from pruneviz.sources.networks.masked import masks_in, words

_WRAPPERS = {
    "OptimizedModule": ("_orig_mod", "torch.compile"),
    "DataParallel": ("module", "DataParallel"),
    "DistributedDataParallel": ("module", "DistributedDataParallel"),
}


def plain(source: Source) -> Source:
    """The source with plain weights, what was in between said, and its masks remembered."""
    masks = masks_in(source.model)
    model, notes = unwrap(source.model)
    new_masks = {name: mask for name, mask in masks.items() if name not in source.masks}
    return replace(
        source,
        model=model,
        notes=(*source.notes, *notes, *words(new_masks)),
        masks={**source.masks, **new_masks},
    )


def unwrap(model: nn.Module) -> tuple[nn.Module, tuple[str, ...]]:
    """The network with plain weights, and sentences on what was in between.

    Wrappers (torch.compile, DataParallel) are taken off. Weights that are computed from others
    (parametrisations, weight and spectral norm, masks of torch.nn.utils.prune) are computed once,
    in a copy: the network given is never written to. Where there are none it comes back itself.
    """
    notes: list[str] = []
    while (wrapper := _WRAPPERS.get(type(model).__name__)) and hasattr(model, wrapper[0]):
        model = getattr(model, wrapper[0])
        notes.append(f"the network inside {wrapper[1]} is pruned, not the wrapper")
    names = [name or "the network" for name, module in model.named_modules() if _ways(module)]
    if not names:
        return model, tuple(notes)
    network = copy.deepcopy(model, _copies(model))
    for module in network.modules():
        for make_plain in _ways(module):
            make_plain()
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    notes.append(
        f"weights of {', '.join(names[:3])}{more} are computed from others (parametrised, "
        "normalised or masked): they were computed once and are plain weights here and in exports"
    )
    return network, tuple(notes)


def _ways(module: nn.Module) -> list[Callable[[], object]]:
    ways: list[Callable[[], object]] = []
    if parametrize.is_parametrized(module):
        ways.append(partial(_bake, module))
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm):
            ways.append(partial(remove_weight_norm, module, hook.name))
        elif isinstance(hook, SpectralNorm):
            ways.append(partial(remove_spectral_norm, module, hook.name))
        elif isinstance(hook, prune.BasePruningMethod):
            ways.append(partial(prune.remove, module, hook._tensor_name))
    return ways


def _bake(module: nn.Module) -> None:
    # torch's remove_parametrizations takes the property off the class, which the copy shares
    # with the network it was copied from.
    names = list(module.parametrizations)  # type: ignore[arg-type]
    values = {name: getattr(module, name).detach().clone() for name in names}
    del module.parametrizations
    module.__class__ = type(module).__bases__[0]
    for name, value in values.items():
        module.register_parameter(name, nn.Parameter(value))


def _copies(model: nn.Module) -> dict[int, Tensor]:
    # Tensors that hang on modules without being parameters cannot be copied while autograd
    # knows how they were made.
    return {id(t): t.detach().clone() for t in _loose(model)}


def _loose(model: nn.Module) -> Iterator[Tensor]:
    for module in model.modules():
        for value in vars(module).values():
            if isinstance(value, Tensor) and value.grad_fn is not None:
                yield value
