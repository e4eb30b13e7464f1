"""Is every tensor of an answer an answer, whatever holds it?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.outputs import main_output, named_output, outputs
from tests.answers import CONTAINERS, heads, inner
from tests.cases import slow_but

every_container = pytest.mark.parametrize("container", CONTAINERS)
# A name by place, by key, by field, by a path, and one that is put first.
telling_containers = pytest.mark.parametrize(
    "container",
    slow_but(
        lambda name: name in ("tuple", "dict", "slots", "deep", "with a cache", "logits last"),
        CONTAINERS,
    ),
)
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


@telling_containers
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


@telling_containers
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


# -- what is measured ----------------------------------------------------------------------

X, Y = torch.randn(160, 8), torch.arange(160) % 5


@every_container
def test_without_targets_fidelity_is_over_every_output_and_told_apart(container: str) -> None:
    network, names = heads(container)
    bench = pv.open(network, X)
    assert bench.evaluate(pv.Plan()).accuracy == 1
    result = bench.evaluate(pv.Plan(sparsity={"boxes": 1.0}))
    assert result.measurable
    assert f"output {names[1]!r}: " in result.words
    assert f"output {names[0]!r}: " not in result.words
    both = [result.outputs[name].fidelity for name in names]
    assert both[0] == 1
    assert both[1] < 1
    assert result.accuracy == pytest.approx(sum(both) / 2)
    labels = set(result.measures)
    assert any(label.startswith(f"{names[0]}: ") for label in labels)
    assert any(label.startswith(f"{names[1]}: ") for label in labels)


@every_container
def test_the_score_comes_from_the_output_that_is_named(container: str) -> None:
    network, names = heads(container)
    cut = pv.Plan(sparsity={"boxes": 1.0})
    first = pv.open(network, (X, Y))
    assert first.task.output == names[0]
    assert f"accuracy is taken from {names[0]!r}" in first.notes[-1]
    result = first.evaluate(cut)
    assert not result.measurable, "the score's own output is as it was"
    assert f"output {names[1]!r}: " in result.words, "and the other is not"
    second = pv.open(network, (X, Y % 4), output=names[1])
    assert f"accuracy is taken from {names[1]!r}" in second.notes[-1]
    loss = torch.nn.functional.cross_entropy
    with torch.no_grad():
        answer = outputs(network(second.source.validation.inputs))[names[1]]
    expected = float(loss(answer, second.source.validation.targets))
    assert second.evaluate(pv.Plan()).loss == pytest.approx(expected, rel=1e-5)


def test_another_output_is_another_measurement() -> None:
    network, names = heads("dict")
    keys = {pv.open(network, X, output=name).identity for name in (*names, None)}
    assert len(keys) == 3
    labelled = {pv.open(network, (X, Y % 4), output=name).identity for name in (*names, None)}
    assert len(labelled) == 2, "with targets the first is the one that is scored by default"


def test_an_output_that_is_not_there_lists_those_that_are() -> None:
    network, _ = heads("dict")
    with pytest.raises(ValueError, match=r"no output 'box'; its outputs are 'scores', 'boxes'"):
        pv.open(network, X, output="box")


def test_targets_that_fit_another_output_say_how_to_choose_it() -> None:
    network, _ = heads("dict")
    with pytest.raises(
        ValueError, match=r"output 'scores' of .*'boxes' \(\d+, 4\); choose another"
    ):
        pv.open(network, (X, torch.randn(160, 4)))
    assert pv.open(network, (X, torch.randn(160, 4)), output="boxes").task.label == "R²"


def test_gradients_follow_every_output_where_there_are_no_targets() -> None:
    network, _ = heads("dict")
    evidence = pv.open(network, X).evidence("gradients")
    sizes = {name: float(evidence[name].gradient_size.sum()) for name in ("scores", "boxes")}
    assert all(size > 0 for size in sizes.values()), sizes


class Rows(nn.Module):
    """Answers with classes, whole numbers, a number of its own, and what has no row a sample."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(8, 6), nn.Linear(6, 3)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        logits = self.head(self.body(x).relu()) * self.scale
        return {"logits": logits, "label": logits.argmax(1), "scale": self.scale, "t": logits.T}


def test_whole_numbers_are_compared_and_what_has_no_row_a_sample_is_named() -> None:
    bench = pv.open(Rows().eval(), X)
    assert bench.notes[-1].endswith("compared by no measure: output 'scale', 't'")
    result = bench.evaluate(pv.Plan(sparsity={"body": 0.9}))
    assert result.measures["label: equal to dense"] == result.outputs["logits"].fidelity < 1
    assert bench.groups.groups
    assert bench.prune(pv.Plan("l2", "neuron", sparsity={"body": 0.5})).shrink() is not None
