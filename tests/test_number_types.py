"""Do inputs keep the number type they were given in, where the network takes it?"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pruneviz.plan import Plan
from pruneviz.workbench.opening import open_workbench
from tests.cases import slow_but

N = 30
Y = torch.arange(N) % 3


class Masked(nn.Module):
    """Where a mask of truth values is False, nothing is seen; it refuses any other mask."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.out = nn.Linear(4, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        if mask.dtype != torch.bool:
            raise TypeError("mask must be bool")
        return self.out(self.fc(x).relu().masked_fill(~mask.unsqueeze(-1), 0.0).sum(1))


class Pixels(nn.Module):
    """Takes bytes and scales them itself."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.out = nn.Conv2d(3, 8, 3), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype != torch.uint8:
            raise TypeError("bytes, please")
        return self.out(self.conv(x.float() / 255).relu().mean((2, 3)))


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.out = nn.Embedding(10, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.table(x).mean(1))


class Mixed(Words):
    """Numbers beside token ids."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = nn.Linear(4, 8)

    def forward(self, ids: Tensor, numbers: Tensor) -> Tensor:
        return self.out(self.table(ids).mean(1) + self.numbers(numbers))


def plain() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


def opened(model: nn.Module, inputs: Any) -> Any:
    bench = open_workbench(model.eval(), (inputs, Y))
    for criterion in ("magnitude", "wanda", "taylor"):
        name = next(name for name in bench.layer_of if bench.layer_of[name].kind != "embedding")
        bench.evaluate(Plan(criterion, sparsity={name: 0.5}))
    return bench


def test_a_mask_of_truth_values_stays_one() -> None:
    mask = torch.rand(N, 5) > 0.3
    for name in ("mask",):
        bench = opened(Masked(), {"x": torch.randn(N, 5, 4), name: mask})
        assert bench.source.validation.tensors()[name].dtype == torch.bool
        assert not any("mask" in note for note in bench.notes)
    bench = opened(Masked(), (torch.randn(N, 5, 4), mask))
    assert bench.source.validation.tensors()["mask"].dtype == torch.bool


def test_bytes_stay_bytes_where_the_network_scales_them() -> None:
    pictures = torch.randint(0, 256, (N, 3, 6, 6), dtype=torch.uint8)
    assert opened(Pixels(), pictures).source.validation.inputs.dtype == torch.uint8


def test_bytes_become_floats_where_the_network_refuses_them() -> None:
    pictures = torch.randint(0, 256, (N, 3, 6, 6), dtype=torch.uint8)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
    bench = opened(model, pictures)
    assert bench.source.validation.inputs.dtype == torch.float32
    assert float(bench.source.validation.inputs.max()) <= 1
    assert "inputs were uint8, now floats in 0..1 (divided by 255)" in bench.notes


@pytest.mark.parametrize(
    "dtype",
    slow_but(
        lambda dtype: dtype in (torch.int8, torch.int64),
        [torch.int8, torch.int16, torch.int32, torch.int64],
    ),
)
def test_integers_become_floats_only_where_they_are_refused(dtype: torch.dtype) -> None:
    numbers = torch.randint(0, 10, (N, 4)).to(dtype)
    width = str(dtype).removeprefix("torch.")
    refused = opened(plain(), numbers)
    assert refused.source.validation.inputs.dtype == torch.float32
    note = f"inputs were {width}, now float32: the network refuses integers"
    assert note in refused.notes
    ids = opened(Words(), numbers)
    usable = dtype in (torch.int32, torch.int64)
    assert ids.source.validation.inputs.dtype == (dtype if usable else torch.int64)
    said = f"inputs were {width}, now int64: the network refuses {width}"
    assert (said in ids.notes) == (not usable)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8])
def test_zeros_and_ones_become_floats_where_they_are_refused(dtype: torch.dtype) -> None:
    bench = opened(plain(), (torch.rand(N, 4) > 0.5).to(dtype))
    assert set(bench.source.validation.inputs.unique().tolist()) == {0.0, 1.0}


def test_only_the_input_that_is_refused_is_changed() -> None:
    ids, numbers = torch.randint(0, 10, (N, 5)), torch.randint(0, 10, (N, 4))
    tensors = opened(Mixed(), (ids, numbers)).source.validation.tensors()
    assert tensors["ids"].dtype == torch.int64
    assert tensors["numbers"].dtype == torch.float32
