"""Does a network learn from the answers of the dense one, also without targets?"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.network.replica import fingerprint
from pruneviz.tasks import Task
from pruneviz.tasks.forms import PROBABILITIES
from pruneviz.tasks.table import CLASSES, of_form, positions, values
from pruneviz.tasks.task_choice import task_for
from pruneviz.training.distillation import divergence

CLASS_COUNT = 3


def by_hand(ours: Tensor, theirs: Tensor, temperature: float) -> float:
    """T² · Σ p · ln(p / q) of two rows of logits."""
    p = [math.exp(x / temperature) for x in theirs.tolist()]
    q = [math.exp(x / temperature) for x in ours.tolist()]
    p, q = [x / sum(p) for x in p], [x / sum(q) for x in q]
    return temperature**2 * sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
def test_classes_by_hand(temperature: float) -> None:
    ours = torch.tensor([[1.0, 2.0, -1.0], [0.0, 0.5, 3.0]])
    theirs = torch.tensor([[2.0, 0.0, 0.0], [-1.0, 0.0, 4.0]])
    wanted = sum(by_hand(a, b, temperature) for a, b in zip(ours, theirs, strict=True)) / 2
    assert float(divergence(CLASSES, ours, theirs, None, temperature)) == pytest.approx(
        wanted, rel=1e-4
    )


def test_probabilities_are_not_put_through_a_softmax_twice() -> None:
    ours, theirs = torch.randn(2, 4, CLASS_COUNT)
    plain = divergence(CLASSES, ours, theirs, None, 3.0)
    task = of_form(CLASSES, PROBABILITIES, 2)
    shares = divergence(task, ours.softmax(1), theirs.softmax(1), None, 3.0)
    torch.testing.assert_close(shares, plain)


@pytest.mark.parametrize("axis", [-1, 1])
def test_positions_that_do_not_count_are_left_out(axis: int) -> None:
    shape = (2, 5, CLASS_COUNT) if axis == -1 else (2, CLASS_COUNT, 5, 1)
    ours, theirs = torch.randn(2, *shape)
    rows, others = (x.movedim(axis, -1).reshape(-1, CLASS_COUNT) for x in (ours, theirs))
    targets = torch.zeros(shape[:2] if axis == -1 else (2, 5, 1), dtype=torch.int64)
    targets[0, 1:] = -100
    task: Task = positions(ours, axis)
    wanted = [
        by_hand(a, b, 2.0)
        for a, b, target in zip(rows, others, targets.flatten(), strict=True)
        if target >= 0
    ]
    found = float(divergence(task, ours, theirs, targets, 2.0))
    assert found == pytest.approx(sum(wanted) / len(wanted), rel=1e-4)


def test_yes_or_no_by_hand() -> None:
    ours, theirs = torch.tensor([[0.5], [-2.0]]), torch.tensor([[1.0], [3.0]])
    task = task_for(ours, pv.Data(torch.zeros(2, 1), torch.tensor([0, 1])))
    pairs = [
        (torch.tensor([a, 0.0]), torch.tensor([b, 0.0]))
        for a, b in zip(ours[:, 0].tolist(), theirs[:, 0].tolist(), strict=True)
    ]
    wanted = sum(by_hand(a, b, 2.0) for a, b in pairs) / 2
    assert float(divergence(task, ours, theirs, None, 2.0)) == pytest.approx(wanted, rel=1e-4)


def test_values_by_hand() -> None:
    goals = torch.randn(8, 2)
    ours, theirs = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 4.0]])
    assert float(divergence(values(goals), ours, theirs, None, 7.0)) == pytest.approx(2.5)


# -- in a training -----------------------------------------------------------------------------


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, CLASS_COUNT)).eval()


def opened(*, targets: bool) -> pv.Workbench:
    torch.manual_seed(1)
    inputs = torch.randn(400, 6)
    with torch.no_grad():
        labels = network()(inputs).argmax(1)
    return pv.open(network(), (inputs, labels) if targets else inputs)


PLAN = pv.Plan(sparsity={"0": 0.8})


def test_without_targets_it_learns_from_dense_alone() -> None:
    bench = opened(targets=False)
    before = fingerprint(bench.source.model)
    training = pv.Training(epochs=8, learning_rate=1e-2, distill=1.0)
    trained = bench.train(PLAN, training)
    first, last = trained.table.iloc[0], trained.table.iloc[-1]
    assert last["accuracy"] > first["accuracy"] + 0.05, "agreement with dense, on other samples"
    assert trained.table["loss"].iloc[-1] < trained.table["loss"].iloc[1]
    assert fingerprint(bench.source.model) == before


def test_a_version_agrees_with_the_network_as_it_was_opened_not_with_itself() -> None:
    torch.manual_seed(1)
    bench = pv.open(network(), torch.randn(400, 6), task="agreement")
    inputs = bench.source.validation.inputs
    wanted = network()(inputs).argmax(1)
    once = bench.train(PLAN, pv.Training(epochs=1, learning_rate=1e-2, distill=1.0))
    version = pv.Workbench(once.source("once"), bench)
    twice = version.train(PLAN, pv.Training(epochs=1, learning_rate=1e-2, distill=1.0))
    for trained, began in ((once, bench), (twice, version)):
        again = pv.Workbench(trained.source("again"), began)
        agree = float((again.source.model(inputs).argmax(1) == wanted).float().mean())
        assert agree < 1
        result = again.evaluate(pv.Plan())
        assert result.accuracy == pytest.approx(agree)
        assert result.delta == pytest.approx(agree - 1)
        assert result.from_start.delta == 0
        assert trained.table["accuracy"].iloc[-1] == pytest.approx(agree)
        alone = pv.Workbench(replace(again.source, parent=None))
        assert alone.evaluate(pv.Plan()).accuracy == 1, "with itself, where nothing is before it"
        assert again.identity != alone.identity


def test_without_targets_and_distillation_it_says_what_to_do() -> None:
    for share in (0.0, 0.5):
        with pytest.raises(
            ValueError, match=r"has none; open it with targets, or learn .*distill=1"
        ):
            opened(targets=False).train(PLAN, pv.Training(epochs=1, distill=share))


def test_the_first_loss_is_the_mix_of_both() -> None:
    bench = opened(targets=True)
    settings = {"epochs": 1, "batch": 10_000, "learning_rate": 1e-9, "temperature": 3.0}
    losses = {
        share: bench.train(PLAN, pv.Training(distill=share, **settings)).table["loss"].iloc[-1]  # type: ignore[arg-type]
        for share in (0.0, 0.3, 1.0)
    }
    assert losses[0.3] == pytest.approx(0.7 * losses[0.0] + 0.3 * losses[1.0], rel=1e-5)
    data = bench.source.calibration
    with torch.no_grad():
        ours = bench.prune(PLAN).model(data.inputs)
        theirs = bench.source.model(data.inputs)
    wanted = [by_hand(a, b, 3.0) for a, b in zip(ours, theirs, strict=True)]
    assert losses[1.0] == pytest.approx(sum(wanted) / len(wanted), rel=1e-3)


@pytest.mark.parametrize("values", [{"distill": 1.5}, {"distill": -0.1}, {"temperature": 0.0}])
def test_what_is_out_of_range_is_named(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(values))} must be"):
        pv.Training(**values)  # type: ignore[arg-type]


def test_what_was_trained_before_there_was_distillation_is_found_again() -> None:
    plain = pv.Training(epochs=3)
    assert "distill" not in plain.as_dict()
    assert "temperature" not in plain.as_dict()
    learner = pv.Training(epochs=3, distill=0.5, temperature=4.0)
    for training in (plain, learner):
        assert pv.Training.from_dict(training.as_dict()) == training
