"""What follows from a metric or a task that the user names, and which loss do gradients take?"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from pruneviz.data import Data
from pruneviz.tasks import CLASSES, task_for
from pruneviz.tasks.task_scores import concatenate
from tests.test_tasks import data_of, judged, text

# -- losses for gradients --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outputs", "targets"),
    [
        (torch.randn(5, 7), torch.randint(7, (5,))),
        (torch.randn(5, 4, 7), text(5, 4, 7)[1]),
        (torch.randn(5, 3, 4, 6), torch.randint(3, (5, 4, 6))),
        (torch.randn(5, 2), torch.randn(5, 2)),
        (torch.randn(5, 1), torch.randn(5)),
    ],
)
def test_what_gradients_follow_is_what_is_measured(outputs: Tensor, targets: Tensor) -> None:
    task, outcome = judged(outputs, targets)
    leaf = outputs.clone().requires_grad_()
    loss = task.loss(leaf, targets)
    torch.testing.assert_close(loss.detach(), outcome.loss)
    (gradient,) = torch.autograd.grad(loss.sum(), leaf)
    assert bool(gradient.abs().sum() > 0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_losses_are_computed_in_float32_at_least(dtype: torch.dtype) -> None:
    outputs = torch.randn(4, 3).to(dtype)
    loss = task_for(outputs, data_of(torch.ones(4).long())).loss(outputs, torch.ones(4).long())
    assert loss.dtype == torch.promote_types(dtype, torch.float32)


def test_without_targets_the_networks_own_answers_stand_in() -> None:
    outputs = torch.randn(4, 3)
    task = task_for(outputs, data_of(None, 4), name="agreement")
    expected = cross_entropy(outputs, outputs.argmax(1), reduction="none")
    torch.testing.assert_close(task.loss(outputs, None), expected)
    tokens = torch.randn(4, 5, 3)
    found = task_for(tokens, data_of(None, 4), name="agreement").loss(tokens, None)
    expected = cross_entropy(tokens.movedim(-1, 1), tokens.argmax(-1), reduction="none").mean(1)
    torch.testing.assert_close(found, expected)
    values = torch.randn(4, 1)
    found = task_for(values, data_of(None, 4)).loss(values, None)
    torch.testing.assert_close(found, values[:, 0] ** 2)


# -- the user's metric -----------------------------------------------------------------------


def distance(outputs: Tensor, targets: Tensor) -> Tensor:
    return -(outputs.argmax(1) - targets).abs().float()


def test_a_metric_scores_each_sample() -> None:
    outputs, targets = torch.randn(30, 8), torch.randint(8, (30,))
    task = task_for(outputs, data_of(targets), distance)
    outcome = task.judge(outputs, targets)
    assert (task.name, task.label, task.word) == ("classes", "distance", "distance")
    assert not task.binary
    assert (task.share, task.unit) == (False, "distance")
    assert torch.equal(outcome.score, distance(outputs, targets))  # type: ignore[arg-type]
    own = CLASSES.measures(CLASSES.judge(outputs, targets))
    expected = {"distance": float(distance(outputs, targets).double().mean())} | own
    assert task.measures(outcome) == pytest.approx(expected)


@pytest.mark.parametrize("kind", [float, torch.tensor, np.float64])
def test_a_metric_may_give_one_number_for_a_block(kind: Callable[[float], object]) -> None:
    outputs, targets = text()

    def share(outputs: Tensor, targets: Tensor) -> object:
        return kind(float((outputs.argmax(-1) == targets).float().mean()))

    task = task_for(outputs, data_of(targets), share)  # type: ignore[arg-type]
    blocks = [task.judge(outputs[:4], targets[:4]), task.judge(outputs[4:], targets[4:])]
    outcome = concatenate(blocks)
    expected = float((outputs.argmax(-1) == targets).double().mean())
    assert task.measures(outcome)["share"] == pytest.approx(expected)
    plain = judged(outputs, targets)
    assert task.measures(outcome) == pytest.approx(
        {"share": expected} | plain[0].measures(plain[1])
    )
    assert outcome.weight is not None
    assert outcome.weight.tolist() == [4, 0, 0, 0, 2, 0], "two observations, not six"


def test_a_metric_may_know_what_nothing_else_does() -> None:
    outputs, targets = torch.randn(6, 1), torch.randint(2, (6,)) + 5
    task = task_for(outputs, data_of(targets), lambda o, t: ((o[:, 0] > 0) == (t > 5)).float())
    outcome = task.judge(outputs, targets)
    right = ((outputs[:, 0] > 0) == (targets > 5)).double().mean()
    assert task.measures(outcome) == {"metric": pytest.approx(float(right))}
    with pytest.raises(ValueError, match="criterion that needs none"):
        task.loss(outputs, targets)


def test_without_targets_a_metric_sees_the_dense_outputs() -> None:
    outputs, dense = torch.randn(6, 3), torch.randn(6, 3)
    task = task_for(outputs, data_of(None, 6), lambda o, t: -(o - t).abs().amax(1))
    outcome = task.judge(outputs, dense)
    assert torch.equal(outcome.score, -(outputs - dense).abs().amax(1))  # type: ignore[arg-type]


def test_a_metric_that_fails_is_named() -> None:
    outputs, targets = torch.randn(6, 3), torch.zeros(6).long()

    def wrong(outputs: Tensor, targets: Tensor) -> Tensor:
        return outputs[:, 0] + torch.zeros(5)

    with pytest.raises(ValueError, match=r"metric 'wrong' failed on outputs of shape \(6, 3\)"):
        task_for(outputs, data_of(targets), wrong).judge(outputs, targets)
    with pytest.raises(ValueError, match="metric 'metric' gave 18 numbers for 6 samples"):
        task_for(outputs, data_of(targets), lambda o, t: o).judge(outputs, targets)


def test_a_metric_sees_targets_as_they_were_given() -> None:
    outputs, targets = torch.randn(6, 4), torch.eye(4)[torch.tensor([0, 1, 2, 3, 0, 1])]
    seen = []

    def chosen(outputs: Tensor, targets: Tensor) -> Tensor:
        seen.append(targets)
        return (outputs * targets).sum(1)

    task = task_for(outputs, data_of(targets), chosen)
    outcome = task.judge(outputs, task.targets(targets))
    assert torch.equal(seen[0], targets)
    assert not task.single
    plain = CLASSES.measures(CLASSES.judge(outputs, targets.argmax(1)))
    assert task.measures(outcome)["accuracy"] == plain["accuracy"]


# -- what the user says --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "targets", "name", "needs"),
    [
        ((4, 1), torch.zeros(9), "classes", "two outputs or more"),
        ((4, 3), torch.rand(9), "classes", "one whole number"),
        ((4, 3), torch.randint(3, (9,)), "labels", "targets of 0 and 1"),
        ((4, 3), torch.randint(3, (9,)), "binary", "one output for each sample"),
        ((4, 3), torch.randint(3, (9,)), "positions", "for each position"),
        ((4, 3), torch.randint(3, (9,)), "values", "as many targets as there are outputs"),
        ((4,), torch.randint(3, (9,)), "agreement", "two outputs or more for each sample"),
        ((4, 3), None, "labels", "needs targets"),
        ((4, 3), None, "colours", "task must be one of classes, binary"),
    ],
)
def test_a_task_that_cannot_be_is_a_sentence(
    shape: tuple[int, ...], targets: Tensor | None, name: str, needs: str
) -> None:
    with pytest.raises(ValueError, match=needs):
        task_for(torch.zeros(shape), data_of(targets, 9), name=name)


@pytest.mark.parametrize(
    ("shape", "targets", "name"),
    [
        ((4, 3), torch.tensor([0.0, 1.0, 2.0]), "classes"),
        ((4, 3), torch.eye(3), "values"),
        ((4, 3), torch.eye(3).long(), "labels"),
        ((4, 1), torch.tensor([18, 45, 30]), "values"),
        ((4, 1), torch.ones(3), "binary"),
        ((4, 3), torch.tensor([0, 1, 2]), "cosine"),
        ((4, 5, 7), torch.zeros(3, 5), "positions"),
    ],
)
def test_a_user_may_say_otherwise(shape: tuple[int, ...], targets: Tensor, name: str) -> None:
    outputs = torch.randn(3, *shape[1:])
    concluded = None
    with contextlib.suppress(ValueError):
        concluded = task_for(outputs, data_of(targets)).name
    task = task_for(outputs, data_of(targets), name=name)
    assert (task.name == name) != (concluded == name)
    assert "as was asked for" in task.note
    outcome = task.judge(outputs, outputs if task.against_dense else task.targets(targets))
    assert bool(torch.isfinite(outcome.loss).all())


def test_labels_in_one_part_of_the_data_tell_of_all() -> None:
    """Rows that happen to be one-hot where it validates are labels if they are not elsewhere."""
    hot, labels = Data(torch.zeros(3, 1), torch.eye(3)), Data(torch.zeros(1, 1), torch.ones(1, 3))
    assert task_for(torch.randn(4, 3), hot).name == "classes"
    assert task_for(torch.randn(4, 3), hot, others=[labels]).name == "labels"


@pytest.mark.parametrize(
    ("score", "delta", "words"),
    [(0.93125, -0.0123, ("93.1 %", "-1.2 points")), (math.nan, 0.5, ("–", "+50.0 points"))],
)
def test_a_share_is_told_in_per_cent(score: float, delta: float, words: tuple[str, str]) -> None:
    assert (CLASSES.score_text(score), CLASSES.change_text(delta)) == words


def test_what_is_no_share_is_told_as_it_is() -> None:
    task = task_for(torch.randn(4, 1), data_of(torch.randn(9)))
    assert task.score_text(0.93125) == "0.931"
    assert task.change_text(-0.0123) == "-0.012 R²"
    assert task.interval_text(0.5, 0.75) == "0.500 – 0.750"
