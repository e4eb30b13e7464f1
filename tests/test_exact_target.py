"""Do plans meet their targets, with locks and bounds?"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.allocation.exact_target import field_of, prepare
from pruneviz.allocation.methods import ALLOCATIONS
from pruneviz.allocation.request import SearchRequest
from pruneviz.plan import Plan
from pruneviz.sensitivity.curves import Curve, Curves, Point
from pruneviz.workbench import Workbench
from tests.cases import slow_but

Benches = Callable[[str], Workbench]
FORMULAS = [name for name, allocation in ALLOCATIONS.items() if not allocation.measured]


@pytest.mark.parametrize("method", FORMULAS)
@pytest.mark.parametrize("target", slow_but(lambda target: target == 0.777, [0.0, 0.777, 0.9]))
def test_exactly_as_many_weights_go(bench: Workbench, method: str, target: float) -> None:
    plan = bench.allocate(method, target)
    report = bench.masks(plan).report
    cut = int((report["total"] - report["kept"]).sum())
    assert cut == round(target * int(report["total"].sum()))


@pytest.mark.parametrize("method", FORMULAS)
def test_locked_layers_keep_their_level(benches: Benches, method: str) -> None:
    bench = benches("lenet5")
    before = Plan(sparsity={"fc3": 0.25, "fc1": 0.9})
    plan = bench.allocate(method, 0.6, before, locked=["fc3", "conv1"])
    assert plan.sparsity["fc3"] == 0.25
    assert plan.sparsity.get("conv1", 0.0) == 0.0
    report = bench.masks(plan).report.set_index("layer")
    free = report.loc[["conv2", "fc1", "fc2"]]
    assert int((free["total"] - free["kept"]).sum()) == round(0.6 * int(free["total"].sum()))


@pytest.mark.parametrize("method", FORMULAS)
def test_a_floor_is_kept(benches: Benches, method: str) -> None:
    bench = benches("lenet5")
    plan = bench.allocate(method, 0.8, floor=0.15)
    report = bench.masks(plan).report
    assert ((report["kept"] / report["total"]) >= 0.15 - 1e-9).all()
    own = bench.allocate(method, 0.55, floor={"fc1": 0.5})
    assert bench.masks(own).sparsity["fc1"] <= 0.5
    with pytest.raises(ValueError, match="80 % cannot be met: at most"):
        bench.allocate(method, 0.8, floor={"fc1": 0.5})


@pytest.mark.parametrize("budget", ["parameters", "macs", "bytes"])
@pytest.mark.parametrize("name", slow_but(lambda name: name == "lenet5", ["lenet5", "vit"]))
def test_units_come_as_near_as_whole_items_can(benches: Benches, name: str, budget: str) -> None:
    bench, settings = benches(name), Plan(granularity="neuron")
    space = field_of(bench, SearchRequest(settings, budget, list(bench.locks)))
    plan = space.meet(ALLOCATIONS["uniform"].share, 0.5)
    missed = abs(space.fraction(plan) - 0.5)
    one = max(
        abs(space.fraction(part.slider.raise_to(plan, part.slider.level(plan) + by / part.items))
            - space.fraction(plan))
        for part in space.parts for by in (-1, 1)
        if 0 <= part.slider.level(plan) + by / part.items <= 1
    )  # fmt: skip
    assert missed <= one / 2 + 1e-9
    assert missed < 0.02


def test_heads_and_latency_meet_their_targets(benches: Benches) -> None:
    bench = benches("vit")
    heads = bench.allocate("uniform", 0.5, granularity="head")
    assert set(heads.sparsity.values()) == {0.5}
    plan = Plan(granularity="neuron")
    space = field_of(bench, SearchRequest(plan, "latency", list(bench.locks)))
    assert space.fraction(space.meet(ALLOCATIONS["erk"].share, 0.4)) == pytest.approx(0.4, abs=0.02)


def test_densities_are_what_a_plan_keeps_and_never_nothing(benches: Benches) -> None:
    space = field_of(benches("lenet5"), SearchRequest())
    plan = space.parts[1].slider.raise_to(space.parts[0].slider.raise_to(Plan(), 1.0), 0.25)
    assert space.densities(plan) == [0.5 / space.parts[0].items, 0.75, 1.0, 1.0, 1.0]


def test_layers_of_two_items_move_and_of_one_do_not() -> None:
    model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 2), nn.Linear(2, 3))
    bench = pv.open(model, (torch.randn(20, 1), torch.arange(20) % 3))
    assert [part.items for part in field_of(bench, SearchRequest()).parts] == [2, 6]


def test_the_highest_target_is_what_the_bounds_leave(benches: Benches) -> None:
    """Also where it is next to nothing."""
    space = field_of(benches("lenet5"), SearchRequest(floor=0.98))
    share = ALLOCATIONS["uniform+"].share
    highest = space.highest(share)
    total = sum(part.cost for part in space.parts)
    free = sum(min(part.most, part.tame) * part.cost for part in space.parts)
    assert highest == pytest.approx(free / total, abs=1e-6)
    share(space.parts, highest)
    with pytest.raises(ValueError, match="cannot be met"):
        share(space.parts, highest + 1e-4)


def test_damage_is_odds_of_fractions_and_a_difference_of_other_scores(benches: Benches) -> None:
    """Of two layers the one that loses less by that measure goes first."""
    bench = benches("lenet300")
    space = field_of(bench, SearchRequest())

    def levels(dense: float, lost: dict[str, float]) -> list[float]:
        curves = tuple(
            Curve(
                part.slider,
                (Point(0.5, 0.5, 100, a := dense - lost[part.slider.name], a, a, -1, -1, -1,
                       1.0, dense, 1.0),),
            )
            for part in space.parts
        )  # fmt: skip
        known = Curves(Plan(), curves, 100, 0.01, 0, True, "")
        field, _ = prepare(space, "sensitivity", known)
        return [part.damage[1][0] for part in field.parts if part.damage is not None]

    lost = {"fc1": 0.0, "fc2": 0.25, "fc3": 0.5}
    of_fractions = [0.0, math.log(75.5 / 25.5) - math.log(50.5 / 50.5)]
    assert levels(0.75, lost)[:2] == pytest.approx(of_fractions)
    assert levels(-3.0, lost) == pytest.approx([0.0, 0.25, 0.5])


def test_a_method_that_measures_needs_curves(benches: Benches) -> None:
    space = field_of(benches("lenet300"), SearchRequest())
    with pytest.raises(ValueError, match="needs curves of the layers: scan first"):
        prepare(space, "sensitivity")


def test_what_does_not_fit_is_refused_by_name(benches: Benches) -> None:
    bench = benches("lenet300")
    refusals = {
        "unknown method 'best'": lambda: bench.allocate("best", 0.5),
        r"target must be in \[0, 1\), got 1": lambda: bench.allocate("uniform", 1),
        "target must be in": lambda: bench.allocate("uniform", -0.1),
        "no layer 'fc9' to lock": lambda: bench.allocate("uniform", 0.5, locked=["fc9"]),
        "no layer 'fc9' to keep": lambda: bench.allocate("uniform", 0.5, floor={"fc9": 0.1}),
        r"floor of every layer must be in \[0, 1\), got 1": lambda: bench.allocate(
            "uniform", 0.5, floor=1
        ),
        "every layer is locked": lambda: bench.allocate("uniform", 0.5, locked=[*bench.layer_of]),
        "has one level only": lambda: bench.allocate("uniform", 0.5, granularity="2:4"),
        "unknown budget 'watts'": lambda: bench.allocate("uniform", 0.5, budget="watts"),
    }
    for says, act in refusals.items():
        with pytest.raises(ValueError, match=says):
            act()


def test_levels_at_many_targets_add_up(benches: Benches) -> None:
    bench = benches("lenet5")
    targets = [k / 20 for k in range(20)]
    sizes = {name: layer.size for name, layer in bench.layer_of.items()}
    for method in FORMULAS:
        levels = bench.studies.levels(method, targets)
        for place, target in enumerate(targets):
            gone = sum(levels[name][place] * sizes[name] for name in sizes)
            if method != "uniform+" or target < 0.9:
                assert gone / sum(sizes.values()) == pytest.approx(target, abs=1e-4), method


def test_other_settings_of_the_plan_stay(benches: Benches) -> None:
    before = Plan("taylor", sparsity={"fc1": 0.3}, repair=("recalibrate",), scope="global")
    plan = benches("lenet5").allocate("uniform", 0.5, before)
    assert (plan.criterion, plan.repair, plan.scope) == ("taylor", ("recalibrate",), "layer")


class Gates(nn.Module):
    """A norm and a gate as wide as its input: its units can be masked, none can be removed."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.gate = nn.LayerNorm(8), nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x * self.gate(x).sigmoid())


def test_where_nothing_can_be_removed_it_says_so() -> None:
    bench = pv.open(Gates().eval(), (torch.randn(20, 8), torch.arange(20) % 4))
    for method, budget in itertools.product(ALLOCATIONS, ("parameters", "bytes")):
        with pytest.raises(ValueError, match="only be masked here"):
            bench.allocate(method, 0.5, granularity="neuron", budget=budget)
