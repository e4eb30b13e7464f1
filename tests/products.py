"""An independent count of multiply-accumulates: own formulas, at the functions of torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_LINEAR = {F.linear: 1, torch.addmm: 2}
_TURNED = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)
_CONVOLUTIONS = (F.conv1d, F.conv2d, F.conv3d, *_TURNED)
_PRODUCTS = (torch.matmul, torch.bmm, Tensor.matmul, Tensor.__matmul__, Tensor.bmm)
_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


class ByHand(TorchFunctionMode):
    """While it is entered, `macs` grows by what each function and recurrent module multiplies."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.macs = 0
        for module in network.modules():
            if isinstance(module, nn.RNNBase):
                module.register_forward_hook(self._recurrent)
            if isinstance(module, nn.RNNCellBase):
                module.register_forward_hook(self._cell)

    def __torch_function__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        given = [*args, *(kwargs or {}).values()]
        if func in _LINEAR:
            weight = given[_LINEAR[func]]
            self.macs += result.numel() // result.shape[-1] * weight.numel()
        elif func in _CONVOLUTIONS:
            over, weight = given[0] if func in _TURNED else result, given[1]
            places = math.prod(over.shape[1 - weight.ndim + 1 :])
            batch = over.shape[0] if over.ndim == weight.ndim else 1
            self.macs += batch * places * weight.numel()
        elif func in _PRODUCTS:
            self.macs += result.numel() * given[0].shape[-1]
        elif func is torch.einsum:
            self.macs += _places(given[0], given[1:])
        elif func is F.scaled_dot_product_attention:
            q, k, v = given[:3]
            scores = math.prod(q.shape[:-1]) * k.shape[-2]
            self.macs += scores * (q.shape[-1] + v.shape[-1])
        elif func is F.multi_head_attention_forward:
            (queries, batch, wide), keys = given[0].shape, given[1].shape[0]
            projections = 2 * queries * wide**2 + 2 * keys * wide**2
            self.macs += batch * (projections + 2 * queries * keys * wide)
        return result

    def _recurrent(self, module: nn.RNNBase, args: Sequence[Tensor], _: object) -> None:
        steps = args[0].numel() // args[0].shape[-1]
        weights = [p for name, p in module.named_parameters() if name.startswith("weight")]
        self.macs += steps * sum(p.numel() for p in weights)

    def _cell(self, module: nn.RNNCellBase, args: Sequence[Tensor], _: object) -> None:
        rows = args[0].numel() // args[0].shape[-1]
        self.macs += rows * (module.weight_ih.numel() + module.weight_hh.numel())


def _places(equation: str, operands: Sequence[Tensor]) -> int:
    """The product of the sizes of all indices of an Einstein sum of two, without "..."."""
    indices = equation.partition("->")[0].replace(" ", "").split(",")
    sizes: dict[str, int] = {}
    for term, operand in zip(indices, operands, strict=True):
        sizes |= dict(zip(term, operand.shape, strict=True))
    return math.prod(sizes.values())


def by_hand(network: nn.Module, answer: Callable[[nn.Module], object]) -> int:
    """Multiply-accumulates of answer(network); `network` is the caller's to lose, hooks stay."""
    with torch.no_grad(), ByHand(network) as counted:
        answer(network)
    return counted.macs
