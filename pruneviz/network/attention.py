"""What does torch's multi-head attention compute, its four projections taken one by one?"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor

Linear = Callable[[str, Tensor, Tensor, Tensor | None], Tensor]
_SIGNATURE = inspect.signature(F.multi_head_attention_forward)


def arguments(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of torch's multi_head_attention_forward by name, defaults included."""
    bound = _SIGNATURE.bind(*args, **kwargs)
    bound.apply_defaults()
    return dict(bound.arguments)


def is_plain(bound: Mapping[str, Any]) -> bool:
    """Whether `attend` covers these arguments: no extra keys, no keys given from outside."""
    extra = ("bias_k", "bias_v", "static_k", "static_v")
    return not bound["add_zero_attn"] and all(bound[name] is None for name in extra)


def attend(bound: Mapping[str, Any], linear: Linear) -> tuple[Tensor, Tensor | None]:
    """The result of torch's multi_head_attention_forward for `arguments` that are plain.

    linear: called as linear(part, inputs, weight, bias) for the parts "q", "k", "v" and "out".
    """
    parts = _in_weights(bound)
    inputs = {"q": bound["query"], "k": bound["key"], "v": bound["value"]}
    unbatched = inputs["q"].ndim == 2
    if unbatched:
        inputs = {part: value.unsqueeze(1) for part, value in inputs.items()}
    q, k, v = (
        _split(linear(part, inputs[part], *parts[part]), bound["num_heads"]) for part in "qkv"
    )
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    mask = _mask(bound, scores)
    attention = torch.softmax(scores if mask is None else scores + mask, dim=-1)
    attention = F.dropout(attention, bound["dropout_p"], training=bound["training"])
    heads = (attention @ v).permute(2, 0, 1, 3).flatten(2)  # [positions, n, features]
    output = linear("out", heads, bound["out_proj_weight"], bound["out_proj_bias"])
    if unbatched:
        output = output.squeeze(1)
    if not bound["need_weights"]:
        return output, None
    weights = attention.mean(1) if bound["average_attn_weights"] else attention
    return output, weights.squeeze(0) if unbatched else weights


def _in_weights(bound: Mapping[str, Any]) -> dict[str, tuple[Tensor, Tensor | None]]:
    if bound["use_separate_proj_weight"]:
        weights = [bound[f"{part}_proj_weight"] for part in "qkv"]
    else:
        weights = list(bound["in_proj_weight"].chunk(3))
    bias = bound["in_proj_bias"]
    biases = (None, None, None) if bias is None else bias.chunk(3)
    return dict(zip("qkv", zip(weights, biases, strict=True), strict=True))


def _split(values: Tensor, heads: int) -> Tensor:
    # [positions, n, heads × size] -> [n, heads, positions, size]
    return torch.unflatten(values, 2, (heads, -1)).permute(1, 2, 0, 3)


def _mask(bound: Mapping[str, Any], scores: Tensor) -> Tensor | None:
    mask, padding = bound["attn_mask"], bound["key_padding_mask"]
    bias = None
    if mask is not None:
        bias = _additive(mask, scores)
        bias = bias.reshape(scores.shape) if bias.ndim == 3 else bias
    elif bound["is_causal"]:
        ones = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device)
        bias = _additive(ones.triu(1), scores)
    if padding is not None:
        hidden = _additive(padding, scores).reshape(len(scores), 1, 1, -1)
        bias = hidden if bias is None else bias + hidden
    return bias


def _additive(mask: Tensor, scores: Tensor) -> Tensor:
    if mask.dtype != torch.bool:
        return mask.to(scores)
    return torch.zeros(mask.shape).to(scores).masked_fill(mask.to(scores.device), float("-inf"))
