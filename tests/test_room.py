"""Does a measurement for which memory is too little go on in smaller blocks, and say so?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.measuring.answers import BLOCK
from pruneviz.network.forward_pass import out_of_memory
from pruneviz.plan import Plan
from pruneviz.sources import Source
from pruneviz.workbench import Workbench

CPU = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:130] . DefaultCPUAllocator: can't allocate memory: you tried "
    "to allocate 4000000000 bytes. Error code 12 (Cannot allocate memory)"
)
ERRORS = [CPU, torch.OutOfMemoryError("CUDA out of memory."), MemoryError()]
LIMIT = [BLOCK]  # samples at once; a module's copies would each have their own
ERROR: list[Exception] = [CPU]
SEEN: list[int] = []


class Narrow(nn.Module):
    """Memory suffices for a few samples at once."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(6, 12), nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > LIMIT[0]:
            raise ERROR[0]
        SEEN.append(len(x))
        answers: Tensor = self.fc2(self.fc1(x).relu())
        return answers


@pytest.fixture
def bench() -> Callable[[bool], Workbench]:
    inputs = torch.randn(200, 6, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    model = Narrow().eval()
    LIMIT[0] = BLOCK

    def made(targets: bool = True) -> Workbench:
        data = Data(inputs, inputs[:, :3].argmax(1) if targets else None)
        classes = ("a", "b", "c") if targets else ()
        return Workbench(Source("narrow", model, data.first(40), data, classes))

    return made


PLAN = Plan(sparsity={"fc1": 0.5})


@pytest.mark.parametrize("targets", [True, False], ids=["targets", "against dense"])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("limit", [63, 40, 7, 1])
def test_smaller_blocks_give_the_same_numbers(
    bench: Callable[[bool], Workbench], limit: int, error: Exception, targets: bool
) -> None:
    there = bench(targets).evaluate(PLAN)
    short = bench(targets)
    LIMIT[0], ERROR[0] = limit, error
    SEEN.clear()
    found = short.evaluate(PLAN)
    assert max(SEEN) <= limit
    assert max(SEEN) > limit // 2, "no smaller than need be"
    assert torch.equal(found.predicted, there.predicted)
    assert torch.allclose(found.scores, there.scores, atol=1e-6)
    (note,) = (note for note in short.notes if "memory" in note)
    assert f"in blocks of {max(SEEN)}" in note


def test_blocks_stay_small_and_prefixes_fit_together(bench: Callable[[bool], Workbench]) -> None:
    short = bench(True)
    LIMIT[0] = 16
    short.evaluate(PLAN, 70)
    SEEN.clear()
    short.evaluate(PLAN)
    assert sum(SEEN) == 2 * (200 - 128), "what was answered is not answered again, nor tried larger"


def test_answers_kept_of_whole_blocks_are_not_taken_for_halves(
    bench: Callable[[bool], Workbench],
) -> None:
    there, short = bench(False), bench(False)
    short.evaluate(PLAN)
    LIMIT[0] = 20
    other = Plan(sparsity={"fc1": 0.9})
    found = short.evaluate(other)
    assert torch.allclose(found.scores, there.evaluate(other).scores, atol=1e-6)


def test_one_sample_for_which_memory_is_too_little(bench: Callable[[bool], Workbench]) -> None:
    short = bench(True)
    LIMIT[0] = 0
    with pytest.raises(ValueError, match="memory does not suffice to measure even one sample"):
        short.evaluate(PLAN)


def test_other_errors_are_no_lack_of_memory() -> None:
    assert not out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not out_of_memory(ValueError("out of memory, said a loader of its own"))
    assert not out_of_memory(None)
