"""Which masks does a checkpoint hold beside its weights?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize, prune

from pruneviz.network.replica import apply_masks, state
from pruneviz.sources.networks.checkpoint import Weights

_PARAMETRISED = re.compile(r"(?P<path>.*?)parametrizations\.(?P<leaf>\w+)\.(\d+)\.mask")
_SHOWN = 3


def bake(weights: Weights) -> Weights:
    """The same weights with the masks of the file in them, under their plain names.

    Masks are those of torch.nn.utils.prune (NAME_orig, NAME_mask), of torch's own sparsifiers
    (parametrizations.NAME.original and .mask), and tensors NAME_mask, or `mask` beside a
    `weight`, of the weight's shape that hold nothing but 0 and 1. Where every tensor is a bool
    there are masks alone. `stored` keeps what the file holds, for a network that has masks too.
    """
    tensors, masks = dict(weights.tensors), dict(weights.masks)
    if tensors and all(t.dtype == torch.bool for t in tensors.values()):
        masks = {name.removesuffix("_mask"): mask for name, mask in tensors.items()}
        return replace(weights, tensors={}, masks=masks)
    for key, mask in weights.tensors.items():
        for name, whole in _places(key):
            value = tensors.get(whole)
            if value is not None and _is_mask(mask, value, strict=name == whole):
                del tensors[whole], tensors[key]
                kept = mask != 0
                soft = value if mask.dtype == torch.bool else value * mask
                tensors[name] = torch.where(kept, soft, torch.zeros((), dtype=soft.dtype))
                masks[name] = kept
                break
    if not masks or masks == weights.masks:
        return weights
    return replace(weights, tensors=tensors, masks=masks, stored=weights.tensors)


def lay(model: nn.Module, weights: Weights) -> Weights:
    """The state of `model` under masks that came alone; ValueError where they do not fit it."""
    own = state(model)
    masks, wrong = {}, []
    for name, mask in weights.masks.items():
        key = name if name in own else f"{name}.weight"
        if key in own and own[key].shape == mask.shape:
            masks[key] = mask
        else:
            wrong.append(name)
    if wrong:
        raise ValueError(
            f"{weights.name} holds masks alone, and {len(wrong)} of {len(weights.masks)} have no "
            f"place in {type(model).__name__}: {', '.join(wrong[:10])}; name the architecture "
            "they were made for"
        )
    own_tensors = {name: own[name] for name in model.state_dict() if name in own}
    return replace(weights, tensors=own_tensors | apply_masks(own, masks), masks=masks)


def masks_in(model: nn.Module) -> dict[str, Tensor]:
    """The masks that lie on the weights of a network in hand, by name; True = kept."""
    masks = {}
    for path, module in model.named_modules():
        at = f"{path}." if path else ""
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, prune.BasePruningMethod):
                mask = getattr(module, f"{hook._tensor_name}_mask")
                masks[f"{at}{hook._tensor_name}"] = mask.detach() != 0
        if parametrize.is_parametrized(module):
            for leaf, steps in module.parametrizations.items():
                for step in steps:
                    mask = getattr(step, "mask", None)
                    if isinstance(mask, Tensor) and mask.shape == steps.original.shape:
                        masks[f"{at}{leaf}"] = mask.detach() != 0
    return masks


def masks_on(model: nn.Module, weights: Weights) -> dict[str, Tensor]:
    """The masks of a file under the names that its weights have in the network."""
    place = {t.data_ptr(): n for n, t in weights.tensors.items() if n in weights.masks}
    masks = {}
    for name, tensor in state(model).items():
        # A network takes the file's memory as it is, whatever it calls it; else by its name.
        mask = weights.masks.get(place.get(tensor.data_ptr(), name))
        # One that has masks of its own may have taken the weights as they were stored.
        if mask is not None and mask.shape == tensor.shape and not tensor[~mask].any():
            masks[name] = mask
    return masks


def words(masks: Mapping[str, Tensor]) -> tuple[str, ...]:
    """The note on weights that came with masks."""
    if not masks:
        return ()
    parts = [f"{name} {1 - _share(mask):.1%} cut" for name, mask in masks.items()]
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return (
        f"it came pruned ({', '.join(parts[:_SHOWN])}{more}): what its masks cut is zero here, in "
        "the dense network too, and the plan begins with it",
    )


def _share(mask: Tensor) -> float:
    return int(mask.count_nonzero()) / max(mask.numel(), 1)


def _places(key: str) -> list[tuple[str, str]]:
    """(the weight's plain name, the key it may be stored under) for what may be a mask's key."""
    places = []
    if key.endswith("_mask"):
        name = key.removesuffix("_mask")
        places = [(name, f"{name}_orig"), (name, name)]
    elif match := _PARAMETRISED.fullmatch(key):
        path, leaf = match["path"], match["leaf"]
        places = [(f"{path}{leaf}", f"{path}parametrizations.{leaf}.original")]
    elif key == "mask" or key.endswith(".mask"):
        name = f"{key.removesuffix('mask')}weight"
        places = [(name, f"{name}_orig"), (name, name)]
    return places


def _is_mask(mask: Tensor, value: Tensor, *, strict: bool) -> bool:
    if mask.shape != value.shape or not value.is_floating_point() or mask.ndim == 0:
        return False
    return not strict or mask.dtype == torch.bool or bool(((mask == 0) | (mask == 1)).all())
