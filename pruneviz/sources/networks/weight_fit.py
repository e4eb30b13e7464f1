"""Do these weights fit this network?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import permutations

import torch
from torch import Tensor, nn

from pruneviz.network.replica import first_names, replica
from pruneviz.sources.networks.checkpoint import Weights
from pruneviz.sources.networks.own import narrow

_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "backbone.")
# What wrappers put beside the weights of the network itself.
_COUNTERS = ("n_averaged",)
_SHOWN = 10


def fit(model: nn.Module, weights: Weights) -> tuple[nn.Module, tuple[str, ...]]:
    """A network of `model`'s modules with these weights, and sentences on how they came to fit.

    The tensors are taken as they are (their dtype, their memory), not copied; `model` itself is
    left as it was. Names may carry a wrapper's prefix. Batch norm may miss its
    num_batches_tracked, a tied weight all but one of its names. ValueError lists what does not
    fit: missing, unexpected, of another shape or kind; ten names each and their number.
    """
    if weights.widths is not None:
        model, weights = narrow(model, weights)
    own_tensors = model.state_dict()
    tensors, notes = rename(weights.tensors, set(own_tensors))
    if weights.stored is not None:  # a network with masks of its own takes them as they are
        own = rename(weights.stored, set(own_tensors))
        if len(own[0].keys() & own_tensors.keys()) > len(tensors.keys() & own_tensors.keys()):
            tensors, notes = own
    _refuse_shapes(tensors, own_tensors, weights.name)
    new = replica(model)
    try:
        missing, unexpected = new.load_state_dict(dict(tensors), strict=False, assign=True)
    except RuntimeError as error:
        raise ValueError(
            f"{weights.name} does not load into {type(model).__name__}: "
            f"{str(error).splitlines()[-1].strip()}"
        ) from error
    notes += _tie_again(new, model, set(tensors))
    names = first_names(model)
    stored_names = {names.get(name, name) for name in tensors}
    missing = [
        name
        for name in missing
        if not name.endswith("num_batches_tracked") and names.get(name, name) not in stored_names
    ]
    for counter in {name for name in unexpected if name in _COUNTERS}:
        unexpected.remove(counter)
    refuse(weights.name, type(model).__name__, {"missing": missing, "unexpected": unexpected})
    _fill_counters(new)
    new.requires_grad_(False)
    return new.eval(), (*weights.notes, *notes, *_kinds(new))


def outermost(weights: Weights, name: str) -> Tensor | None:
    """The tensor of that name, whatever prefix all names may carry; None where there is none."""
    keys = [key for key in weights.tensors if key == name or key.endswith(f".{name}")]
    return weights.tensors[min(keys, key=len)] if keys else None


def refuse(name: str, network: str, problems: Mapping[str, Iterable[str]]) -> None:
    """ValueError that lists what does not fit, ten names of each kind and their number."""
    parts = []
    for kind, names in problems.items():
        shown = list(names)
        if shown:
            more = ", …" if len(shown) > _SHOWN else ""
            parts.append(f"{len(shown)} {kind}: {', '.join(shown[:_SHOWN])}{more}")
    if parts:
        raise ValueError(
            f"{name} does not fit {network}: {'; '.join(parts)}. "
            "Name the architecture that these weights were trained with"
        )


def rename(
    tensors_in_file: Mapping[str, Tensor], goal: set[str]
) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors under the network's own names, where taking a prefix off makes more fit."""
    tensors = dict(tensors_in_file)
    removed_prefixes: list[str] = []
    # Two wrappers may lie one in the other, and only without both does any name fit.
    for prefixes in (*((one,) for one in _PREFIXES), *permutations(_PREFIXES, 2)):
        candidate = dict(tensors_in_file)
        for prefix in prefixes:
            candidate = {_strip(name, prefix): tensor for name, tensor in candidate.items()}
        together = len(candidate) < len(tensors_in_file)
        if not together and len(goal & set(candidate)) > len(goal & set(tensors)):
            tensors, removed_prefixes = candidate, list(prefixes)
    return tensors, [
        f"names began with {prefix!r}, which was taken off" for prefix in removed_prefixes
    ]


def _strip(name: str, prefix: str) -> str:
    # torch.compile may wrap a part of a network, and so stand in the middle of a name.
    return name.replace(prefix, "") if prefix == "_orig_mod." else name.removeprefix(prefix)


def _refuse_shapes(tensors: dict[str, Tensor], own: dict[str, Tensor], name: str) -> None:
    shapes, kinds = [], []
    for key, tensor in tensors.items():
        place = own.get(key)
        if not isinstance(place, Tensor) or isinstance(place, nn.UninitializedParameter):
            continue
        if tensor.shape != place.shape:
            shapes.append(f"{key} {_shape(tensor)} in place of {_shape(place)}")
        elif tensor.is_floating_point() != place.is_floating_point():
            kinds.append(f"{key} {_dtype(tensor)} in place of {_dtype(place)}")
    missing = [key for key in own if key not in tensors]
    if shapes or kinds:
        unexpected = [key for key in tensors if key not in own]
        refuse(
            name,
            "this network",
            {
                "of another shape": shapes,
                "of another kind": kinds,
                "missing": missing,
                "unexpected": unexpected,
            },
        )


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "scalar"


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _tie_again(new: nn.Module, model: nn.Module, loaded: set[str]) -> list[str]:
    """Makes weights one again that are one in `model`; they were assigned name by name."""
    notes: list[str] = []
    groups: dict[str, list[str]] = {}
    for name, first in first_names(model).items():
        groups.setdefault(first, []).append(name)
    for names in groups.values():
        here = [name for name in names if name in loaded]
        if len(names) == 1 or not here:
            continue
        value = new.get_parameter(here[0])
        for name in names:
            if name in loaded and not _same(new.get_parameter(name), value):
                notes.append(
                    f"{name} and {here[0]} are one weight in the architecture and two in the "
                    "file: they were kept apart"
                )
                continue
            module, _, leaf = name.rpartition(".")
            setattr(new.get_submodule(module), leaf, value)
    return notes


def _same(one: Tensor, other: Tensor) -> bool:
    return one.data_ptr() == other.data_ptr() or bool(torch.equal(one, other))


def _fill_counters(model: nn.Module) -> None:
    """Gives batch norms that were built without values, and were not in the file, a count."""
    for module in model.modules():
        count = getattr(module, "num_batches_tracked", None)
        if isinstance(count, Tensor) and count.is_meta:
            module.num_batches_tracked = torch.zeros((), dtype=torch.int64)


def _kinds(model: nn.Module) -> tuple[str, ...]:
    dtypes = sorted({_dtype(t) for t in model.parameters() if t.is_floating_point()})
    if dtypes in ([], ["float32"]):
        return ()
    return (f"weights are {' and '.join(dtypes)}, as in the file",)
