"""How does one process train on one device?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils._pytree import tree_map

from pruneviz.network.device import find_device

T = TypeVar("T")

_HALF = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


class Step(Protocol):
    """What a training step asks of an optimiser."""

    def zero_grad(self) -> None:
        """Forget the gradients."""

    def step(self) -> Any:
        """Move the weights by them."""


class OneDevice:
    """The part of Lightning Fabric that a training on one device needs, with equal numbers; so
    that Fabric is wanted for several alone.

    precision: one of PRECISIONS. ValueError where this machine has no such device.
    """

    world_size, global_rank, is_global_zero = 1, 0, True

    def __init__(self, accelerator: str, precision: str) -> None:
        self.device = find_device(accelerator)
        if precision == "16-mixed" and self.device.type == "cpu":
            raise ValueError("16-mixed needs a GPU; on the CPU train in bf16-mixed or 32-true")
        self._half = _HALF.get(precision)
        scaled = precision == "16-mixed"
        self._scaler = torch.amp.GradScaler(self.device.type) if scaled else None

    def setup_module(self, network: nn.Module) -> nn.Module:
        """The network as it is called while it trains."""
        return (
            network if self._half is None else _HalfPrecision(network, self._half, self.device.type)
        )

    def setup_optimizers(self, optimizer: Optimizer) -> Step:
        """The optimiser as it steps."""
        return optimizer if self._scaler is None else _ScaledStep(optimizer, self._scaler)

    def backward(self, loss: Tensor) -> None:
        """Gradients of the loss, scaled where half precision asks for it."""
        torch.autograd.backward(loss if self._scaler is None else self._scaler.scale(loss))

    def broadcast(self, value: T) -> T:
        """What every process has is what this one has."""
        return value


class _HalfPrecision(nn.Module):
    """A network whose products are done in half precision; float32 goes in and comes out."""

    def __init__(self, network: nn.Module, half: torch.dtype, device: str) -> None:
        super().__init__()
        self._network, self._half, self._device = network, half, device

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = tree_map(_cast(self._half), (args, kwargs))
        with torch.autocast(self._device, dtype=self._half):
            answer = self._network(*args, **kwargs)
        return tree_map(_cast(torch.get_default_dtype()), answer)


class _ScaledStep:
    def __init__(self, optimizer: Optimizer, scaler: torch.amp.GradScaler) -> None:
        self._optimizer, self._scaler = optimizer, scaler

    def zero_grad(self) -> None:
        self._optimizer.zero_grad()

    def step(self) -> None:
        self._scaler.step(self._optimizer)
        self._scaler.update()


def _cast(dtype: torch.dtype) -> Callable[[Any], Any]:
    def cast(value: Any) -> Any:
        floats = isinstance(value, Tensor) and value.is_floating_point()
        return value.to(dtype) if floats else value

    return cast
