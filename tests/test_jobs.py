"""Is what was settled on measured in full, and kept as far as it got?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from pruneviz.measuring.frontier import Frontiers
from pruneviz.measuring.pace import Pace
from pruneviz.measuring.probe import PATIENCE as FOLLOWED
from pruneviz.plan import Plan
from pruneviz.pruning.chance import control_of
from pruneviz.sources.registered import load_registered
from pruneviz.storage.cache import Cache
from pruneviz.ui.session import start
from pruneviz.ui.session.jobs import is_measured, measure, prepare, so_far, waits
from pruneviz.ui.workbench.board_data import measured_values
from pruneviz.workbench import Workbench

PATIENCE = 120.0
PLAN = Plan("magnitude", sparsity={"fc1": 0.9})


def test_a_job_measures_plan_control_dense_and_evidence(
    new_bench: Callable[[str], Workbench],
) -> None:
    bench = new_bench("lenet5")
    all_ = len(bench.source.validation)
    assert not bench.has_evidence()
    job = measure(bench, PLAN)
    job.wait(PATIENCE)
    assert (job.running, job.error) == (False, None)
    assert bench.samples_measured(PLAN) == all_
    assert bench.samples_measured(replace(PLAN, criterion="random")) == all_
    assert bench.samples_measured(Plan()) == all_
    assert bench.has_evidence()


def test_what_is_measured_in_pieces_is_what_is_measured_at_once(
    new_bench: Callable[[str], Workbench],
) -> None:
    one, other = new_bench("lenet300"), new_bench("lenet300")
    measure(one, PLAN).wait(PATIENCE)
    first, second = one.evaluate(PLAN), other.evaluate(PLAN)
    assert first.predicted.equal(second.predicted)
    assert (first.accuracy, first.loss, first.delta) == (second.accuracy, second.loss, second.delta)


@pytest.mark.parametrize(
    ("plan", "control"),
    [
        (Plan(), None),
        (Plan(sparsity={"fc1": 0.0}), None),
        (Plan("random", sparsity={"fc1": 0.5}), None),
        (PLAN, replace(PLAN, criterion="random")),
        (
            Plan("l2", "neuron", sparsity={"fc1": 0.5}),
            Plan("random", "neuron", sparsity={"fc1": 0.5}),
        ),
        (
            Plan("wanda", "2:4", sparsity={"fc1": 0.5}),
            Plan("random", "2:4", sparsity={"fc1": 0.5}),
        ),
    ],
)
def test_the_control_cuts_as_much_at_random(plan: Plan, control: Plan | None) -> None:
    assert control_of(plan) == control


def test_control_and_plan_keep_as_many_weights(benches: Callable[[str], Workbench]) -> None:
    bench = benches("lenet5")
    filters = Plan("l2", "neuron", sparsity={"conv2": 0.5})
    pooled = Plan("wanda", scope="global", sparsity=dict.fromkeys(bench.layer_of, 0.5))
    for plan in (PLAN, filters, pooled):
        control = control_of(plan)
        assert control is not None
        assert bench.counts(control).params_kept == bench.counts(plan).params_kept


def test_a_cancelled_job_keeps_what_was_measured(new_bench: Callable[[str], Workbench]) -> None:
    source = load_registered("lenet5")
    source = replace(source, validation=source.validation.first(600), dense=None)
    bench = Workbench(source)
    bench.evaluate(PLAN, 100)
    before = bench.samples_measured(PLAN)
    job = measure(bench, PLAN)
    job.cancel()
    job.wait(PATIENCE)
    assert job.cancelled
    assert (job.running, job.error) == (False, None)
    kept = bench.samples_measured(PLAN)
    assert before <= kept <= len(bench.source.validation)

    measure(bench, PLAN).wait(PATIENCE)
    assert bench.samples_measured(PLAN) == len(bench.source.validation)
    afresh = Workbench(source).evaluate(PLAN)
    assert bench.evaluate(PLAN).predicted.equal(afresh.predicted)


def test_what_was_measured_here_is_not_measured_again(
    new_bench: Callable[[str], Workbench],
) -> None:
    bench = new_bench("lenet300")
    assert not is_measured(bench, Plan())
    job = measure(bench, Plan())
    job.wait(PATIENCE)
    assert job.error is None
    assert bench.samples_measured(Plan()) == len(bench.source.validation)
    assert not bench.dense_confirmed, "no source brought anything to be confirmed"
    assert is_measured(bench, Plan())


@pytest.fixture
def slow(new_bench: Callable[[str], Workbench]) -> Workbench:
    """A network that this machine is too slow for, or says so."""
    bench = new_bench("lenet5")
    answering = bench._evaluation_cache
    answering.block = 16
    answering._pace = Pace(10.0)
    return bench


def test_a_slow_network_is_measured_in_blocks_and_spared_what_nobody_asked_for(
    slow: Workbench,
) -> None:
    assert so_far(slow, PLAN) is None
    assert slow.samples_measured(Plan()) == 0, "to look is not to measure"
    warnings: Cache[dict[str, str]] = Cache(2)
    job = measure(slow, PLAN, warnings)
    job.wait(PATIENCE)
    assert job.error is None
    found = so_far(slow, PLAN)
    assert found is not None
    assert found.n == len(slow.source.validation)
    assert warnings.get(PLAN) == {}
    assert slow.samples_measured(replace(PLAN, criterion="random")) == 0
    assert not slow.has_evidence()
    assert is_measured(slow, PLAN)


def test_the_numbers_so_far_are_of_as_many_samples_as_both_networks_answered(
    slow: Workbench,
) -> None:
    slow.evaluate(PLAN, 32)
    slow.evaluate(Plan(), 48)
    found = so_far(slow, PLAN)
    assert found is not None
    assert found.n == 32


def test_what_lies_late_in_a_slow_network_is_answered_while_its_slider_moves(
    slow: Workbench,
) -> None:
    """Where so little lies behind a layer that its plans need not wait for a job."""
    answering = slow._evaluation_cache
    assert slow.graph.nodes
    parts = answering._parts()
    assert isinstance(parts, Frontiers)
    parts._seconds = dict.fromkeys(parts._network.order(()).steps, 1.0)  # each as long as another
    parts._total = float(len(parts._seconds))
    answering._pace = Pace(FOLLOWED / 16 * 5)  # so a fifth of the network may be run
    early, late = (Plan(sparsity={layer: 0.5}) for layer in ("conv1", "fc3"))
    assert slow.slow
    assert (waits(slow, early), waits(slow, late)) == (True, False)
    assert so_far(slow, late) is None, "nothing there to compare with"
    slow.evaluate(Plan(), 48)
    assert so_far(slow, early) is None
    found = so_far(slow, late)
    assert found is not None
    assert 16 <= found.n <= 48
    assert found.accuracy == slow.evaluate(late, found.n).accuracy
    assert slow.samples_measured(Plan()) == 48, "the dense network is not measured for a thumb"
    assert waits(slow, replace(late, repair=("update",)))


@pytest.mark.parametrize(
    ("plan", "parts"),
    [
        (Plan(), ()),
        (Plan("wanda"), ("activity",)),
        (Plan("taylor", "neuron"), ("gradients",)),
        (Plan("l2", "neuron"), ()),
    ],
)
def test_what_a_plan_needs_is_made_ready(
    new_bench: Callable[[str], Workbench], plan: Plan, parts: tuple[str, ...]
) -> None:
    bench = new_bench("lenet300")
    job = prepare(bench, plan, lambda: replace(plan, sparsity={"fc1": 0.5}))
    job.wait(PATIENCE)
    assert job.error is None
    for part in ("activity", "gradients"):
        assert bench.has_evidence(part) == (part in parts)


def test_why_a_plan_cannot_be_made_ready_is_a_sentence(
    new_bench: Callable[[str], Workbench],
) -> None:
    plan = Plan("bn_scale", "neuron", sparsity={"conv1": 0.5})
    job = prepare(new_bench("lenet5"), plan, lambda: plan)
    job.wait(PATIENCE)
    assert "batch norm" in (job.error or "")


@pytest.mark.slow
def test_what_a_source_brings_along_is_measured_again_here() -> None:
    bench = Workbench(load_registered("lenet5"))
    brought = bench.evaluate(Plan()).predicted
    assert not bench.dense_confirmed
    measure(bench, Plan()).wait(PATIENCE)
    assert bench.dense_confirmed
    assert bench.evaluate(Plan()).predicted.equal(brought)


def test_an_error_in_the_work_is_a_sentence(benches: Callable[[str], Workbench]) -> None:
    job = measure(benches("lenet5"), Plan(sparsity={"nosuch": 0.5}))
    job.wait(PATIENCE)
    assert job.error is not None
    assert "'nosuch'" in job.error


@pytest.mark.slow
def test_networks_opened_at_the_same_time_have_the_evidence_of_one_opened_alone(
    new_bench: Callable[[str], Workbench], benches: Callable[[str], Workbench]
) -> None:
    names = ("lenet300", "lenet5", "resnet20", "vit")
    alone = {name: benches(name).evidence() for name in names}
    together = {name: new_bench(name) for name in names}
    errors: list[str] = []

    def open_(bench: Workbench) -> None:
        job = measure(bench, Plan())
        job.wait(PATIENCE)
        if job.error:
            errors.append(job.error)

    threads = [threading.Thread(target=open_, args=(bench,)) for bench in together.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for name, bench in together.items():
        for layer, known in bench.evidence().items():
            variance = alone[name][layer].variance
            assert known.variance is not None
            assert variance is not None
            # Activations are float32, and torch may choose another kernel in another thread.
            torch.testing.assert_close(known.variance, variance, rtol=1e-5, atol=1e-7)


def test_numbers_of_another_plan_say_so_until_the_job_has_its_own(
    new_bench: Callable[[str], Workbench],
) -> None:
    bench = new_bench("lenet5")
    session = start(bench)
    dense = measured_values(session)
    assert dense is not None
    assert "stale" not in dense
    session.settle(replace(session.live, sparsity={"fc1": 0.5}, repair=("recalibrate",)))
    shown = measured_values(session)
    assert shown is not None
    assert shown["stale"]
    assert shown["accuracy"] == dense["accuracy"]
    job = measure(bench, session.settled)
    job.wait(60)
    mine = measured_values(session)
    assert mine is not None
    assert "stale" not in mine
    assert mine["full"]
