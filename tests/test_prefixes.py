"""Is a prefix measured as the whole, and nothing twice?"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from pruneviz.data import Outcome
from pruneviz.measuring.answers import BLOCK, answer
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.tasks import CLASSES
from pruneviz.workbench import Workbench
from tests.cases import slow_but
from tests.conftest import NETWORKS
from tests.test_evaluate import HALF, SEEN, counting_bench


@pytest.fixture
def counting() -> Workbench:
    return counting_bench()


def same(one: Evaluation, other: Evaluation) -> bool:
    """Bit by bit, NaN equal to NaN."""
    pairs = zip(vars(one).values(), vars(other).values(), strict=True)
    return all(torch.equal(a, b) if isinstance(a, Tensor) else repr(a) == repr(b) for a, b in pairs)


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
