"""Does a network of two inputs open, however they are given?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from pruneviz.plan import Plan
from pruneviz.workbench.opening import open_workbench
from tests.cases import slow_but

N = 40
A, B = torch.randn(N, 6), torch.randn(N, 3)
Y = torch.arange(N) % 4


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.out = nn.Linear(6, 8), nn.Linear(3, 8), nn.Linear(8, 4)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return self.out((self.a(left) + self.b(right)).relu())


class Pairs(Dataset[Any]):
    """Samples of two inputs, told apart by `make`."""

    def __init__(self, make: Callable[[Tensor, Tensor, Tensor], object]) -> None:
        self.make = make

    def __len__(self) -> int:
        return N

    def __getitem__(self, i: int) -> object:
        return self.make(A[i], B[i], Y[i])


def tupled(a: Tensor, b: Tensor, y: Tensor) -> object:
    return (a, b), y


def named(a: Tensor, b: Tensor, y: Tensor) -> object:
    return {"left": a, "right": b}, y


QUICK = ("tuple", "numpy", "dataset of names", "loader of names", "sides")
GIVEN: dict[str, object] = {
    "tuple": ((A, B), Y),
    "list": ([A, B], Y),
    "names": ({"left": A, "right": B}, Y),
    "numpy": ((A.numpy(), B.numpy()), Y.numpy()),
    "dataset": Pairs(tupled),
    "dataset of names": Pairs(named),
    "loader": DataLoader(Pairs(tupled), batch_size=7),
    "loader of names": DataLoader(Pairs(named), batch_size=7),
    "list of samples": [((a, b), y) for a, b, y in zip(A, B, Y, strict=True)],
    "sides": {
        "calibration": ((A[:10], B[:10]), Y[:10]),
        "validation": ((A[10:], B[10:]), Y[10:]),
    },
}


@pytest.mark.parametrize("case", slow_but(lambda case: case in QUICK, GIVEN))
def test_two_inputs_open_and_are_cut(case: str) -> None:
    torch.manual_seed(0)
    model = Two().eval()
    bench = open_workbench(model, GIVEN[case])
    named = {n: torch.cat([d.tensors()[n] for d in sides(bench)]) for n in ("left", "right")}
    assert {name: tuple(tensor.shape) for name, tensor in named.items()} == {
        "left": (N, 6),
        "right": (N, 3),
    }
    order = named["left"][:, 0].argsort()
    assert torch.equal(named["left"][order], A[A[:, 0].argsort()])
    assert torch.equal(named["right"][order], B[A[:, 0].argsort()])
    for criterion in ("magnitude", "wanda", "taylor"):
        plan = Plan(criterion, sparsity={"a": 0.5})
        assert bench.evaluate(plan).n == len(bench.source.validation)
    assert bench.groups.groups


def sides(bench: Any) -> tuple[Any, Any]:
    return bench.source.calibration, bench.source.validation


def test_a_network_whose_input_is_called_y_is_given_it() -> None:
    class Called(Two):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return super().forward(x, y)

    for given in (((A, B), Y), ({"x": A, "y": B}, Y)):
        data = open_workbench(Called().eval(), given).source.validation
        assert data.tensors()["y"].shape[1:] == (3,)
        assert data.targets is not None
    alone = open_workbench(Called().eval(), {"x": A, "y": B}).source.validation
    assert alone.targets is None


@pytest.mark.parametrize("given", [(A, B), A, (A, Y)])
def test_one_input_too_few_is_told_how_to_give_both(given: object) -> None:
    with pytest.raises(ValueError, match=r"takes 2 inputs \(left, right\) and was given one") as no:
        open_workbench(Two().eval(), given)
    assert "((left, right), targets)" in str(no.value)
    assert "{'left': …, 'right': …} alone" in str(no.value)


def test_one_input_too_many_is_said() -> None:
    with pytest.raises(ValueError, match=r"data has 2 inputs a sample, .* forward takes input"):
        open_workbench(nn.Sequential(nn.Linear(6, 3)).eval(), ((A, B), Y))


def test_a_list_of_samples_is_one_input() -> None:
    data = open_workbench(nn.Linear(6, 4).eval(), (list(A), Y)).source.validation
    assert isinstance(data.inputs, Tensor)
