"""Is a plan measured rightly, on any prefix, once only, and the same from every thread?"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss, r2_score
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.data import Data, Inputs, Metric, Outcome
from pruneviz.measuring.answers import BLOCK, answer, empty_outcome, join
from pruneviz.measuring.evaluate import Evaluation, summarise
from pruneviz.measuring.intervals import mean_difference, mean_interval, paired_difference, wilson
from pruneviz.plan import Plan
from pruneviz.sources import Source
from pruneviz.storage.cache import Cache
from pruneviz.tasks import CLASSES, task_for
from pruneviz.tasks.table import values
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


@pytest.fixture
def counting() -> Workbench:
    inputs = torch.randn(300, 6)
    data = Data(inputs, (inputs[:, 0] > 0).long() + (inputs[:, 1] > 0).long())
    source = Source("counting", Counting().eval(), data.first(40), data, ("a", "b", "c"))
    made = Workbench(source)
    SEEN.clear()  # opening looks at a sample, to see what comes out
    return made


HALF = Plan(sparsity={"fc1": 0.5, "fc2": 0.25})


def same(one: Evaluation, other: Evaluation) -> bool:
    """Bit by bit, NaN equal to NaN."""
    pairs = zip(vars(one).values(), vars(other).values(), strict=True)
    return all(torch.equal(a, b) if isinstance(a, Tensor) else repr(a) == repr(b) for a, b in pairs)


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


# -- prefixes, and measuring once ----------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 100, 128])
def test_any_prefix_can_be_asked_for(bench: Workbench, n: int) -> None:
    plan = Plan(sparsity=dict.fromkeys(bench.layer_of, 0.5))
    result, full = bench.evaluate(plan, n), bench.evaluate(plan)
    assert result.n == n
    assert torch.equal(result.predicted, full.predicted[:n])


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        (0, 300, range(300)),
        (70, 130, range(64, 192)),
        (64, 128, range(64, 128)),
        (290, 295, range(256, 300)),
        (5, 5, range(64)),
        (64, 64, range(0)),
    ],
)
def test_samples_are_answered_in_whole_blocks(
    counting: Workbench, start: int, stop: int, expected: range
) -> None:
    model, data = counting.source.model, counting.source.validation
    outcome = answer(model, {}, data, start, stop, CLASSES)
    with torch.no_grad():
        logits = model(data.inputs)
    places = list(expected)
    assert torch.equal(outcome.predicted, logits.argmax(1)[places])
    loss = nn.functional.cross_entropy(logits, data.targets, reduction="none")
    torch.testing.assert_close(outcome.loss, loss[places])


@pytest.mark.parametrize("n", [0, -1, 129])
def test_a_prefix_that_is_not_there_is_refused(bench: Workbench, n: int) -> None:
    with pytest.raises(ValueError, match=rf"n must be in 1..128 .*, got {n}"):
        bench.evaluate(Plan(), n)


def test_the_same_plan_is_never_measured_twice(counting: Workbench) -> None:
    counting.evaluate(HALF)
    assert sum(SEEN) == 2 * 300, "each sample once dense and once pruned"
    counting.evaluate(HALF)
    counting.evaluate(HALF, 10)
    counting.evaluate(Plan())
    counting.evaluate(Plan(sparsity={"fc2": 0.25, "fc1": 0.5}))
    assert sum(SEEN) == 2 * 300


def test_plans_that_cut_the_same_share_one_measurement(counting: Workbench) -> None:
    counting.evaluate(HALF)
    before = sum(SEEN)
    counting.evaluate(replace(HALF, seed=5))
    counting.evaluate(replace(HALF, relative=True))
    counting.evaluate(Plan("wanda", "neuron", sparsity={"fc1": 0}))
    assert sum(SEEN) == before
    assert counting.samples_measured(replace(HALF, seed=5)) == 300


def test_a_longer_prefix_measures_only_what_is_missing(counting: Workbench) -> None:
    counting.evaluate(HALF, BLOCK)
    assert sum(SEEN) == 2 * BLOCK
    counting.evaluate(HALF, 2 * BLOCK)
    assert sum(SEEN) == 2 * 2 * BLOCK
    counting.evaluate(HALF)
    assert sum(SEEN) == 2 * 300


def test_what_was_measured_is_told(counting: Workbench) -> None:
    assert counting.samples_measured(HALF) == 0
    counting.evaluate(HALF, 10)
    assert 10 <= counting.samples_measured(HALF) <= BLOCK
    counting.evaluate(HALF)
    assert counting.samples_measured(HALF) == 300


def test_a_prefix_first_gives_the_numbers_of_all_at_once(counting: Workbench) -> None:
    fresh = Workbench(counting.source)
    for n in (1, 65, 200):
        counting.evaluate(HALF, n)
    assert same(counting.evaluate(HALF), fresh.evaluate(HALF))
    assert same(counting.evaluate(HALF, 65), fresh.evaluate(HALF, 65))


@pytest.mark.parametrize("bench", slow_but(lambda name: name == "lenet5", NETWORKS), indirect=True)
def test_a_prefix_first_gives_the_numbers_of_all_at_once_on_the_samples(
    bench: Workbench, new_bench: Callable[[str], Workbench]
) -> None:
    plan = Plan("lamp", "weight", "global", dict.fromkeys(bench.layer_of, 0.6))
    stepwise, fresh = new_bench(bench.name), new_bench(bench.name)
    for n in (3, 70):
        stepwise.evaluate(plan, n)
    assert same(stepwise.evaluate(plan), fresh.evaluate(plan))


def test_what_a_source_brings_along_is_not_measured_again(counting: Workbench) -> None:
    dense = answer(counting.source.model, {}, counting.source.validation, 0, 300, CLASSES)
    known = Workbench(replace(counting.source, dense=dense))
    SEEN.clear()
    assert known.samples_measured(Plan()) == 300
    known.evaluate(Plan())
    assert SEEN == []
    known.evaluate(HALF)
    assert sum(SEEN) == 300


def test_what_a_source_brings_along_can_be_confirmed(counting: Workbench) -> None:
    source, here = counting.source, counting.evaluate(Plan())
    dense = answer(source.model, {}, source.validation, 0, 300, CLASSES)
    wrong = Outcome((dense.predicted + 1) % 3, dense.loss)
    doubtful = Workbench(replace(source, dense=wrong))
    assert doubtful.evaluate(Plan()).accuracy != here.accuracy
    doubtful.confirm_dense()
    assert same(doubtful.evaluate(Plan()), here)


# -- threads -------------------------------------------------------------------------------


@pytest.mark.parametrize("bench", slow_but(lambda name: name == "lenet5", NETWORKS), indirect=True)
def test_two_threads_measure_what_one_after_the_other_does(
    bench: Workbench, new_bench: Callable[[str], Workbench]
) -> None:
    plans = [
        Plan(criterion, granularity, scope, dict.fromkeys(bench.layer_of, level))
        for criterion, granularity, scope in (
            ("magnitude", "weight", "layer"),
            ("magnitude", "neuron", "layer"),
            ("random", "weight", "global"),
        )
        for level in (0.3, 0.6)
    ]
    alone, shared = new_bench(bench.name), new_bench(bench.name)
    expected = [alone.evaluate(plan, 80) for plan in plans]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda plan: shared.evaluate(plan, 80), plans))
    for one, other in zip(found, expected, strict=True):
        # The last bit of a matrix product depends on where a thread's memory happens to lie.
        assert one.loss == pytest.approx(other.loss, rel=1e-6)
        assert one.measures == pytest.approx(other.measures, rel=1e-6)
        measures = {"measures": other.measures, "dense_measures": other.dense_measures}
        assert same(replace(one, loss=other.loss, **measures), other)


def test_two_threads_with_one_plan_measure_it_once(counting: Workbench) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: counting.evaluate(HALF), range(8)))
    assert all(same(result, results[0]) for result in results)
    assert sum(SEEN) == 2 * 300


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
