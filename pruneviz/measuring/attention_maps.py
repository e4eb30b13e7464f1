"""Where does each attention head of a layer look?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from pruneviz.data import Inputs
from pruneviz.network.attention import arguments, attend, is_plain
from pruneviz.network.forward_pass import at_work
from pruneviz.network.forward_pass import call as answer
from pruneviz.network.replica import replica

_SOFTMAX = (torch.softmax, F.softmax, Tensor.softmax)
_MAP_DIMS = 4  # [n, heads, queries, keys]


def attention_maps(
    model: nn.Module, changed: Mapping[str, Tensor], layer: str, sample: Inputs
) -> Tensor:
    """How much each head of the attention around `layer` looks at which position, for one sample
    [1, ...]: [heads, queries, keys], rows that add up to 1.

    changed: what takes the place of the network's own tensors, by name. Heard are torch's
    scaled_dot_product_attention, nn.MultiheadAttention, and a softmax over [n, heads, queries,
    keys]. ValueError where the layer stands in no module that attends.
    """
    network = replica(model)
    listener = _Listener()
    for path, module in network.named_modules():
        module.register_forward_pre_hook(listener.enter(path))
        module.register_forward_hook(listener.leave, always_call=True)
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # it computes all at once, out of sight
    try:
        with torch.inference_mode(), listener, at_work(f"attention maps of {layer!r}"):
            answer(network, sample, changed)
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
    around = [path for path in listener.maps if _is_inside(layer, path)]
    if not around:
        raise ValueError(f"layer {layer!r} stands in no attention whose heads can be heard")
    return listener.maps[max(around, key=len)]


def _is_inside(layer: str, path: str) -> bool:
    """Whether a layer is that module or in it, or in one beside it that attends for it, too."""
    if layer == path or layer.startswith(f"{path}."):
        return bool(path)
    # BERT's output projection stands beside the module that attends.
    outer = path.rpartition(".")[0]
    return layer.startswith(f"{outer}.") and path.endswith(".self") if outer else False


class _Listener(TorchFunctionMode):
    """Keeps the first map of each module that attends, by its path."""

    def __init__(self) -> None:
        super().__init__()
        self.maps: dict[str, Tensor] = {}
        self._paths: list[str] = []

    def enter(self, path: str) -> Callable[[nn.Module, Any], None]:
        """A hook that says that a module begins."""

        def hook(module: nn.Module, args: Any) -> None:
            self._paths.append(path)

        return hook

    def leave(self, module: nn.Module, args: Any, output: Any) -> None:
        """A hook that says that it ends."""
        self._paths.pop()

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """What torch calls in place of every function of its own."""
        kwargs = kwargs or {}
        here = self._paths[-1] if self._paths else ""
        result = func(*args, **kwargs)
        if here not in self.maps:
            found = None
            if func is F.scaled_dot_product_attention:
                found = _weights(*args, **kwargs)
            elif func is F.multi_head_attention_forward:
                found = _packed_weights(arguments(args, kwargs))
            elif func in _SOFTMAX and isinstance(result, Tensor):
                found = result if result.ndim == _MAP_DIMS else None
            if found is not None and found.ndim == _MAP_DIMS:
                self.maps[here] = found[0].detach().clone()
        return result


def _weights(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(q kᵀ · scale + mask), as torch documents scaled_dot_product_attention."""
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
    scores = query @ key.transpose(-2, -1) * (query.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        ones = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device)
        scores = scores.masked_fill(~ones.tril(), -torch.inf)
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, -torch.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    return scores.softmax(-1)


def _packed_weights(bound: Mapping[str, Any]) -> Tensor | None:
    """Of nn.MultiheadAttention; None for keys that are given from outside."""
    if not is_plain(bound) or bound["query"].ndim == 2:
        return None
    asked = {**bound, "need_weights": True, "average_attn_weights": False}
    return attend(asked, lambda part, inputs, weight, bias: F.linear(inputs, weight, bias))[1]
