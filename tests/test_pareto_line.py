"""Is the line of predicted plans the best by its curves, and does it keep to its limits?"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from pruneviz.allocation.least_damage import least_damage
from pruneviz.allocation.pareto_line import ParetoLine
from pruneviz.allocation.request import SearchRequest
from pruneviz.allocation.search import half_of
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench
from tests.small import small_bench

Benches = Callable[[str], Workbench]
Tables = list[np.ndarray]


def problem(seed: int, sliders: int, levels: int) -> tuple[Tables, Tables]:
    """Damages and what levels take away, in whole 64ths, so that nothing is rounded."""
    draw = np.random.default_rng(seed)
    widths = draw.multinomial(64 - sliders * (levels - 1), [1 / sliders] * sliders)
    takes, damages = [], []
    for width in widths:
        steps = 1 + draw.multinomial(width, [1 / (levels - 1)] * (levels - 1))
        takes.append(np.concatenate([[0], steps.cumsum()]) / 64)
        damages.append(np.concatenate([[0.0], draw.exponential(size=levels - 1).cumsum()]))
    return damages, takes


def value(tables: Tables, row: list[int]) -> float:
    return sum(table[level] for table, level in zip(tables, row, strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_no_choice_of_levels_does_less_damage(seed: int) -> None:
    damages, takes = problem(seed, sliders=3, levels=4)
    targets = [0.0, 0.2, 0.5, 0.8, 1.0]
    for target, row in zip(targets, least_damage(damages, takes, targets), strict=True):
        every = itertools.product(range(4), repeat=3)
        enough = [list(r) for r in every if value(takes, list(r)) >= target - 1e-12]
        assert value(takes, row) >= target - 1e-12
        assert value(damages, row) == pytest.approx(min(value(damages, r) for r in enough))


@pytest.mark.parametrize("seed", range(2))
def test_a_solver_of_whole_numbers_finds_no_better(seed: int) -> None:
    damages, takes = problem(seed, sliders=6, levels=6)
    cost, take = np.concatenate(damages), np.concatenate(takes)
    one_each = np.kron(np.eye(6), np.ones(6))
    for target in (0.3, 0.6, 0.9):
        best = milp(
            cost,
            constraints=[LinearConstraint(one_each, 1, 1), LinearConstraint(take, target - 1e-9)],
            integrality=np.ones(36),
            bounds=Bounds(0, 1),
        )
        (row,) = least_damage(damages, takes, [target])
        assert value(damages, row) == pytest.approx(best.fun)


def test_what_is_more_than_can_go_takes_all() -> None:
    tables = [np.array([0.0, 1.0])]
    assert least_damage(tables, [np.array([0.0, 0.25])], [0.25, 1.0]) == [[1], [1]]


@pytest.fixture(scope="module")
def scanned() -> Workbench:
    """A small network whose layers were all scanned."""
    bench = small_bench(400)
    bench.studies.curves(levels=(0.25, 0.5, 0.75, 0.9))
    return bench


@pytest.fixture(scope="module")
def line(scanned: Workbench) -> ParetoLine:
    """Its line."""
    return scanned.studies.pareto()


def test_less_is_left_and_less_is_promised_from_point_to_point(line: ParetoLine) -> None:
    assert len(line.points) > 3
    for one, other in itertools.pairwise(line.points):
        assert other.removed > one.removed
        assert other.params < one.params
        assert other.prediction.accuracy < one.prediction.accuracy
    assert all(p.prediction.low <= p.prediction.accuracy <= p.prediction.high for p in line.points)


def test_what_a_point_removes_is_what_its_plan_cuts(line: ParetoLine, scanned: Workbench) -> None:
    for one in line.points:
        report = scanned.masks(one.plan).report
        assert one.removed == pytest.approx(1 - report["kept"].sum() / report["total"].sum())
        assert one.params == scanned.counts(one.plan).params_kept


def test_it_was_corrected_by_plans_of_its_own(line: ParetoLine, scanned: Workbench) -> None:
    assert 0 < line.plans <= 40
    assert line.samples == half_of(scanned)
    assert f"{line.plans} plans" in line.words
    assert list(line.table)[:5] == ["removed", "params", "accuracy", "low", "high"]
    assert len(line.table) == len(line.points)
    measured = [scanned.evaluate(one.plan, line.samples).accuracy for one in line.points]
    predicted = [one.prediction.accuracy for one in line.points]
    assert np.abs(np.subtract(measured, predicted)).mean() < 0.1


def test_the_second_time_nothing_is_measured(
    line: ParetoLine, scanned: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def evaluate(*_: object) -> None:
        pytest.fail("a plan was measured")

    monkeypatch.setattr(scanned, "evaluate", evaluate)
    assert scanned.studies.known_pareto() == line
    assert scanned.studies.pareto() == line
    other = SearchRequest(Plan(sparsity={"0": 0.9}))
    assert scanned.studies.known_pareto(other) == line, "what is free begins at nothing"


def test_a_locked_layer_keeps_its_level(scanned: Workbench) -> None:
    request = SearchRequest(Plan(sparsity={"0": 0.25}), locked=["0"])
    assert scanned.studies.known_pareto(request) is None
    line = scanned.studies.pareto(request)
    assert {one.plan.sparsity["0"] for one in line.points} == {0.25}
    assert scanned.studies.known_pareto(request) == line


def test_a_floor_holds(scanned: Workbench) -> None:
    line = scanned.studies.pareto(SearchRequest(floor=0.5))
    assert max(level for one in line.points for level in one.plan.sparsity.values()) == 0.5


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (SearchRequest(Plan(granularity="2:4")), "one level only"),
        (SearchRequest(locked=["0", "4"]), "every layer is locked"),
        (SearchRequest(Plan("wanda")), "nothing was scanned yet"),
        (SearchRequest(budget="euros"), "unknown budget 'euros'"),
    ],
)
def test_what_has_no_line_says_why(scanned: Workbench, request_: SearchRequest, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        scanned.studies.pareto(request_)


def test_a_damaged_line_is_drawn_again(
    line: ParetoLine, scanned: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = scanned.studies.memory
    with monkeypatch.context() as patch:
        patch.setattr(memory, "get", lambda key: '[["?"]]')
        assert scanned.studies.known_pareto() is None
    assert scanned.studies.known_pareto() == line
