"""Which way do values take from layer to layer, in networks known by hand?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pruneviz.network.graph import trace
from pruneviz.network.layers import find_layers
from pruneviz.network.routes import Routes, routes
from tests.zoo import made


class Branches(nn.Module):
    """A residual sum, a gate, and a concatenation with the input."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.gate = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)
        self.head = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        inside = self.a(x).relu()
        inside = inside + self.b(nn.functional.layer_norm(inside, (4,)))
        inside = inside * self.gate(inside).sigmoid()
        return self.head(torch.cat([x, inside], 1))


class Plain(nn.Module):
    """Sums and products of one branch with itself and with numbers, which are no joins."""

    def __init__(self) -> None:
        super().__init__()
        self.only, self.shift = nn.Linear(4, 4), nn.Parameter(torch.ones(4))

    def forward(self, x: Tensor) -> Tensor:
        inside = self.only(x)
        return (inside * inside.sigmoid() + inside) * 0.5 + self.shift


class Twice(nn.Module):
    """One layer used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.a(self.a(x).relu())


def ways(network: nn.Module) -> Routes:
    layers = find_layers(network)
    return routes(trace(network.eval(), torch.randn(3, 4), layers), layers)


def sources(way: Routes, name: str) -> set[str]:
    """The names of the steps that lead to this one."""
    at = [step.name for step in way.steps].index(name)
    return {way.steps[start].name for start, end in way.arrows if end == at}


def test_sums_products_and_concatenations_join_branches() -> None:
    way = ways(Branches())
    kinds = {step.name: step.kind for step in way.steps}
    assert kinds == {
        "input": "input", "a": "layer", "b": "layer", "add": "sum", "gate": "layer",
        "mul": "product", "cat": "concatenation", "head": "layer", "output": "output",
    }  # fmt: skip
    assert sources(way, "b") == {"a"}
    assert sources(way, "add") == {"a", "b"}
    assert sources(way, "mul") == {"add", "gate"}
    assert sources(way, "cat") == {"input", "mul"}
    assert sources(way, "output") == {"head"}


def test_one_branch_alone_joins_nothing() -> None:
    way = ways(Plain())
    assert [step.name for step in way.steps] == ["input", "only", "output"]
    assert way.arrows == ((0, 1), (1, 2))


def test_a_layer_used_twice_is_two_steps() -> None:
    way = ways(Twice())
    assert [(step.name, step.layers) for step in way.steps[1:3]] == [
        ("a", ("a",)),
        ("a (2)", ("a",)),
    ]
    assert way.arrows == ((0, 1), (1, 2), (2, 3))


@pytest.mark.parametrize(
    ("network", "step", "comes_from"),
    [
        ("U-Net", "cat", {"inward", "up"}),
        pytest.param(
            "torch TransformerEncoder",
            "body.layers.0.add",
            {"input", "body.layers.0.self_attn.out_proj"},
            marks=pytest.mark.slow,
        ),
        ("Two inputs", "cat", {"look", "read"}),
        pytest.param(
            "BERT",
            "bert.encoder.layer.0.attention.self.scaled_dot_product_attention",
            {f"bert.encoder.layer.0.attention.self.{name}" for name in ("query", "key", "value")},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_networks_of_many_kinds(network: str, step: str, comes_from: set[str]) -> None:
    model, data = made(network)
    layers = find_layers(model)
    example = data.first(2).inputs
    way = routes(trace(model, example, layers), layers)
    assert sources(way, step) == comes_from
    assert set(layers) == {name for each in way.steps for name in each.layers}


def test_an_lstm_is_one_step_of_all_its_layers() -> None:
    model, data = made("LSTM classifier")
    layers = find_layers(model)
    way = routes(trace(model, data.first(2).inputs, layers), layers)
    (lstm,) = (step for step in way.steps if step.name == "lstm")
    assert sources(way, "hidden") == {"lstm"}
    assert set(lstm.layers) == {name for name in layers if name.startswith("lstm.")}
