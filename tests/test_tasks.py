"""Is each kind of answer measured as other people measure it?"""

from __future__ import annotations

import math

import pytest
import torch
from scipy.special import softmax
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    top_k_accuracy_score,
)
from torch import Tensor
from torch.nn.functional import cross_entropy

from pruneviz.data import Data, Outcome
from pruneviz.tasks import CLASSES, Task, task_for
from pruneviz.tasks.measures import mean_of
from pruneviz.tasks.task_scores import in_parts, judge_positions

INF, NAN = math.inf, math.nan


def data_of(targets: Tensor | None, n: int = 0) -> Data:
    return Data(torch.zeros(n if targets is None else len(targets), 1), targets)


def judged(outputs: Tensor, targets: Tensor) -> tuple[Task, Outcome]:
    task = task_for(outputs[:2], data_of(targets))
    return task, task.judge(outputs, targets)


# -- which task it is ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "targets", "name", "label"),
    [
        ((4, 3), torch.ones(9).long(), "classes", "Accuracy"),
        ((4, 2), torch.ones(9, dtype=torch.bool), "classes", "Accuracy"),
        ((4, 5, 7), torch.ones(9, 5).long(), "positions", "Accuracy per position"),
        ((4, 3, 6, 5), torch.ones(9, 6, 5).int(), "positions", "Accuracy per position"),
        ((4, 6, 5, 3), torch.ones(9, 6, 5).long(), "positions", "Accuracy per position"),
        ((4, 3, 5), torch.ones(9, 5).long(), "positions", "Accuracy per position"),
        ((4,), torch.ones(9), "values", "R²"),
        ((4, 1), torch.ones(9), "values", "R²"),
        ((4,), torch.ones(9, 1), "values", "R²"),
        ((4, 3), torch.ones(9, 3).half(), "values", "R²"),
        ((4, 2, 8, 8), torch.ones(9, 2, 8, 8), "values", "R²"),
        ((4, 3), None, "closeness", "Closeness to dense"),
        ((4, 5, 7), None, "closeness", "Closeness to dense"),
        ((4, 1), None, "closeness", "Closeness to dense"),
        ((4,), None, "closeness", "Closeness to dense"),
        ((4, 3, 8, 8), None, "closeness", "Closeness to dense"),
    ],
)
def test_outputs_and_targets_tell_the_task(
    shape: tuple[int, ...], targets: Tensor | None, name: str, label: str
) -> None:
    task = task_for(torch.zeros(shape), data_of(targets, 9))
    assert (task.name, task.label) == (name, label)
    assert task.against_dense == (targets is None)
    assert task.binary == (name == "classes")


@pytest.mark.parametrize(
    ("shape", "targets"),
    [
        ((4, 5, 7), torch.ones(9).long()),
        ((4, 5, 7), torch.ones(9, 4).long()),
        ((4,), torch.full((9,), 2)),
        ((4, 1), torch.full((9,), 2)),
        ((4, 3), torch.full((9, 3), 2)),
        ((4, 3), torch.ones(9)),
        ((4, 3), torch.ones(9, 2)),
        ((4, 3, 2), torch.ones(9, 6)),
    ],
)
def test_shapes_that_fit_nothing_are_named(shape: tuple[int, ...], targets: Tensor) -> None:
    with pytest.raises(ValueError, match="cannot be measured") as refusal:
        task_for(torch.zeros(shape), data_of(targets))
    assert str(shape) in str(refusal.value)
    assert str(tuple(targets.shape)) in str(refusal.value)


@pytest.mark.parametrize(
    ("shape", "targets"),
    [
        ((2, 3), torch.tensor([0, 2, 3])),
        ((2, 3), torch.tensor([0, -100, 2])),
        ((2, 2, 3), torch.tensor([[0, 2], [-100, 3]])),
        ((2, 3, 2, 2), torch.full((5, 2, 2), 255)),
    ],
)
def test_targets_beyond_the_outputs_are_refused(shape: tuple[int, ...], targets: Tensor) -> None:
    with pytest.raises(ValueError, match=r"targets must be in 0\.\.2, the network's outputs; got"):
        task_for(torch.zeros(shape), data_of(targets))


def test_a_text_has_its_classes_last_and_a_picture_first() -> None:
    square = torch.randn(1, 4, 4)
    wanted = square.argmax(-1)
    assert float(judged(square, wanted)[1].score) == 1  # type: ignore[arg-type]
    cube = torch.randn(1, 4, 4, 4)
    assert float(judged(cube, cube.argmax(1))[1].score) == 1  # type: ignore[arg-type]


# -- classes -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_classes_are_measured_as_scikit_learn_does(dtype: torch.dtype) -> None:
    outputs, targets = torch.randn(200, 9).to(dtype), torch.randint(9, (200,))
    task, outcome = judged(outputs, targets)
    found, shares = task.measures(outcome), softmax(outputs.double().numpy(), axis=1)
    assert list(found) == ["accuracy", "top-5 accuracy", "loss"]
    assert found["accuracy"] == pytest.approx(accuracy_score(targets, shares.argmax(1)))
    assert found["loss"] == pytest.approx(log_loss(targets, shares, labels=range(9)), rel=1e-5)
    if dtype != torch.bfloat16:  # that has ties, and each may break them as it likes
        top = top_k_accuracy_score(targets, shares, k=5, labels=range(9))
        assert found["top-5 accuracy"] == pytest.approx(top)
    assert outcome.loss.dtype == torch.float32


def test_a_dead_network_gets_no_gift_from_ties() -> None:
    _, outcome = judged(torch.zeros(10, 10), torch.arange(10))
    assert mean_of(outcome.more["top-5"], None) == 0.5


def test_of_five_classes_the_top_five_are_all() -> None:
    task, outcome = judged(torch.randn(10, 5), torch.zeros(10).long())
    assert list(task.measures(outcome)) == ["accuracy", "loss"]


def test_an_outcome_brought_along_has_fewer_numbers() -> None:
    outcome = Outcome(torch.tensor([1, 2]), torch.tensor([0.5, 1.5]), torch.tensor([1.0, 0.0]))
    assert CLASSES.measures(outcome) == {"accuracy": 0.5, "loss": 1.0}


# -- positions -----------------------------------------------------------------------------


def text(n: int = 6, length: int = 11, words: int = 17) -> tuple[Tensor, Tensor]:
    targets = torch.randint(words, (n, length))
    targets[torch.rand(n, length) < 0.3] = -100
    targets[0] = -100
    return torch.randn(n, length, words), targets


def test_perplexity_is_over_all_tokens_that_count() -> None:
    outputs, targets = text()
    task, outcome = judged(outputs, targets)
    mean = cross_entropy(outputs.double().flatten(0, 1), targets.flatten())
    counted = targets != -100
    right = (outputs.argmax(-1) == targets)[counted].double().mean()
    found = task.measures(outcome)
    assert list(found) == ["accuracy", "perplexity", "loss"]
    assert found["perplexity"] == pytest.approx(float(mean.exp()), rel=1e-5)
    assert found["loss"] == pytest.approx(float(mean), rel=1e-5)
    assert found["accuracy"] == pytest.approx(float(right), rel=1e-6)
    assert outcome.weight is not None
    assert outcome.weight.tolist() == counted.sum(1).tolist()
    assert outcome.predicted.tolist() == [-1] * 6


def test_a_picture_is_measured_pixel_by_pixel() -> None:
    outputs, targets = torch.randn(5, 3, 4, 6), torch.randint(3, (5, 4, 6))
    targets[2, 1:] = -100
    task, outcome = judged(outputs, targets)
    found = task.measures(outcome)
    assert list(found) == ["accuracy", "mean IoU", "loss"]
    assert found["loss"] == pytest.approx(float(cross_entropy(outputs, targets)), rel=1e-5)
    right = (outputs.argmax(1) == targets)[targets != -100]
    assert found["accuracy"] == pytest.approx(float(right.float().mean()))


def test_large_answers_are_judged_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs, targets = text(7)
    whole = judge_positions(-1, outputs, targets)
    seen: list[int] = []

    def judge(outputs: Tensor, targets: Tensor) -> Outcome:
        seen.append(len(outputs))
        return judge_positions(-1, outputs, targets)

    monkeypatch.setattr("pruneviz.tasks.task_scores._AT_ONCE", 3 * 11 * 17)
    parts = in_parts(judge)(outputs, targets)
    assert seen == [3, 3, 1]
    for name in ("predicted", "loss", "score", "weight"):
        torch.testing.assert_close(getattr(parts, name), getattr(whole, name))


def test_a_loss_beyond_all_numbers_has_infinite_perplexity() -> None:
    outputs = torch.zeros(1, 1, 2)
    outputs[0, 0, 0] = 5000
    task, outcome = judged(outputs, torch.ones(1, 1).long())
    assert task.measures(outcome)["perplexity"] == INF
