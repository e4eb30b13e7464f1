"""Does a network answer in double precision as its copy in double does?"""

from __future__ import annotations

import copy
import gc

import pytest
import torch
from torch import Tensor, nn

from pruneviz.network.double_precision import DoublePrecision, answer_in_double
from pruneviz.network.forward_pass import call, fit
from pruneviz.network.replica import fingerprint, replica
from pruneviz.outputs import main_output
from tests.cases import slow_but
from tests.zoo import ALIKE, SMALL, made


@pytest.mark.parametrize("name", slow_but(lambda name: name not in ALIKE, SMALL))
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_answers_as_its_copy_in_double(name: str, dtype: torch.dtype) -> None:
    model, data = made(name)
    model = model.to(dtype)
    inputs = data.first(3).inputs
    given = fit(model, inputs)
    before = fingerprint(model)
    answer = answer_in_double(model, inputs)
    got = answer[main_output(answer)]
    with torch.inference_mode():
        expected = call(copy.deepcopy(model).double(), given)
    assert got.dtype == torch.float64
    # Constants in a network's own code are float32 in the copy.
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-6 * float(expected.abs().max()))
    assert fingerprint(model) == before


class Counting(nn.Module):
    """Writes to a buffer of its own, by a view of it, and reads it again."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.register_buffer("past", torch.zeros(2, 4))

    def forward(self, x: Tensor) -> Tensor:
        self.past[0].copy_(self.fc(x).sum(0))
        self.past[1].add_(1)
        return self.fc(x) + self.past[0] * self.past[1]


def test_what_it_writes_it_reads_again() -> None:
    model, x = Counting(), torch.randn(3, 4)
    expected = replica(model)(x)
    torch.testing.assert_close(answer_in_double(model, x)["output"].float(), expected)


def test_no_second_copy_of_the_weights_is_held() -> None:
    """Of ten layers no more than two are ever there in double."""
    model = nn.Sequential(*(nn.Linear(64, 64) for _ in range(10)))
    alive: list[int] = []

    def count(*_: object) -> None:
        wide = (o for o in gc.get_objects() if type(o) is Tensor and o.dtype == torch.float64)
        alive.append(sum(o.numel() == 64 * 64 for o in wide))

    for layer in model:
        layer.register_forward_hook(count)
    gc.freeze()  # what other tests hold is not counted
    try:
        with torch.inference_mode(), DoublePrecision():
            model(torch.randn(1, 64))
    finally:
        gc.unfreeze()
    assert len(alive) == 10
    assert max(alive) <= 2


class Products(nn.Module):
    """An embedding, layers with and without bias, and two products of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.up = nn.Embedding(50, 16), nn.Linear(16, 30)
        self.down = nn.Linear(30, 50, bias=False)
        self.own, self.shift = nn.Parameter(torch.randn(50, 7)), nn.Parameter(torch.randn(7))

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.down(self.up(self.words(ids)).relu())
        return hidden.mean(1) @ self.own, torch.addmm(self.shift, hidden[:, 0], self.own)


@pytest.mark.parametrize("block", [1, 33, 40, 300])
def test_weights_are_widened_a_block_at_a_time_to_the_same_answer(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, ids = Products().eval(), torch.randint(0, 50, (4, 5))
    expected = copy.deepcopy(model).double()(ids)
    monkeypatch.setattr("pruneviz.network.double_precision._BLOCK", block)
    for got, right in zip(answer_in_double(model, ids).values(), expected, strict=True):
        torch.testing.assert_close(got, right, rtol=1e-12, atol=1e-12)
