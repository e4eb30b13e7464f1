"""How are other tasks than classes measured?"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import pytest
import torch
from sklearn.metrics import r2_score
from torch import Tensor, nn

from pruneviz.data import Data, Inputs, Metric, Outcome
from pruneviz.measuring.answers import answer, empty_outcome, join
from pruneviz.measuring.evaluate import summarise
from pruneviz.measuring.intervals import mean_difference, mean_interval, paired_difference, wilson
from pruneviz.storage.cache import Cache
from pruneviz.tasks import CLASSES, task_for
from pruneviz.tasks.table import values

# -- other tasks than classes --------------------------------------------------------------


class Reader(nn.Module):
    """Reads tokens, and leaves padding out; `answers` picks what it returns for them."""

    def __init__(self, words: int = 6) -> None:
        super().__init__()
        self.embed, self.fc = nn.Embedding(words, 8), nn.Linear(8, words)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
        seen = (self.embed(input_ids) * attention_mask[..., None]).cumsum(1)
        return {"loss": torch.zeros(()), "logits": self.fc(seen)}


def reader() -> tuple[nn.Module, Data]:
    ids, attention = torch.randint(6, (90, 7)), (torch.rand(90, 7) < 0.8).long()
    targets = ids.roll(-1, 1).masked_fill(attention == 0, -100)
    return Reader().eval(), Data({"input_ids": ids, "attention_mask": attention}, targets)


def predictor(outputs: int = 2) -> tuple[nn.Module, Data]:
    inputs = torch.randn(90, 5)
    return nn.Linear(5, outputs).eval(), Data(inputs, inputs[:, :outputs] + 0.1)


def unlabelled(outputs: int) -> tuple[nn.Module, Data]:
    model, data = predictor(outputs)
    return model, Data(data.inputs)


def near(outputs: Tensor, targets: Tensor) -> Tensor:
    return -(outputs - targets).abs().mean(1)


def called(model: nn.Module, inputs: Inputs) -> Tensor:
    with torch.inference_mode():
        given = model(inputs) if isinstance(inputs, Tensor) else model(**inputs)
        found: Tensor = given if isinstance(given, Tensor) else given["logits"]
        return found


OTHERS = [
    pytest.param(reader, None, "positions", id="tokens"),
    pytest.param(predictor, None, "values", id="values"),
    pytest.param(predictor, near, "values", id="metric"),
    pytest.param(lambda: unlabelled(3), None, "agreement", id="agreement"),
    pytest.param(lambda: unlabelled(1), None, "closeness", id="closeness"),
]

Made = Callable[[], tuple[nn.Module, Data]]


def half_of(model: nn.Module) -> dict[str, Tensor]:
    """The weights without half of their numbers."""
    weights = {n: p.detach() for n, p in model.named_parameters() if p.ndim > 1}
    return {n: weight * (torch.rand_like(weight) < 0.5) for n, weight in weights.items()}


def with_tensors(model: nn.Module, tensors: dict[str, Tensor]) -> nn.Module:
    pruned = copy.deepcopy(model)
    for name, tensor in tensors.items():
        pruned.get_parameter(name).data.copy_(tensor)
    return pruned


@pytest.mark.parametrize("block", [1, 16, 64])
@pytest.mark.parametrize(("made", "metric", "name"), OTHERS)
def test_every_task_is_measured_on_any_prefix(
    made: Made, metric: Metric | None, name: str, block: int
) -> None:
    model, data = made()
    tensors, n = half_of(model), 50
    said = name if name == "agreement" else None
    task = task_for(called(model, data.first(2).inputs), data, metric, name=said)
    assert task.name == name
    before = answer(model, {}, data, 0, n, task, block)
    after = answer(model, tensors, data, 0, n, task, block)
    assert len(after) == min(-(-n // block) * block, 90)
    result = summarise(after, before, data.targets, (), n, task)
    # The same from networks that were really changed, all at once.
    outputs = called(with_tensors(model, tensors), data.first(n).inputs)
    dense = called(model, data.first(n).inputs)
    wanted = dense if data.targets is None else data.targets[:n]
    now, was = task.judge(outputs, wanted), task.judge(dense, wanted)
    if task.prefix is not None:
        now, was = (task.prefix(outcome, task.targets(wanted)) for outcome in (now, was))
    assert result.measures == pytest.approx(task.measures(now), rel=1e-4, abs=1e-5)
    assert result.dense_measures == pytest.approx(task.measures(was), rel=1e-4, abs=1e-5)
    found = now.score, was.score
    assert found[0] is not None
    assert found[1] is not None
    assert result.accuracy == pytest.approx(mean_interval(found[0], now.weight)[0], rel=1e-4)
    assert (result.per_class, result.broken, result.n) == ({}, 0, n)
    if task.binary:
        hits = int(found[0].sum())
        assert (result.low, result.high) == wilson(hits, n)
        change = paired_difference(0, n - hits, n)
    else:
        interval = mean_interval(found[0], now.weight, task.bounds)
        assert (result.accuracy, result.low, result.high) == pytest.approx(interval, rel=1e-4)
        change = mean_difference(*found, now.weight, task.bounds)
    found_change = (result.delta, result.delta_low, result.delta_high)
    assert found_change == pytest.approx(change, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize(("made", "metric", "name"), OTHERS)
def test_blocks_asked_one_by_one_are_those_asked_at_once(
    made: Made, metric: Metric | None, name: str
) -> None:
    model, data = made()
    tensors, kept = half_of(model), Cache[Tensor](8)
    task = task_for(called(model, data.first(2).inputs), data, metric)
    once = answer(model, tensors, data, 0, 90, task, 16)
    steps = empty_outcome()
    for start in range(0, 90, 16):
        steps = join(steps, answer(model, tensors, data, start, start + 16, task, 16, kept))
        again = answer(model, tensors, data, start, start + 16, task, 16, kept)
        assert torch.equal(again.loss, steps.loss[start:])
    assert len(steps) == 90
    for field in ("predicted", "loss", "score", "weight"):
        one, other = getattr(steps, field), getattr(once, field)
        assert one is other is None or torch.equal(one, other)
    assert steps.more.keys() == once.more.keys()
    assert (kept.get((0, 16)) is not None) == task.against_dense


@pytest.mark.parametrize("outputs", [1, 3])
def test_dense_agrees_with_itself_for_certain(outputs: int) -> None:
    model, data = unlabelled(outputs)
    task = task_for(called(model, data.first(2).inputs), data)
    dense = answer(model, {}, data, 0, 90, task)
    result = summarise(dense, dense, None, (), 90, task)
    assert (result.accuracy, result.low, result.high, result.loss) == (1, 1, 1, 0)
    assert (result.delta, result.delta_low, result.delta_high) == (0, 0, 0)


def test_a_change_without_effect_is_none() -> None:
    model, data = predictor()
    task = task_for(called(model, data.first(2).inputs), data)
    dense = answer(model, {}, data, 0, 90, task)
    with torch.no_grad():
        dead = nn.Linear(5, 2)
        dead.weight.copy_(model.weight)  # type: ignore[arg-type]
        dead.bias.copy_(model.bias)  # type: ignore[arg-type]
    same_again = answer(dead.eval(), {}, data, 0, 90, task)
    result = summarise(same_again, dense, data.targets, (), 90, task)
    assert (result.delta, result.delta_low, result.delta_high) == (0, 0, 0)
    assert "no measurable change" in result.words


def test_broken_answers_are_counted_and_said() -> None:
    inputs = torch.ones(10, 2)
    inputs[3:5] = 60_000
    model = nn.Linear(2, 3, bias=False).half().eval()
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, 1], [0, 0], [0, 0]]))
    data = Data(inputs, torch.zeros(10).long())
    outcome = answer(model, {}, data, 0, 10, CLASSES)
    result = summarise(outcome, outcome, data.targets, ("a", "b", "c"), 10, CLASSES)
    assert (result.accuracy, result.broken, result.loss) == (0.8, 2, math.inf)
    assert result.per_class["a"] == 0.8
    assert result.words.endswith("; 2 of 10 answers hold NaN or infinite numbers")


def test_a_metric_that_gives_no_number_is_said_to() -> None:
    model, data = predictor()

    def ratio(outputs: Tensor, targets: Tensor) -> Tensor:
        return outputs[:, 0] * math.nan

    task = task_for(called(model, data.first(2).inputs), data, ratio)
    dense, after = (answer(model, m, data, 0, 90, task) for m in ({}, half_of(model)))
    result = summarise(after, dense, data.targets, (), 90, task)
    assert math.isnan(result.accuracy)
    assert not result.measurable
    assert result.words == "the change can't be measured: a score is no finite number"


def test_outcomes_of_different_origin_keep_what_both_have() -> None:
    targets = torch.tensor([0, 1, 1])
    brought = Outcome(torch.tensor([0]), torch.tensor([0.5]))
    here = CLASSES.judge(torch.eye(2)[[1, 0]], targets[1:])
    both = join(brought, here)
    assert both.score is None
    assert both.more == {}
    result = summarise(both, both, targets, ("a", "b"), 3, CLASSES)
    assert result.accuracy == pytest.approx(2 / 3)
    assert result.measures["accuracy"] == pytest.approx(2 / 3)


def test_without_scores_or_targets_nothing_can_be_said() -> None:
    outcome = Outcome(torch.tensor([0]), torch.tensor([0.5]))
    with pytest.raises(ValueError, match="without scores or targets"):
        summarise(outcome, outcome, None, (), 1, CLASSES)


# -- R² of a prefix --------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(90,), (90, 1), (90, 3), (90, 2, 4, 4)])
@pytest.mark.parametrize("n", [90, 37, 2])
def test_r2_of_a_prefix_is_that_of_the_prefix(shape: tuple[int, ...], n: int) -> None:
    # The first samples lie closer together than the rest: the spread of all would flatter them.
    targets = torch.randn(shape) * torch.linspace(0.2, 3, 90).view(-1, *[1] * (len(shape) - 1))
    dense, cut = (targets + size * torch.randn(shape) for size in (0.1, 0.5))
    task = values(targets)
    was, now = task.judge(dense, targets), task.judge(cut, targets)
    result = summarise(now, was, targets, (), n, task)
    kind = "variance_weighted" if len(shape) > 2 else "uniform_average"
    expected = [
        r2_score(targets[:n].reshape(n, -1), x[:n].reshape(n, -1), multioutput=kind)
        for x in (cut, dense)
    ]
    assert result.accuracy == pytest.approx(expected[0], rel=1e-4, abs=1e-5)
    assert result.measures["R²"] == pytest.approx(expected[0], rel=1e-4, abs=1e-5)
    assert result.dense_measures["R²"] == pytest.approx(expected[1], rel=1e-4, abs=1e-5)
    assert result.delta == pytest.approx(expected[0] - expected[1], rel=1e-3, abs=1e-5)


def test_the_interval_of_r2_counts_that_its_spread_is_a_samples() -> None:
    """The deviation of 400 samples' R² is that of R² over many draws of as many samples."""
    targets = torch.randn(400_000)
    outputs = targets + 0.5 * torch.randn(400_000)
    task = values(targets)
    draws = [
        (outputs[i : i + 400].numpy(), targets[i : i + 400].numpy()) for i in range(0, 400_000, 400)
    ]
    deviation = torch.tensor([r2_score(wanted, given) for given, wanted in draws]).std()
    said = []
    for begin in range(0, 40_000, 400):
        part = slice(begin, begin + 400)
        judged = task.judge(outputs[part], targets[part])
        said.append(summarise(judged, judged, targets[part], (), 400, task).scores.std() / 20)
    assert float(torch.stack(said).mean()) == pytest.approx(float(deviation), rel=0.08)


def test_a_broken_value_scores_as_the_mean_of_the_targets() -> None:
    targets = torch.tensor([1.0, 2.0, 3.0, 9.0])
    task = values(targets)
    judged = task.judge(torch.tensor([1.0, math.inf, 3.0, 0.0]), targets)
    result = summarise(judged, judged, targets, (), 3, task)
    assert result.accuracy == pytest.approx(1 - (2 / 3) / (2 / 3) / 3)
    assert result.broken == 1
