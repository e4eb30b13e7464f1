"""Is a plan measured rightly, on any prefix, once only, and the same from every thread?"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.data import Data
from pruneviz.measuring.intervals import paired_difference, wilson
from pruneviz.plan import Plan
from pruneviz.sources import Source
from pruneviz.workbench import Workbench
from tests.cases import slow_but
from tests.conftest import NETWORKS

SEEN: list[int] = []  # samples answered, call by call; a module's copies would count apart


class Counting(nn.Module):
    """Tells how many samples it was asked to answer."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(6, 12), nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        SEEN.append(len(x))
        return self.fc2(self.fc1(x).relu())


def counting_bench() -> Workbench:
    inputs = torch.randn(300, 6)
    data = Data(inputs, (inputs[:, 0] > 0).long() + (inputs[:, 1] > 0).long())
    source = Source("counting", Counting().eval(), data.first(40), data, ("a", "b", "c"))
    made = Workbench(source)
    SEEN.clear()  # opening looks at a sample, to see what comes out
    return made


@pytest.fixture
def counting() -> Workbench:
    return counting_bench()


HALF = Plan(sparsity={"fc1": 0.5, "fc2": 0.25})


# -- the numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize("granularity", ["weight", "neuron"])
@pytest.mark.parametrize(
    "bench", slow_but(lambda name: name != "resnet20", NETWORKS), indirect=True
)
def test_accuracy_and_loss_are_those_of_scikit_learn(bench: Workbench, granularity: str) -> None:
    plan = Plan("magnitude", granularity, sparsity=dict.fromkeys(bench.layer_of, 0.3))
    n, data = 100, bench.source.validation
    result = bench.evaluate(plan, n)
    with torch.inference_mode():
        logits = bench.prune(plan).model(data.inputs[:n]).double()
    targets = data.targets[:n].numpy()
    assert result.accuracy == accuracy_score(targets, logits.argmax(1))
    shares = logits.softmax(1).numpy()
    assert result.loss == pytest.approx(log_loss(targets, shares, labels=range(10)), rel=1e-4)
    assert torch.equal(result.predicted, logits.argmax(1))
    assert (result.low, result.high) == wilson(round(result.accuracy * n), n)


def test_accuracy_by_class_is_that_of_numpy(bench: Workbench) -> None:
    plan = Plan(sparsity=dict.fromkeys(bench.layer_of, 0.7))
    result, n = bench.evaluate(plan, 90), 90
    targets = bench.source.validation.targets[:n].numpy()
    for predicted, per_class in (
        (result.predicted.numpy(), result.per_class),
        (result.dense_predicted.numpy(), result.dense_per_class),
    ):
        assert list(per_class) == [str(c) for c in range(10)]
        for c in range(10):
            right = predicted[targets == c] == c
            assert per_class[str(c)] == pytest.approx(float(np.mean(right)))


def test_a_class_without_samples_has_no_accuracy(counting: Workbench) -> None:
    data = counting.source.validation
    only = data.targets == 1
    source = replace(counting.source, validation=Data(data.inputs[only], data.targets[only]))
    result = Workbench(source).evaluate(HALF)
    assert math.isnan(result.per_class["a"])
    assert result.per_class["b"] == result.accuracy


def test_the_difference_is_paired_with_dense_on_the_same_samples(bench: Workbench) -> None:
    n = 77
    dense = bench.evaluate(Plan(), n)
    result = bench.evaluate(Plan(sparsity=dict.fromkeys(bench.layer_of, 0.8)), n)
    targets = bench.source.validation.targets[:n]
    was, now = dense.predicted == targets, result.predicted == targets
    gained, lost = int((now & ~was).sum()), int((was & ~now).sum())
    assert torch.equal(result.dense_predicted, dense.predicted)
    assert (result.delta, result.delta_low, result.delta_high) == paired_difference(gained, lost, n)
    assert result.delta == pytest.approx(result.accuracy - dense.accuracy)


@pytest.mark.parametrize(
    "plan", [Plan(), Plan("taylor", sparsity={"fc1": 0.0}), Plan(scope="global", seed=4)]
)
def test_the_dense_network_differs_from_itself_by_exactly_nothing(
    counting: Workbench, plan: Plan
) -> None:
    result = counting.evaluate(plan)
    assert (result.delta, result.delta_low, result.delta_high) == (0, 0, 0)
    assert not result.measurable
    assert "no measurable change" in result.words


@pytest.mark.parametrize(
    "bench", slow_but(lambda name: name != "resnet20", NETWORKS), indirect=True
)
def test_a_change_is_told_with_its_interval_only_where_it_is_measurable(bench: Workbench) -> None:
    result = bench.evaluate(Plan("random", sparsity=dict.fromkeys(bench.layer_of, 0.95)))
    assert result.delta_high < 0
    assert result.measurable
    assert result.words.startswith(f"{100 * result.delta:+.1f} points")
    slight = bench.evaluate(Plan(sparsity=dict.fromkeys(bench.layer_of, 0.02)))
    assert slight.delta_low < 0 < slight.delta_high
    assert "no measurable change" in slight.words


# -- what does not fit ---------------------------------------------------------------------


@pytest.mark.parametrize("label", [3, 99, -1])
def test_labels_beyond_the_outputs_are_refused(counting: Workbench, label: int) -> None:
    data = counting.source.validation
    targets = data.targets.clone()
    targets[200] = label
    source = replace(counting.source, validation=Data(data.inputs, targets))
    with pytest.raises(ValueError, match=rf"targets must be in 0..2, .*got {label}"):
        Workbench(source)


def test_labels_beyond_the_named_classes_are_refused_clearly(counting: Workbench) -> None:
    with pytest.raises(ValueError, match="class"):
        Workbench(replace(counting.source, classes=("a", "b")))


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(sparsity={"nope": 0.5}), "no layer 'nope'"),
        (Plan(sparsity={"nope": 0.0}), "no layer 'nope'"),
        (Plan(sparsity={"nope": 0.0, "fc1": 0.5}), "no layer 'nope'"),
        (Plan("nope", sparsity={"fc1": 0.5}), "unknown criterion 'nope'"),
        (Plan("nope"), "unknown criterion 'nope'"),
    ],
)
def test_what_is_unknown_is_refused_as_when_pruning(
    counting: Workbench, plan: Plan, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        counting.prune(plan)
    with pytest.raises(ValueError, match=words):
        counting.evaluate(plan)


@pytest.mark.parametrize(
    "bench", slow_but(lambda name: name != "resnet20", NETWORKS), indirect=True
)
def test_measuring_writes_to_nothing(bench: Workbench) -> None:
    model = bench.source.model
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for level in (0.2, 0.9):
        bench.evaluate(pv.Plan(sparsity=dict.fromkeys(bench.layer_of, level)))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
