"""How does a network answer in double precision without a second copy of its weights?"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from pruneviz.network.forward_pass import call_all
from pruneviz.network.replica import replica

_WIDE = {
    **dict.fromkeys((torch.float32, torch.float16, torch.bfloat16), torch.float64),
    **dict.fromkeys((torch.complex64, torch.complex32), torch.complex128),
}
_ATEN = torch.ops.aten
# Products whose weight may be large: operation -> (place of the weight, dimension of its units).
_WEIGHT_OF_PRODUCT: dict[Any, tuple[int, int]] = {
    _ATEN.linear.default: (1, 0),
    _ATEN.mm.default: (1, 1),
    _ATEN.addmm.default: (2, 1),
}
_BLOCK = 2**22  # entries of a weight that are widened at a time


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
            widened = {name: _widen(tensor) for name, tensor in (parameters or {}).items()}
            return call_all(own, inputs, widened)


def _in_blocks(args: tuple[Any, ...], place: int, dim: int) -> Iterator[tuple[Any, ...]]:
    """The arguments of a product, a block of units after the other.

    place: of the weight among them. dim: of the weight along which its units stand.
    """
    weight = args[place]
    step = max(1, _BLOCK * weight.shape[dim] // max(1, weight.numel()))
    for start in range(0, weight.shape[dim], step):
        part = list(args)
        part[place] = weight.narrow(dim, start, min(step, weight.shape[dim] - start))
        for at, value in enumerate(args):
            if isinstance(value, Tensor) and value.shape == (weight.shape[dim],) and at != place:
                part[at] = value[start : start + step]  # the bias
        yield tuple(part)


def _side_by_side(func: Any, parts: Sequence[tuple[Any, ...]], units: int) -> Tensor:
    """The answers of a product to its parts, each written into its place as it comes."""
    result: Tensor | None = None
    start = 0
    for part in parts:
        answer: Tensor = func(*(_wide(value) for value in part))
        if result is None:
            result = answer.new_empty((*answer.shape[:-1], units))
        result[..., start : start + answer.shape[-1]] = answer
        start += answer.shape[-1]
    assert result is not None
    return result


def _wide(value: Any) -> Any:
    return _widen(value) if isinstance(value, Tensor) else value


def _widen(tensor: Tensor) -> Tensor:
    return tensor.to(_WIDE.get(tensor.dtype, tensor.dtype))


class DoublePrecision(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is entered, every operation works and answers in double precision.

    Weights are widened one operation at a time, those of products and embeddings a block at a
    time, so that beside the network little of them is held. What a network writes to a buffer of
    its own arrives there, rounded. Raises what torch does where an operation knows no double.
    """

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the operation on widened tensors; a view of a weight is no arithmetic, and stays."""
        options = dict(kwargs or {})
        tensors = [value for value in tree_leaves((args, options)) if isinstance(value, Tensor)]
        if func.is_view and all(tensor.dtype not in _WIDE.values() for tensor in tensors):
            return func(*args, **options)
        if func is _ATEN.embedding.default:
            return _widen(func(*args, **options))  # it only picks rows: no arithmetic
        if func in _WEIGHT_OF_PRODUCT and not options:
            place, dim = _WEIGHT_OF_PRODUCT[func]
            parts = list(_in_blocks(args, place, dim))
            if len(parts) > 1:
                return _side_by_side(func, parts, args[place].shape[dim])
        narrow: list[tuple[Tensor, Tensor]] = []

        def widen(value: Any) -> Any:
            if not isinstance(value, Tensor) or value.dtype not in _WIDE:
                return _WIDE.get(value, value) if isinstance(value, torch.dtype) else value
            narrow.append((value, _widen(value)))
            return narrow[-1][1]

        result = func(*tree_map(widen, args), **tree_map(widen, options))
        if func._schema.is_mutable:
            for own, wide in narrow:
                own.copy_(wide)
        return tree_map(widen, result)
