"""Does a search by measurement find what is at least as good as where it began?"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch

from pruneviz.allocation import smallest
from pruneviz.allocation.methods import ALLOCATIONS
from pruneviz.allocation.request import SearchRequest
from pruneviz.allocation.search import SearchResult
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench

Benches = Callable[[str], Workbench]


@pytest.fixture(scope="module")
def found(benches: Benches) -> SearchResult:
    """A search on lenet5, with one layer locked."""
    return benches("lenet5").studies.search(
        "sensitivity", 0.85, SearchRequest(locked=["conv1"], evaluations=25)
    )


def test_it_ends_no_worse_than_the_best_method(found: SearchResult) -> None:
    assert found.result is not None
    best = max(found.tried, key=lambda tried: tried.accuracy)
    assert found.result.accuracy >= best.accuracy
    assert found.start == best.method or found.result.accuracy == best.accuracy


def test_every_method_is_tried_at_the_target(found: SearchResult, benches: Benches) -> None:
    names = {tried.method.split(" ")[0] for tried in found.tried}
    assert names == set(ALLOCATIONS)
    for tried in (*found.tried, found):
        report = benches("lenet5").masks(tried.plan).report.set_index("layer").drop("conv1")
        cut = int((report["total"] - report["kept"]).sum())
        assert cut == round(0.85 * int(report["total"].sum())), tried


def test_half_of_the_samples_search_and_the_others_judge(
    found: SearchResult, benches: Benches
) -> None:
    bench = benches("lenet5")
    assert found.result is not None
    assert found.holdout is not None
    n = len(bench.source.validation)
    assert (found.result.n, found.holdout.n) == (n // 2, n - n // 2)
    whole = bench.evaluate(found.plan)
    hits = found.result.accuracy * found.result.n + found.holdout.accuracy * found.holdout.n
    assert hits == pytest.approx(whole.accuracy * n)
    assert torch.equal(found.holdout.predicted, whole.predicted[n // 2 :])


def test_locks_hold_and_the_target_is_met(found: SearchResult) -> None:
    assert found.plan.sparsity.get("conv1", 0.0) == 0.0
    assert found.got == pytest.approx(0.85, abs=1e-5)
    assert "85.00 % goes" in found.words
    assert f"{found.evaluations} plans were measured" in found.words


def test_it_is_told_what_happens_and_can_be_stopped(benches: Benches) -> None:
    seen: list[tuple[str, float]] = []

    def report(label: str, done: float) -> None:
        seen.append((label, done))
        if done > 0.65:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        benches("lenet5").studies.search("sensitivity", 0.7, progress=report)
    shares = [done for _, done in seen]
    assert shares == sorted(shares)
    assert any(label.startswith("measuring") for label, _ in seen)


@pytest.mark.slow
def test_the_same_search_finds_the_same(
    benches: Benches, new_bench: Benches, found: SearchResult
) -> None:
    again = new_bench("lenet5").studies.search(
        "sensitivity", 0.85, SearchRequest(locked=["conv1"], evaluations=25)
    )
    assert again.plan == found.plan


def test_formulas_measure_nothing(new_bench: Benches) -> None:
    bench = new_bench("lenet300")
    done = bench.studies.search("erk", 0.5)
    assert (done.evaluations, done.samples, done.result, done.holdout) == (0, 0, None, None)
    assert bench.samples_measured(done.plan) == 0


@pytest.mark.slow
def test_units_are_searched_too(benches: Benches) -> None:
    bench = benches("lenet300")
    request = SearchRequest(Plan(granularity="neuron"), "macs", ["fc3"], evaluations=6)
    done = bench.studies.search("sensitivity", 0.5, request)
    assert abs(done.got - 0.5) < 0.05
    assert "MACs" in done.words
    if abs(done.got - 0.5) >= 0.0005:
        assert "50 % was asked for" in done.words


# -- the other way round -----------------------------------------------------------------------


def test_what_may_be_lost_is_surely_not_lost(benches: Benches) -> None:
    bench = benches("lenet5")
    done = bench.studies.smallest(0.1, SearchRequest(evaluations=40))
    assert done.result is not None
    assert done.result.delta_low >= -0.1
    assert 0 < done.got < 1
    assert "loses at most 10 points (95 % confidence)" in done.words
    assert done.evaluations <= 40 + 2 + 17  # and the way that is confirmed


@pytest.mark.parametrize(
    ("low", "high", "holds"), [(-0.1, 0.1, True), (-0.11, 0.1, False), (-0.3, -0.11, False)]
)
def test_a_plan_holds_where_its_worst_is_allowed(low: float, high: float, holds: bool) -> None:
    """The second look at the other samples would hide it: a search that hopes takes longer."""
    measured = SimpleNamespace(n=64, on=lambda *_: SimpleNamespace(delta_low=low, delta_high=high))
    search = smallest._SmallestSearch(measured, 0.1, 40, lambda *_: None)  # type: ignore[arg-type]
    assert search.holds(Plan()) is holds


def test_the_promise_holds_on_both_halves(new_bench: Benches) -> None:
    bench = new_bench("lenet5")
    done = bench.studies.smallest(0.1, SearchRequest(evaluations=30))
    assert done.result is not None
    assert done.holdout is not None
    assert 0 < done.got < 1
    assert done.result.delta_low >= -0.1
    assert done.holdout.delta_low >= -0.1


@pytest.mark.slow
def test_who_may_lose_more_gets_smaller(benches: Benches) -> None:
    bench = benches("lenet5")
    little = bench.studies.smallest(0.08, SearchRequest(evaluations=40))
    much = bench.studies.smallest(0.5, SearchRequest(evaluations=40))
    assert much.got > little.got


def test_where_the_samples_cannot_tell_it_is_said_before_anything_is_measured(
    benches: Benches,
) -> None:
    studies = benches("lenet5").studies  # 64 samples judge; 0.99³⁶⁸ = 0.0248
    asked: list[str] = []
    with pytest.raises(ValueError, match="368 judging samples at least, there are 64") as refused:
        studies.smallest(0.01, progress=lambda label, done: asked.append(label))
    assert asked == []
    assert str(refused.value) == studies.undecidable(0.01)
    assert "736 validation samples, or allow 5.7 points" in str(refused.value)
    assert studies.undecidable(0.057) == ""
    assert "64" in studies.undecidable(0.055)


@pytest.mark.parametrize("lose", [0, 1, -0.1, True, float("nan")])
def test_what_may_be_lost_is_between_nothing_and_all(benches: Benches, lose: float) -> None:
    with pytest.raises(ValueError, match=r"lose must be in \(0, 1\)"):
        benches("lenet300").studies.smallest(lose)
