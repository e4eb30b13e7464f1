"""Which tensors does a network's answer hold, and what is each of them called?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor, nn
from torch.utils._pytree import tree_flatten

ALONE = "output"  # of a network that answers with a single tensor
_FIELDS = ("logits", "last_hidden_state")
# What a text model hands on to its own next call is no answer.
_CACHES = ("past_key_values", "past_key_value")
_PLAIN = (str, bytes, bytearray, int, float, complex, range, type, nn.Module)


def outputs(result: object) -> dict[str, Tensor]:
    """Every tensor in what a network returned, by its path: "logits", "0", "1.0", "boxes".

    result: a tensor (called "output"), or whatever holds tensors at any depth: sequences, mappings,
    named tuples, data classes, what `torch.utils._pytree` knows, and objects with attributes, as
    libraries have for their outputs. What is no tensor, and a cache, is left out.
    ValueError when there is no tensor in it.
    """
    tensors: dict[str, Tensor] = {}
    for name, tensor in _walk(result, (), frozenset()):
        number, free = 2, name
        while free in tensors:  # {"1": a, 1: b}
            number, free = number + 1, f"{name}_{number}"
        tensors[free] = tensor
    if not tensors:
        raise ValueError(f"the network returned {type(result).__name__}, which holds no tensor")
    return tensors


def main_output(tensors: Mapping[str, Tensor]) -> str:
    """The name of the output that a score is taken from where nobody says which.

    `logits` or `last_hidden_state` if there is one, else the first that holds floats, else the
    first. tensors: as `outputs` gives them.
    """
    for name in _FIELDS:
        if name in tensors:
            return name
    first = next(
        (name for name, t in tensors.items() if t.is_floating_point()), next(iter(tensors))
    )
    head = first.partition(".")[0]
    inner = {name.removeprefix(f"{head}."): t for name, t in tensors.items() if _within(name, head)}
    return f"{head}.{main_output(inner)}" if first != head and inner else first


def named_output(tensors: Mapping[str, Tensor], name: str | None) -> str:
    """`name`, or the main output's where it is None; ValueError lists the names there are."""
    if name is None:
        return main_output(tensors)
    if name not in tensors:
        there = ", ".join(map(repr, tensors))
        raise ValueError(f"the network has no output {name!r}; its outputs are {there}")
    return name


def _within(name: str, head: str) -> bool:
    return name.startswith(f"{head}.")


def _walk(
    value: object, path: tuple[str, ...], around: frozenset[int]
) -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        yield ".".join(path) or ALONE, value
        return
    if value is None or isinstance(value, _PLAIN) or id(value) in around:
        return
    for name, member in _members(value):
        if str(name) not in _CACHES:
            yield from _walk(member, (*path, str(name)), around | {id(value)})


def _members(value: Any) -> Iterable[tuple[object, object]]:
    """What a container holds, each with its name or place."""
    if type(value).__name__.endswith("Cache"):
        return ()
    if isinstance(value, Mapping):
        return value.items()
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return zip(value._fields, value, strict=False)
    if is_dataclass(value):
        return [(field.name, getattr(value, field.name, None)) for field in fields(value)]
    children, _ = tree_flatten(value, is_leaf=lambda part: part is not value)
    if not (len(children) == 1 and children[0] is value):
        return enumerate(children)
    own = [name for name in _attributes(value) if not name.startswith("_")]
    if own or not isinstance(value, Iterable):
        return [(name, getattr(value, name, None)) for name in own]
    return enumerate(value)


def _attributes(value: object) -> list[str]:
    slots = [vars(kind).get("__slots__", ()) for kind in reversed(type(value).__mro__)]
    names_of = [(one,) if isinstance(one, str) else one for one in slots]
    return [*(name for names in names_of for name in names), *getattr(value, "__dict__", ())]
