"""How are values, blocks and answers beside the dense network measured?"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import rel_entr, softmax
from sklearn.metrics import (
    r2_score,
    root_mean_squared_error,
)
from torch import Tensor

from pruneviz.data import Outcome
from pruneviz.tasks import Task, task_for
from pruneviz.tasks.task_scores import concatenate
from tests.test_tasks import INF, NAN, data_of, judged


def compared(outputs: Tensor, dense: Tensor, name: str | None = None) -> tuple[Task, Outcome]:
    task = task_for(outputs[:2], data_of(None, len(outputs)), name=name)
    return task, task.judge(outputs, dense)


# -- values --------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(150,), (150, 1), (150, 4)])
@pytest.mark.parametrize("offset", [0.0, 2000.0])
def test_values_are_measured_as_scikit_learn_does(shape: tuple[int, ...], offset: float) -> None:
    targets = torch.randn(shape) * 3 + offset
    outputs = targets + torch.randn(shape)
    task, outcome = judged(outputs, targets)
    found = task.measures(outcome)
    assert list(found) == ["R²", "RMSE"]
    assert found["R²"] == pytest.approx(r2_score(targets.numpy(), outputs.numpy()), rel=1e-5)
    flat = (x.flatten().numpy() for x in (targets, outputs))
    assert found["RMSE"] == pytest.approx(root_mean_squared_error(*flat), rel=1e-5)


def test_blocks_are_measured_by_the_spread_of_all() -> None:
    targets, outputs = torch.randn(100, 2), torch.randn(100, 2)
    task, whole = judged(outputs, targets)
    parts = [task.judge(outputs[i : i + 30], targets[i : i + 30]) for i in range(0, 100, 30)]
    assert task.measures(concatenate(parts))["R²"] == pytest.approx(task.measures(whole)["R²"])


def test_outputs_with_or_without_a_last_dimension_are_the_same() -> None:
    targets, outputs = torch.randn(30), torch.randn(30)
    expected = judged(outputs, targets)[1].score
    for first, second in ((outputs[:, None], targets), (outputs, targets[:, None])):
        assert torch.equal(judged(first, second)[1].score, expected)  # type: ignore[arg-type]


def test_of_pictures_all_pixels_share_one_spread() -> None:
    targets = torch.randn(40, 2, 3, 3) * torch.linspace(0.01, 5, 9).view(3, 3)
    outputs = targets + 0.5 * torch.randn_like(targets)
    task, outcome = judged(outputs, targets)
    weighted = r2_score(
        targets.flatten(1).numpy(), outputs.flatten(1).numpy(), multioutput="variance_weighted"
    )
    assert task.measures(outcome)["R²"] == pytest.approx(weighted, rel=1e-5)


def test_a_target_that_never_varies_is_met_or_not() -> None:
    _, outcome = judged(torch.tensor([2.0, 2.0, 2.5, 2.0]), torch.full((4,), 2.0))
    assert outcome.score is not None
    assert outcome.score.tolist() == [1, 1, 0, 1]


# -- against the dense network ---------------------------------------------------------------


@pytest.mark.parametrize("shape", [(50, 7), (50, 5, 7)])
def test_agreement_and_divergence_are_those_of_numpy(shape: tuple[int, ...]) -> None:
    outputs, dense = torch.randn(shape), torch.randn(shape)
    task, outcome = compared(outputs, dense, "agreement")
    found = task.measures(outcome)
    p, q = (softmax(x.double().numpy(), axis=-1) for x in (dense, outputs))
    assert found["KL divergence"] == pytest.approx(rel_entr(p, q).sum(-1).mean(), rel=1e-5)
    assert found["top-1 agreement"] == pytest.approx(np.mean(p.argmax(-1) == q.argmax(-1)))


def test_closeness_is_one_minus_the_relative_error() -> None:
    dense = torch.tensor([[3.0, 4.0], [0.0, 2.0], [0.0, 0.0], [0.0, 0.0]])[:, :, None, None]
    outputs = torch.tensor([[3.0, 4.5], [2.0, 2.0], [0.0, 0.0], [0.0, 1.0]])[:, :, None, None]
    task, outcome = compared(outputs, dense)
    assert outcome.score is not None
    assert outcome.score.tolist() == pytest.approx([0.9, 0.0, 1.0, 0.0])
    assert task.measures(outcome)["relative error"] == pytest.approx((0.1 + 1 + 0 + 1) / 4)


@pytest.mark.parametrize("shape", [(6, 4), (6, 3, 4), (6, 2), (6, 3, 4, 4)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("name", ["agreement", "closeness", "cosine"])
def test_the_dense_network_is_as_good_as_itself(
    shape: tuple[int, ...], dtype: torch.dtype, name: str
) -> None:
    outputs = torch.randn(shape).to(dtype)
    _, outcome = compared(outputs, outputs, name)
    assert outcome.score is not None
    assert outcome.score.tolist() == [1] * 6
    assert outcome.loss.tolist() == [0] * 6


def test_a_class_that_dense_rules_out_does_not_diverge() -> None:
    dense, outputs = torch.tensor([[0.0, 1.0, -INF]]), torch.tensor([[0.0, 1.0, -50.0]])
    _, outcome = compared(outputs, dense, "agreement")
    assert float(outcome.loss) == pytest.approx(0, abs=1e-6)
    assert float(compared(dense, outputs, "agreement")[1].loss) == INF


# -- broken answers --------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [NAN, INF])
@pytest.mark.parametrize(
    ("outputs", "targets"),
    [
        (torch.ones(3, 4), torch.zeros(3).long()),
        (torch.ones(3, 4), torch.ones(3, 4)),
        (torch.ones(3, 4), None),
        (torch.ones(3, 4, 2, 2), None),
    ],
)
def test_a_broken_answer_counts_as_none(
    outputs: Tensor, targets: Tensor | None, bad: float
) -> None:
    broken = outputs.clone()
    broken[1].view(-1)[0] = bad  # as class 0, the right one
    if targets is None:
        _, outcome = compared(broken, outputs)
    else:
        _, outcome = judged(broken, targets)
    assert outcome.score is not None
    assert outcome.score.tolist() == [1, 0, 1]
    assert outcome.loss[1] == INF
    assert outcome.more["broken"].tolist() == [False, True, False]
    assert outcome.predicted[1] == -1


def test_a_broken_position_counts_as_wrong() -> None:
    outputs, targets = torch.zeros(1, 4, 3), torch.tensor([[0, 0, 0, -100]])
    outputs[0, 1:, 0] = NAN
    _, outcome = judged(outputs, targets)
    assert float(outcome.score) == pytest.approx(1 / 3)  # type: ignore[arg-type]
    assert float(outcome.loss) == INF
    assert bool(outcome.more["broken"])
    outputs[0, :3] = 0
    _, outcome = judged(outputs, targets)
    assert not bool(outcome.more["broken"])
    assert float(outcome.loss) == pytest.approx(math.log(3))


def test_half_precision_that_overflows_is_told() -> None:
    outputs = (torch.full((1, 3), 300.0).half() * torch.tensor([300.0, 1, 1]).half())[:, :]
    _, outcome = judged(outputs, torch.tensor([0]))
    assert outcome.more["broken"].tolist() == [True]
