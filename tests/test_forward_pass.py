"""Does a network meet its inputs, and is the tensor that counts found in what it returns?"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from pruneviz.network.forward_pass import answer_of, call, fit

A, B = torch.ones(2, 3), torch.zeros(2, 3)


@dataclass
class Output:
    """As a library's own class of outputs."""

    last_hidden_state: Tensor
    pooled: Tensor


class Named(nn.Module):
    """Takes its inputs by name."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, values: Tensor, ids: Tensor) -> dict[str, Tensor]:
        return {"hidden": values, "logits": self.fc(values) + ids.sum()}


@pytest.mark.parametrize(
    "result",
    [
        A,
        (A, B),
        [A],
        {"logits": A, "other": B},
        {"other": B, "logits": A},
        OrderedDict(out=A, aux=B),
        Output(A, B),
        (None, {"x": A}),
    ],
)
def test_the_tensor_that_counts_is_found(result: object) -> None:
    assert answer_of(result) is A


@pytest.mark.parametrize("result", [None, 3, "text", (), {"x": None}, [["a"]]])
def test_a_result_without_a_tensor_is_named(result: object) -> None:
    with pytest.raises(ValueError, match=rf"returned {type(result).__name__}, which holds no"):
        answer_of(result)


def test_inputs_are_given_by_name_and_parameters_replaced() -> None:
    network = Named()
    inputs = {"values": A, "ids": torch.tensor([[1, 2], [3, 4]])}
    replaced = {"fc.weight": torch.zeros(2, 3), "fc.bias": torch.tensor([5.0, 6.0])}
    assert call(network, inputs, replaced).tolist() == [[15.0, 16.0]] * 2
    assert network.fc.weight.any(), "the network itself stays as it was"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_floats_take_the_networks_dtype_and_whole_numbers_keep_theirs(dtype: torch.dtype) -> None:
    network = Named().to(dtype)
    found = fit(network, {"values": A, "ids": torch.tensor([1])})
    assert isinstance(found, dict)
    assert (found["values"].dtype, found["ids"].dtype) == (dtype, torch.int64)
    assert call(network, {"values": A, "ids": torch.tensor([1])}).dtype == dtype
    assert fit(Named(), A) is A
