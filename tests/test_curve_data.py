"""Does the board hear of curves, estimates and allocations as they are?"""

from __future__ import annotations

import base64
from collections.abc import Callable

import numpy as np
import pytest

from pruneviz.allocation.methods import ALLOCATIONS
from pruneviz.allocation.request import SearchRequest
from pruneviz.plan import Plan
from pruneviz.pruning.sliders import Slider
from pruneviz.sensitivity.curves import Curve, Curves, Point
from pruneviz.ui.board import curve_data
from pruneviz.workbench import Workbench

LEVELS = (0.5, 0.9)


def numbers(text: object) -> list[float]:
    assert isinstance(text, str)
    return np.frombuffer(base64.b64decode(text), dtype="<f4").tolist()


def point(sparsity: float, delta: float, half: float) -> Point:
    low, high = delta - half, delta + half
    accuracy = 0.9 + delta
    return Point(
        sparsity, sparsity, 100, accuracy, accuracy, accuracy, delta, low, high, 0.1, 0.9, 0.1
    )


def curves_of(*curves: Curve) -> Curves:
    return Curves(Plan(), curves, 100, 0.01, 100, True, "done")


SHAKY = Curve(
    Slider("a", ("a", "b"), 4),
    (point(0.25, 0.0, 0.005), point(0.5, -0.25, 0.125), point(0.75, -0.5, 0.125)),
)
STURDY = Curve(Slider("c", ("c",), 8), (point(0.5, 0.0, 0.0), point(0.75, 0.0, 0.0)))
NOTHING = Curve(Slider("d", ("d",), 0), (), "no row is long enough")
MISSING = Curve(Slider("e", ("e",), 8), ())


def test_a_curve_is_told_by_slider_with_its_marks() -> None:
    told = curve_data._layers(curves_of(SHAKY, STURDY), 0.01)
    assert set(told) == {"a", "c"}, "a group has one curve, under its own name"
    assert numbers(told["a"]["x"]) == [0.25, 0.5, 0.75]
    assert numbers(told["a"]["delta"]) == [0, -0.25, -0.5]
    assert numbers(told["a"]["low"]) == pytest.approx([-0.005, -0.375, -0.625])
    assert numbers(told["a"]["high"]) == pytest.approx([0.005, -0.125, -0.375])
    assert (told["a"]["certain"], told["a"]["robust"], told["a"]["knee"]) == (0.5, 0.25, 0.25)
    assert told["a"]["words"] == "most sensitive"
    assert (told["c"]["certain"], told["c"]["robust"], told["c"]["knee"]) == (None, 0.75, None)
    assert told["c"]["words"] == "robust to 75 %"


def test_the_mark_stands_where_the_loss_asked_about_is_certain() -> None:
    places = [
        curve_data._layers(curves_of(SHAKY), lose)["a"]["certain"] for lose in (0.1, 0.2, 0.3, 0.4)
    ]
    assert places == [0.5, 0.75, 0.75, None]


def test_what_could_not_be_cut_is_said_and_never_drawn() -> None:
    told = curve_data._layers(curves_of(STURDY, NOTHING, MISSING), 0.01)
    assert told["d"] == {"words": "nothing could be cut", "no_op": "no row is long enough"}
    assert told["e"] == {"words": "not scanned", "no_op": ""}
    assert curve_data._layers(curves_of(NOTHING, MISSING), 0.01) == {}, "nothing was scanned"


def test_before_a_scan_there_is_no_curve_and_no_way_to_share_out_by_it(
    benches: Callable[[str], Workbench],
) -> None:
    told = curve_data.sensitivity_evidence(benches("lenet5"), Plan(criterion="random", seed=4711))
    assert (told["layers"], told["estimate"]) == ({}, None)
    methods = told["methods"]
    assert isinstance(methods, list)
    assert [method["name"] for method in methods] == list(ALLOCATIONS)
    shut = {method["name"]: method["why_not"] for method in methods if method["why_not"]}
    assert set(shut) == {"sensitivity"}
    assert "nothing was scanned" in shut["sensitivity"]


def test_a_scan_is_heard_of_at_once(benches: Callable[[str], Workbench]) -> None:
    bench, plan = benches("lenet5"), Plan(criterion="random", seed=4712)
    key, told = (
        curve_data.evidence_key(bench, plan),
        curve_data.sensitivity_evidence(bench, plan),
    )
    assert curve_data.evidence_key(bench, plan) == key

    bench.studies.curves(plan, LEVELS)

    assert curve_data.evidence_key(bench, plan) != key
    now = curve_data.sensitivity_evidence(bench, plan)
    assert now["id"] != told["id"]
    layers, curves = now["layers"], bench.studies.known_curves(plan)
    assert isinstance(layers, dict)
    assert set(layers) == set(bench.layer_of)
    for name, curve in layers.items():
        points = curves.by_name[name].points
        assert numbers(curve["x"]) == pytest.approx([p.sparsity for p in points])
        assert numbers(curve["delta"]) == pytest.approx([p.delta for p in points])
        assert curve["words"] == curves.words_of(name)
    assert not any(method["why_not"] for method in now["methods"])  # type: ignore[attr-defined]


def test_what_another_process_measures_is_heard_of(
    benches: Callable[[str], Workbench], new_bench: Callable[[str], Workbench]
) -> None:
    bench, other = benches("lenet5"), new_bench("lenet5")
    plan = Plan(criterion="random", seed=4713)
    key = curve_data.evidence_key(bench, plan)
    other.studies.curves(plan, (0.5,))
    assert curve_data.evidence_key(bench, plan) != key
    assert curve_data.sensitivity_evidence(bench, plan)["layers"]


def test_curves_belong_to_the_settings_they_were_measured_with(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("lenet5")
    keys = {
        curve_data.evidence_key(bench, plan)
        for plan in (
            Plan(),
            Plan(criterion="random"),
            Plan(granularity="neuron"),
            Plan(repair=("recalibrate",)),
            Plan(scope="global"),
        )
    }
    assert len(keys) == 5
    assert curve_data.evidence_key(bench, Plan(sparsity={"conv2": 0.5})) in keys


@pytest.mark.parametrize(
    ("plan", "why"),
    [(Plan(scope="global"), "one threshold"), (Plan(granularity="2:4"), "one sparsity only")],
)
def test_where_nothing_can_be_shared_out_it_is_said_why(
    benches: Callable[[str], Workbench], plan: Plan, why: str
) -> None:
    bench = benches("lenet5")
    told = curve_data.allocation(bench, plan, "lamp", ())
    assert told["layers"] == {}
    assert why in str(told["words"])
    methods = curve_data.sensitivity_evidence(bench, plan)["methods"]
    assert isinstance(methods, list)
    assert [method["name"] for method in methods if not method["why_not"]] == ["uniform"]


def test_uniform_needs_no_tables(benches: Callable[[str], Workbench]) -> None:
    told = curve_data.allocation(benches("lenet5"), Plan(), "uniform", ())
    assert (told["layers"], told["words"]) == ({}, "")


def test_a_refusal_of_the_method_is_told(benches: Callable[[str], Workbench]) -> None:
    plan = Plan(criterion="random", seed=4714)
    told = curve_data.allocation(benches("lenet5"), plan, "sensitivity", ())
    assert told["layers"] == {}
    assert "scan" in str(told["words"])


@pytest.mark.parametrize("method", ["uniform+", "global", "erk", "lamp"])
def test_the_levels_are_those_of_the_method(
    benches: Callable[[str], Workbench], method: str
) -> None:
    bench, locked = benches("lenet5"), {"conv1": "", "fc3": ""}
    told = curve_data.allocation(bench, Plan(), method, locked)
    tables = told["layers"]
    assert isinstance(tables, dict)
    assert set(tables) == {"conv2", "fc1", "fc2"}
    wanted = bench.studies.levels(
        method, curve_data.TARGETS, SearchRequest(locked=("conv1", "fc3"))
    )
    for name, table in tables.items():
        assert numbers(table) == pytest.approx(list(wanted[name]), abs=1e-6)
        assert len(numbers(table)) == 101


def test_another_lock_or_method_means_other_levels(benches: Callable[[str], Workbench]) -> None:
    bench = benches("lenet5")
    keys = [
        curve_data.allocation_key(bench, Plan(), method, locked)
        for method in ("erk", "lamp")
        for locked in ((), ("conv1",), ("conv1", "fc3"))
    ]
    assert len(set(keys)) == 6
    assert curve_data.allocation_key(bench, Plan(), "lamp", ("fc3", "conv1")) == keys[-1]


@pytest.mark.slow
def test_the_estimate_is_what_the_predictor_knows(benches: Callable[[str], Workbench]) -> None:
    bench, plan = benches("lenet5"), Plan()
    bench.studies.curves(plan)
    predictor = bench.studies.predictor(plan)
    told = curve_data.sensitivity_evidence(bench, plan)["estimate"]
    assert isinstance(told, dict)
    for names, pair in (
        (("damage", "accuracy"), predictor.link),
        (("missed_at", "missed"), predictor.reach),
    ):
        for name, row in zip(names, pair, strict=True):
            assert numbers(told[name]) == pytest.approx(list(row), rel=1e-4, abs=1e-4)
    assert (told["bounds"], told["words"]) == ([0.0, 1.0], predictor.words)
    assert set(told["tables"]) == set(predictor.tables)
    for name, table in predictor.tables.items():
        assert numbers(told["tables"][name]) == pytest.approx(list(table), rel=1e-4, abs=1e-4)
