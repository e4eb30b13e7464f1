"""Does whatever goes wrong in tracing leave single weights to be cut, and say why units cannot?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pruneviz.plan import Plan
from pruneviz.workbench.opening import open_workbench

TRACED: set[type[nn.Module]] = set()


class Choosy(nn.Module):
    """A network that raises an error of its own while it is traced."""

    def __init__(self, error: type[Exception]) -> None:
        super().__init__()
        self.error, self.fc, self.out = error, nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        if torch.compiler.is_compiling():
            self.refuse()
        return self.out(self.fc(x).relu())

    def refuse(self) -> None:
        raise self.error("no part of this is for sale\nnot even a line")


class Stubborn(Choosy):
    """A network that raises where its parts are looked at, once it was traced."""

    def forward(self, x: Tensor) -> Tensor:
        if torch.compiler.is_compiling():
            TRACED.add(type(self))
        return self.out(self.fc(x).relu())

    def get_submodule(self, target: str) -> nn.Module:
        if type(self) in TRACED:
            self.refuse()
        return super().get_submodule(target)


@pytest.mark.parametrize("kind", [Choosy, Stubborn])
@pytest.mark.parametrize(
    "error", [RuntimeError, KeyError, NotImplementedError, RecursionError, ZeroDivisionError]
)
def test_units_are_refused_in_a_sentence_and_weights_are_cut(
    kind: type[Choosy], error: type[Exception]
) -> None:
    TRACED.clear()
    bench = open_workbench(kind(error).eval(), (torch.randn(20, 6), torch.arange(20) % 3))
    sentence = rf"{kind.__name__} cannot be traced: .*no part of this is for sale[^\n]*$"
    for _ in range(2):
        with pytest.raises(ValueError, match=sentence):
            _ = bench.groups
        with pytest.raises(ValueError, match=sentence):
            bench.prune(Plan(granularity="neuron", sparsity={"fc": 0.5}))
    TRACED.clear()
    assert list(bench.layers["layer"]) == ["fc", "out"]
    assert bench.prune(Plan("wanda", sparsity={"fc": 0.5})).sparsity["fc"] == 0.5


def test_rows_that_depend_on_values_do_not_keep_other_units_from_going() -> None:
    class Passing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.mid, self.out = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            seen = self.fc(x).relu()
            passing = seen.sum(1) > 0
            answer = x.new_zeros(len(x), 3)
            answer[passing] = self.out(self.mid(seen[passing]).relu())
            return answer

    bench = open_workbench(Passing().eval(), (torch.randn(20, 6), torch.arange(20) % 3))
    assert "mid" in bench.groups.groups
