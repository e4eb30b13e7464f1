"""Is attention in four projections what torch's own attention computes?"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pruneviz.network.calls import Call, WeightListener
from pruneviz.network.layers import find_layers

SIZE, HEADS, N, T, S = 8, 2, 3, 4, 5
CAUSAL = nn.Transformer.generate_square_subsequent_mask(T).double()
HIDDEN = torch.zeros(N, S, dtype=torch.bool)
HIDDEN[0, -2:] = True
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "weights of each head": {"average_attn_weights": False},
    "no weights": {"need_weights": False},
    "padding": {"key_padding_mask": HIDDEN},
    "mask of bools": {"attn_mask": torch.eye(T, S, dtype=torch.bool)},
    "mask for each head": {"attn_mask": torch.randn(N * HEADS, T, S).double()},
    "mask and padding": {
        "attn_mask": torch.randn(T, S).double(),
        "key_padding_mask": torch.zeros(N, S).double().masked_fill(HIDDEN, -1e9),
    },
}


def make(**options: Any) -> nn.MultiheadAttention:
    module = nn.MultiheadAttention(SIZE, HEADS, **options).double().eval()
    if module.in_proj_bias is not None:
        nn.init.normal_(module.in_proj_bias)
        nn.init.normal_(module.out_proj.bias)
    return module


def both(module: nn.MultiheadAttention, *given: Tensor, **options: Any) -> list[Call]:
    calls: list[Call] = []
    with WeightListener(find_layers(module), dict(module.named_parameters()), calls.append):
        found = module(*given, **options)
    for one, other in zip(found, module(*given, **options), strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other)
    return calls


def inputs(first: bool) -> tuple[Tensor, Tensor, Tensor]:
    shapes = ((N, T, SIZE), (N, S, SIZE), (N, S, SIZE))
    given = [torch.randn(shape).double() for shape in shapes]
    return tuple(x if first else x.transpose(0, 1) for x in given)  # type: ignore[return-value]


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_it_is_what_torch_computes(case: str, first: bool) -> None:
    calls = both(make(batch_first=first), *inputs(first), **CASES[case])
    assert [call.layer.name for call in calls] == ["q", "k", "v", "out_proj"]
    for call, positions in zip(calls, (T, S, S, T), strict=True):
        assert call.by_sample(call.output, N).shape == (N, positions, SIZE)


def test_a_causal_mask_is_kept() -> None:
    x = torch.randn(N, T, SIZE).double()
    both(make(batch_first=True), x, x, x, attn_mask=CAUSAL, is_causal=True, need_weights=False)


def test_keys_of_other_sizes_have_weights_of_their_own() -> None:
    module = make(kdim=6, vdim=7, batch_first=True)
    q, k, v = (torch.randn(N, T, size).double() for size in (SIZE, 6, 7))
    calls = both(module, q, k, v)
    assert [call.layer.shape for call in calls[:3]] == [(8, 8), (8, 6), (8, 7)]


def test_without_bias_and_without_batch() -> None:
    both(make(bias=False), *(torch.randn(T, SIZE).double() for _ in range(3)))


@pytest.mark.parametrize("options", [{"add_bias_kv": True}, {"add_zero_attn": True}])
def test_what_is_not_covered_is_left_to_torch(options: dict[str, Any]) -> None:
    x = torch.randn(T, N, SIZE).double()
    assert both(make(**options), x, x, x) == []


@pytest.mark.parametrize("first", [True, False])
def test_a_whole_encoder_is_what_torch_computes(first: bool) -> None:
    layer = nn.TransformerEncoderLayer(SIZE, HEADS, 16, batch_first=first)
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).double().eval()
    x = torch.randn(N, T, SIZE).double()
    calls: list[Call] = []
    with (
        torch.inference_mode(),
        WeightListener(find_layers(model), dict(model.named_parameters()), calls.append),
    ):
        found = model(x)
    torch.testing.assert_close(found, model(x))
    assert len(calls) == 12
