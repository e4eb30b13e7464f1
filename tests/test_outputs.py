"""Is every tensor of an answer an answer, whatever holds it?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.network.outputs import main_output, named_output, outputs
from tests.answers import CONTAINERS, heads, inner

every_container = pytest.mark.parametrize("container", CONTAINERS)
A, B = torch.ones(2, 3), torch.zeros(2, 3)


def opened(network: nn.Module) -> pv.Workbench:
    return pv.open(network, (torch.randn(80, 8), torch.arange(80) % 4))


@every_container
def test_each_tensor_has_the_name_of_its_path(container: str) -> None:
    make, names = CONTAINERS[container]
    found = outputs(make(A, B))
    assert set(found) == set(names)
    assert found[names[0]] is A
    assert found[names[1]] is B
    assert main_output(found) == names[0]


@pytest.mark.parametrize(
    ("result", "names"),
    [
        (A, ["output"]),
        ({"a": [A, {"b": B}]}, ["a.0", "a.1.b"]),
        (torch.max(A, 0), ["0", "1"]),
        ({"1": A, 1: B}, ["1", "1_2"]),
        (torch.distributions.Normal(A, A), ["loc", "scale"]),
        (iter([A, B]), ["0", "1"]),
        ((A, nn.Linear(2, 2)), ["0"]),
        ((A, A), ["0", "1"]),
    ],
)
def test_names_of_further_answers(result: object, names: list[str]) -> None:
    assert list(outputs(result)) == names


def test_an_answer_that_holds_itself_ends() -> None:
    ring: dict[str, object] = {"x": A}
    ring["self"] = ring
    assert list(outputs(ring)) == ["x"]


@pytest.mark.parametrize(
    ("result", "main"),
    [
        ((torch.arange(3), A), "1"),
        ({"last_hidden_state": A, "logits": B}, "logits"),
        ({"pooled": B, "last_hidden_state": A}, "last_hidden_state"),
        ((None, {"x": B, "logits": A}), "1.logits"),
        ({"labels": torch.arange(3)}, "labels"),
    ],
)
def test_the_main_output(result: object, main: str) -> None:
    assert main_output(outputs(result)) == main


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no output 'box'; its outputs are 'scores', 'boxes'"):
        named_output(outputs({"scores": A, "boxes": B}), "box")


@every_container
def test_each_head_is_locked_and_its_width_is_fixed(container: str) -> None:
    network, names = heads(container)
    bench = opened(network)
    for layer, output in zip(("scores", "boxes"), names, strict=True):
        assert bench.locks[layer] == f"output head: its units are the answers of {output!r}"
        assert bench.groups.fixed[layer] == "it is the network's answer"
    assert "body" not in bench.locks
    assert list(bench.groups.groups) == ["body"]
    small = bench.prune(pv.Plan("l2", "neuron", sparsity={"body": 0.5})).shrink()
    assert {n: t.shape for n, t in outputs(small(torch.randn(3, 8))).items()} == {
        names[0]: (3, 5),
        names[1]: (3, 4),
    }


@every_container
def test_features_that_are_answered_with_keep_their_width(container: str) -> None:
    network, names = inner(container)
    bench = opened(network)
    assert bench.groups.fixed["second"] == "it is the network's answer"
    plan = pv.Plan("l2", "neuron", sparsity={"first": 0.5, "second": 0.5})
    pruned = bench.prune(plan)
    small, x = pruned.shrink(), torch.randn(3, 8)
    got, expected = outputs(small(x)), outputs(pruned.model(x))
    assert got[names[1]].shape == (3, 16)
    for name in names:
        assert torch.allclose(got[name], expected[name], atol=1e-5)
    assert small.first.out_features == 16


class Width(nn.Module):
    """Its second output alone tells how wide it is inside."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(8, 12), nn.Linear(12, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        inside = self.a(x).relu()
        return self.b(inside), self.b(inside) * inside.shape[1]


def test_the_proof_looks_at_every_output() -> None:
    bench = opened(Width().eval())
    assert "output '1': its answers differ" in bench.groups.fixed["a"]
