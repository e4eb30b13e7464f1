"""Is every version of a network compared with the network as it was first opened?"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

import pruneviz as pv
from pruneviz.data import Data
from pruneviz.measuring.score import change
from pruneviz.report import report
from pruneviz.sensitivity.scan import LEVELS
from pruneviz.sources import Source
from pruneviz.workbench import Workbench
from pruneviz.workbench.lineage import ledger_words

PLAN = pv.Plan(sparsity={"0": 0.5})
DENSE = pv.Plan()


def network(seed: int, hidden: int = 12) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, hidden), nn.ReLU(), nn.Linear(hidden, 3)).eval()


@pytest.fixture(scope="module")
def line() -> tuple[Workbench, Workbench, Workbench]:
    """A network, a version of it, and a version of that with fewer units."""
    torch.manual_seed(0)
    x = torch.randn(400, 6)
    data = Data(x, x[:, :3].argmax(1))
    first = Source("net", network(1), data.first(200), data.take(slice(200, 400)), ("a", "b", "c"))
    second = replace(first, name="net · v1", model=network(2), parent=first)
    third = replace(first, name="net · v2", model=network(3, hidden=8), parent=second)
    original = Workbench(first)
    return original, Workbench(second, original), Workbench(third)


def test_dense_is_the_network_as_it_was_first_opened(
    line: tuple[Workbench, Workbench, Workbench],
) -> None:
    original, version, later = line
    was = original.evaluate(DENSE)
    assert was.start is None
    assert (was.from_start.delta, was.dense_accuracy) == (0.0, was.accuracy)
    for bench in (version, later):
        assert bench.original.name == "net"
        for plan, n in ((DENSE, None), (PLAN, None), (PLAN, 70)):
            result, reference = bench.evaluate(plan, n), original.evaluate(DENSE, n)
            change_from = change(result.scores, reference.scores, None, result.task)
            assert (result.delta, result.delta_low, result.delta_high) == change_from
            assert result.dense_accuracy == reference.accuracy
            assert result.dense_per_class == reference.per_class
            assert torch.equal(result.dense_predicted, reference.predicted)
    assert original.evaluate(DENSE).accuracy != version.evaluate(DENSE).accuracy


def test_a_ledger_of_a_version_says_what_dense_is(
    line: tuple[Workbench, Workbench, Workbench],
) -> None:
    original, version, later = line
    assert ledger_words(original) == ""
    assert "is net · v1 before anything is cut" in ledger_words(version)
    assert "its first network, net, has" in ledger_words(later)
    text = report(version, PLAN, cost=version.cost(PLAN))
    assert ledger_words(version) in text


def test_beside_it_stands_the_change_from_the_start_of_the_version(
    line: tuple[Workbench, Workbench, Workbench],
) -> None:
    version = line[1]
    uncut, cut = version.evaluate(DENSE), version.evaluate(PLAN)
    assert uncut.start is not None
    assert (uncut.start.delta, uncut.start.low, uncut.start.high) == (0.0, 0.0, 0.0)
    assert cut.start is not None
    expected = change(cut.scores, uncut.scores, None, cut.task)
    assert (cut.start.delta, cut.start.low, cut.start.high) == expected
    part = version.evaluate(PLAN, 200, 100)
    assert part.start is not None
    halves = change(cut.scores[100:], uncut.scores[100:], None, cut.task)
    assert (part.start.delta, part.start.low, part.start.high) == halves


def test_parameters_are_counted_of_the_first_network(
    line: tuple[Workbench, Workbench, Workbench],
) -> None:
    original, _, later = line
    whole, left = original.counts(DENSE), later.counts(DENSE)
    assert (left.params, left.macs, left.bytes_dense) == (
        *(whole.params, whole.macs, whole.bytes_dense),
    )
    assert left.params_kept == sum(p.numel() for p in later.source.model.parameters())
    assert left.params_kept < left.params


def test_a_curve_begins_where_its_network_does(
    line: tuple[Workbench, Workbench, Workbench],
) -> None:
    version = line[1]
    table = version.scan(levels=LEVELS[-1:])
    ruined = version.evaluate(pv.Plan(sparsity={"0": LEVELS[-1]}))
    row = table[(table["layer"] == "0") & (table["sparsity"] == LEVELS[-1])].iloc[0]
    assert row["delta"] == pytest.approx(ruined.from_start.delta)


def test_a_version_scored_otherwise_is_compared_under_that_score(
    line: tuple[Workbench, Workbench, Workbench],
) -> None:
    def sure(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return outputs.softmax(1).gather(1, targets[:, None])[:, 0]

    version = Workbench(replace(line[1].plain_source, metric=sure))
    result = version.evaluate(DENSE)
    inputs, targets = version.source.validation.inputs, version.source.validation.targets
    assert isinstance(inputs, torch.Tensor)
    assert targets is not None
    with torch.no_grad():
        reference = sure(line[0].source.model(inputs), targets)
    assert result.dense_accuracy == pytest.approx(float(reference.mean()), abs=1e-5)


def test_what_a_training_makes_knows_where_it_came_from() -> None:
    torch.manual_seed(0)
    x = torch.randn(60, 6)
    bench = pv.open(network(1), (x, x[:, :3].argmax(1)))
    trained = bench.train(PLAN, pv.Training(epochs=1))
    version = Workbench(trained.source("v1"))
    again = version.train(PLAN, pv.Training(epochs=1))
    later = Workbench(again.source("v2"))
    dense = bench.evaluate(DENSE)
    assert later.evaluate(again.plan).dense_accuracy == dense.accuracy
    assert later.parent is not None
    assert later.parent.name == "v1"


def test_a_version_is_seen_beside_all_that_it_comes_from() -> None:
    torch.manual_seed(0)
    x = torch.randn(120, 6)
    bench = pv.open(network(1), (x, x[:, :3].argmax(1)))
    assert bench.landmarks == ()
    repaired = pv.Plan("l2", "neuron", sparsity={"0": 0.5}, repair=("reconstruct",))
    version = Workbench(bench.train(repaired, pv.Training(epochs=1)).source("v1"), bench)
    fresh = pv.Training(epochs=1, start="new", seed=3)
    trained = version.train(PLAN, fresh)
    later = Workbench(trained.source("v2"), version)
    kinds = [(mark.kind, mark.name) for mark in later.landmarks]
    assert kinds == [
        ("dense", bench.name),
        *((kind, "v1") for kind in ("cut", "repaired", "random", "trained")),
        *((kind, "v2") for kind in ("new", "cut", "random", "trained")),
    ]
    by_kind = {mark.kind: mark for mark in later.landmarks[5:]}
    begin = by_kind["cut"].bench.evaluate(by_kind["cut"].plan)
    assert begin.accuracy == trained.table["accuracy"].iloc[0]
    assert begin.dense_accuracy == bench.evaluate(DENSE).accuracy
    left = by_kind["trained"].params_left
    assert left == later.counts(trained.plan).params_kept == trained.table["params"].iloc[-1]
    assert "v2, cut, not trained: Magnitude" in by_kind["cut"].words
