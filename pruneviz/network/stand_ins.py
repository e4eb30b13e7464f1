"""What stands in a network where a block was left out?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class PassThrough(nn.Module):
    """Hands on the first tensor that it is given; values: of a tuple that it must make of it, all
    others None; 0: the tensor alone.

    >>> PassThrough()(torch.ones(2)).tolist()
    [1.0, 1.0]
    """

    def __init__(self, values: int = 0) -> None:
        super().__init__()
        self.values = values

    def forward(self, *args: object, **kwargs: object) -> Tensor | tuple[Tensor | None, ...]:
        return _as_before(_first(args, kwargs), self.values)


class Silence(nn.Module):
    """Zeros like the first tensor that it is given, what a branch adds that is left out; values:
    as of PassThrough.

    >>> Silence()(torch.ones(2)).tolist()
    [0.0, 0.0]
    """

    def __init__(self, values: int = 0) -> None:
        super().__init__()
        self.values = values

    def forward(self, *args: object, **kwargs: object) -> Tensor | tuple[Tensor | None, ...]:
        return _as_before(torch.zeros_like(_first(args, kwargs)), self.values)


def _first(args: tuple[object, ...], kwargs: Mapping[str, object]) -> Tensor:
    return next(value for value in (*args, *kwargs.values()) if isinstance(value, Tensor))


def _as_before(tensor: Tensor, values: int) -> Tensor | tuple[Tensor | None, ...]:
    return (tensor, *[None] * (values - 1)) if values else tensor
