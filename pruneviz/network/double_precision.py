"""How does a network answer in double precision without a second copy of its weights?"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from pruneviz.network.calling import call_all
from pruneviz.network.replica import replica

_WIDE = {
    **dict.fromkeys((torch.float32, torch.float16, torch.bfloat16), torch.float64),
    **dict.fromkeys((torch.complex64, torch.complex32), torch.complex128),
}


def answer_in_double(
    network: nn.Module,
    inputs: Tensor | Mapping[str, Tensor],
    parameters: Mapping[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    """What `call_all` gives, in float64: weights and inputs as they are, arithmetic in double.

    Where the network's own code minds the mixture, it is copied in double as a whole. Raises what
    torch does where neither works: an operation without double, a device that knows none.
    """
    own = replica(network)
    with torch.inference_mode():
        try:
            with DoublePrecision():  # type: ignore[no-untyped-call]
                return call_all(own, inputs, parameters)
        except Exception:  # a layer may compare dtypes before it begins, as recurrent ones do
            own = copy.deepcopy(own).double()
            widened = {name: _widened(tensor) for name, tensor in (parameters or {}).items()}
            return call_all(own, inputs, widened)


def _widened(tensor: Tensor) -> Tensor:
    return tensor.to(_WIDE.get(tensor.dtype, tensor.dtype))


class DoublePrecision(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is entered, every operation works and answers in double precision.

    Weights are widened one operation at a time, so that beside the network no more of them is
    held than the largest layer takes. What a network writes to a buffer of its own arrives there,
    rounded. Raises what torch does where an operation knows no double.
    """

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the operation on widened tensors; a view of a weight is no arithmetic, and stays."""
        given = dict(kwargs or {})
        tensors = [value for value in tree_leaves((args, given)) if isinstance(value, Tensor)]
        if func.is_view and all(tensor.dtype not in _WIDE.values() for tensor in tensors):
            return func(*args, **given)
        narrow: list[tuple[Tensor, Tensor]] = []

        def widen(value: Any) -> Any:
            if not isinstance(value, Tensor) or value.dtype not in _WIDE:
                return _WIDE.get(value, value) if isinstance(value, torch.dtype) else value
            narrow.append((value, _widened(value)))
            return narrow[-1][1]

        result = func(*tree_map(widen, args), **tree_map(widen, given))
        if func._schema.is_mutable:
            for own, wide in narrow:
                own.copy_(wide)
        return tree_map(widen, result)
