"""Whatever networks answer in: containers of two tensors, and a network for each."""

from __future__ import annotations

from collections import OrderedDict, UserDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

Pair = tuple[str, str]  # the names of the first and the second tensor


class Named(NamedTuple):
    """A named tuple."""

    scores: Tensor
    boxes: Tensor


@dataclass
class Record:
    """A data class, with a member that holds nothing."""

    scores: Tensor
    boxes: Tensor
    loss: Tensor | None = None


class Slots:
    """A class of its own that says which attributes it has."""

    __slots__ = ("first", "second")

    def __init__(self, first: Tensor, second: Tensor) -> None:
        self.first, self.second = first, second


class Pile(UserDict[str, Tensor]):
    """A mapping that is no dict."""


class KeyCache:
    """What a text model would be given again; no answer."""

    def __init__(self, kept: Tensor) -> None:
        self.kept = kept


CONTAINERS: Mapping[str, tuple[Callable[[Tensor, Tensor], Any], Pair]] = {
    "tuple": (lambda a, b: (a, b), ("0", "1")),
    "list": (lambda a, b: [a, b], ("0", "1")),
    "deque": (lambda a, b: deque([a, b]), ("0", "1")),
    "dict": (lambda a, b: {"scores": a, "boxes": b}, ("scores", "boxes")),
    "dict by number": (lambda a, b: {0: a, 1: b}, ("0", "1")),
    "OrderedDict": (lambda a, b: OrderedDict(scores=a, boxes=b), ("scores", "boxes")),
    "own mapping": (lambda a, b: Pile(scores=a, boxes=b), ("scores", "boxes")),
    "NamedTuple": (Named, ("scores", "boxes")),
    "dataclass": (Record, ("scores", "boxes")),
    "slots": (Slots, ("first", "second")),
    "namespace": (lambda a, b: SimpleNamespace(scores=a, boxes=b), ("scores", "boxes")),
    "logits last": (lambda a, b: {"boxes": b, "logits": a}, ("logits", "boxes")),
    "nested": (lambda a, b: (a, [b]), ("0", "1.0")),
    "deep": (lambda a, b: {"out": Record(a, b)}, ("out.scores", "out.boxes")),
    "with others": (lambda a, b: (None, a, "text", 3, {"x": b}), ("1", "4.x")),
    "with a cache": (
        lambda a, b: {"scores": a, "boxes": b, "past_key_values": ((a,),), "c": KeyCache(b)},
        ("scores", "boxes"),
    ),
}


class Heads(nn.Module):
    """Two heads on one body; make: what it answers in."""

    def __init__(self, make: Callable[[Tensor, Tensor], Any], inputs: int = 8) -> None:
        super().__init__()
        self.make = make
        self.body = nn.Linear(inputs, 32)
        self.scores, self.boxes = nn.Linear(32, 5), nn.Linear(32, 4)

    def forward(self, x: Tensor) -> Any:
        features = self.body(x).relu()
        return self.make(self.scores(features), self.boxes(features))


class Inner(nn.Module):
    """A head, and the features that it is made of."""

    def __init__(self, make: Callable[[Tensor, Tensor], Any]) -> None:
        super().__init__()
        self.make = make
        self.first, self.second, self.head = nn.Linear(8, 32), nn.Linear(32, 16), nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Any:
        features = self.second(self.first(x).relu())
        return self.make(self.head(features.relu()), features)


def heads(container: str) -> tuple[Heads, Pair]:
    """The network with two heads that answers in a container, and its outputs' names."""
    make, names = CONTAINERS[container]
    torch.manual_seed(0)
    return Heads(make).eval(), names


def inner(container: str) -> tuple[Inner, Pair]:
    """The network that answers with its features as well, and its outputs' names."""
    make, names = CONTAINERS[container]
    torch.manual_seed(0)
    return Inner(make).eval(), names
