"""Is each kind of answer measured as other people measure it?"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.special import rel_entr, softmax
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    r2_score,
    root_mean_squared_error,
    top_k_accuracy_score,
)
from torch import Tensor
from torch.nn.functional import cross_entropy

from pruneviz.data import Data, Outcome
from pruneviz.tasks import CLASSES, Task, task_for
from pruneviz.tasks.measures import mean_of
from pruneviz.tasks.task_scores import concatenate, in_parts, judge_positions

INF, NAN = math.inf, math.nan


def data_of(targets: Tensor | None, n: int = 0) -> Data:
    return Data(torch.zeros(n if targets is None else len(targets), 1), targets)


def judged(outputs: Tensor, targets: Tensor) -> tuple[Task, Outcome]:
    task = task_for(outputs[:2], data_of(targets))
    return task, task.judge(outputs, targets)


def compared(outputs: Tensor, dense: Tensor, name: str | None = None) -> tuple[Task, Outcome]:
    task = task_for(outputs[:2], data_of(None, len(outputs)), name=name)
    return task, task.judge(outputs, dense)


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
