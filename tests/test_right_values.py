"""Is every kind of target and output measured by the right numbers, with nothing to be said?"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from tests.cases import slow_but
from tests.task_kinds import LABELLED, UNLABELLED, Kind, N, tells_most
from tests.task_oracles import Numbers

HALF = Plan(sparsity={"body": 0.5})


def opened(kind: Kind) -> pv.Workbench:
    torch.manual_seed(21)
    for parameter in kind.network.parameters():
        nn.init.normal_(parameter, std=0.5)
    ignore = 255 if kind.targets is not None and bool((kind.targets == 255).any()) else None
    return pv.open(kind.network.eval(), (kind.inputs, kind.targets), ignore=ignore)


def answers(model: nn.Module, inputs: Tensor) -> np.ndarray:
    with torch.inference_mode():
        found: np.ndarray = model(inputs).numpy()
    return found


def given_targets(bench: pv.Workbench, kind: Kind) -> np.ndarray:
    """The validation targets as they were given: found again by their inputs."""
    inputs, targets = bench.source.validation.inputs, kind.targets
    assert isinstance(inputs, Tensor)
    assert targets is not None
    everything = kind.inputs.to(inputs.dtype).reshape(N, -1)
    which = [
        int((everything == one).all(1).nonzero()[0, 0]) for one in inputs.reshape(len(inputs), -1)
    ]
    return targets[which].numpy()


def numbers(result: Evaluation) -> Numbers:
    return {name: value for name, value in result.measures.items() if "top-5" not in name}


@pytest.mark.parametrize("name", LABELLED)
def test_targets_and_outputs_are_measured_as_others_do(name: str) -> None:
    kind = LABELLED[name]
    bench = opened(kind)
    assert (bench.task.name, bench.task.form) == (kind.task, kind.form)
    assert any(f"task {kind.task!r}" in note for note in bench.notes)
    targets, inputs = given_targets(bench, kind), bench.source.validation.inputs
    assert isinstance(inputs, Tensor)
    for plan in (Plan(), HALF):
        model = bench.prune(plan).model
        result = bench.evaluate(plan)
        expected = kind.right(answers(model, inputs), targets)
        assert numbers(result) == pytest.approx(expected, rel=1e-4, abs=1e-6)
        assert result.accuracy == pytest.approx(next(iter(expected.values())), rel=1e-4, abs=1e-6)
        assert result.low <= result.accuracy <= result.high


def test_whole_values_are_said() -> None:
    bench = opened(LABELLED["whole values"])
    assert any("give integers if they are classes" in note for note in bench.notes)


@pytest.mark.parametrize("name", UNLABELLED)
def test_without_targets_answers_are_compared_by_what_they_are(name: str) -> None:
    kind = UNLABELLED[name]
    bench = opened(kind)
    assert (bench.task.name, bench.task.form) == (kind.task, kind.form)
    assert any(f"task {kind.task!r}" in note for note in bench.notes)
    inputs = bench.source.validation.inputs
    assert isinstance(inputs, Tensor)
    dense = answers(bench.source.model, inputs)
    result = bench.evaluate(HALF)
    expected = kind.right(answers(bench.prune(HALF).model, inputs), dense)
    assert dict(result.measures) == pytest.approx(expected, rel=1e-3, abs=1e-6)
    assert bench.evaluate(Plan()).accuracy == 1
    assert ("points" in result.words) == (kind.task == "agreement")


@pytest.mark.parametrize("name", slow_but(tells_most, LABELLED))
def test_gradients_follow_the_loss_that_is_measured(name: str) -> None:
    bench = opened(LABELLED[name])
    data = bench.source.calibration
    assert isinstance(data.inputs, Tensor)
    assert data.targets is not None
    weight = next(bench.source.model.parameters()).detach().clone().requires_grad_()
    first = next(n for n, _ in bench.source.model.named_parameters())
    outputs = torch.func.functional_call(bench.source.model, {first: weight}, (data.inputs,))
    loss = bench.task.loss(outputs, data.targets)
    judged = bench.task.judge(outputs.detach(), data.targets)
    torch.testing.assert_close(loss.detach(), judged.loss, rtol=1e-4, atol=1e-5)
    (expected,) = torch.autograd.grad(loss.mean(), weight)
    if first == "body.weight":
        found = bench.evidence("gradients")["body"].gradient
        assert found is not None
        torch.testing.assert_close(found.float(), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["labels, torch.int64", "one-hot floats", "marks, some ignored", "binary by sigmoid"]
)
def test_training_follows_it_too(name: str) -> None:
    bench = opened(LABELLED[name])
    training = pv.Training(method="dense", epochs=3, batch=16, learning_rate=0.05)
    trained = bench.train(Plan(), training)
    again = pv.Workbench(trained.source("again"))
    assert (again.task.name, again.task.form) == (bench.task.name, bench.task.form)
    assert again.evaluate(Plan()).loss < bench.evaluate(Plan()).loss
