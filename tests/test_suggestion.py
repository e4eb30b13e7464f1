"""Do the suggested sliders make it fit, cheapest first?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from pruneviz.allocation.devices import COMPUTER, MICROCONTROLLER, Device, Need
from pruneviz.allocation.suggestion import (
    LIMIT,
    Measures,
    Suggestion,
    SuggestionStep,
    further,
    limit,
    suggest,
)
from pruneviz.background import CancelledError
from pruneviz.plan import Plan
from pruneviz.pruning.sliders import Slider

# Two layers one after the other, [10 units, 4 inputs] and [10 units, 10 inputs], then 5 outputs.
# Cutting a unit of the first takes a column of the second, and so on.
FIRST, SECOND = Slider("a", ("a",), 10), Slider("b", ("b",), 10)
SLIDERS = (FIRST, SECOND)
DENSE = Plan(granularity="neuron", sparsity={"a": 0.0, "b": 0.0})
COST = {"a": 0.02, "b": 0.2}  # accuracy lost at a level of 1, straight lines


def left(plan: Plan) -> tuple[int, int]:
    a, b = (10 - round(10 * plan.sparsity.get(name, 0.0)) for name in "ab")
    return a, b


def params(plan: Plan) -> int:
    a, b = left(plan)
    return 4 * a + a * b + 5 * b


def activations(plan: Plan) -> int:
    a, b = left(plan)
    return 4 * (4 + a + max(a, b))  # bytes of float32


def accuracy(plan: Plan) -> float:
    return 1 - sum(COST[name] * plan.sparsity.get(name, 0.0) for name in "ab")


MEASURES = Measures(params, activations, accuracy)


def device(flash: int | None, ram: int = 10_000, kind: str = MICROCONTROLLER) -> Device:
    return Device("thing", kind, flash, ram, "by hand")


# -- sliders -----------------------------------------------------------------------------------


def test_a_slider_goes_up_by_ten_points_to_ninety_per_cent() -> None:
    levels, slider = [0.0], Slider("a", ("a",), 1000)
    while further(slider, levels[-1]) > levels[-1]:
        levels.append(further(slider, levels[-1]))
    assert levels == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, LIMIT]


def test_one_unit_stays_and_few_units_go_one_by_one() -> None:
    slider = Slider("a", ("a",), 3)
    assert limit(slider) == pytest.approx(2 / 3)
    assert [round(3 * x) for x in (further(slider, 0.0), further(slider, 0.3333))] == [1, 2]
    assert further(slider, limit(slider)) == limit(slider)
    assert limit(Slider("a", ("a",), 1)) == 0


def test_what_moves_together_gets_one_level() -> None:
    pair = Slider("a", ("a", "b"), 10)
    assert dict(pair.raise_to(DENSE, 0.3).sparsity) == {"a": 0.3, "b": 0.3}
    assert pair.level(replace(DENSE, sparsity={"a": 0.0, "b": 0.4})) == 0.4


# -- by hand -----------------------------------------------------------------------------------


def test_what_fits_needs_no_step() -> None:
    found = suggest(DENSE, SLIDERS, device(190), MEASURES)
    assert (found.plan, found.steps) == (DENSE, ())
    assert found.need == Need(190, 24)
    assert found.words == "The network fits thing as it is."


def test_the_cheaper_slider_goes_first_with_its_bytes_and_points() -> None:
    # 190 bytes; one step of either: a saves 14 for 0.2 points, b 15 for 2 points.
    found = suggest(DENSE, SLIDERS, device(180), MEASURES)
    assert len(found.steps) == 1
    (step,) = found.steps
    assert (step.slider, step.before, step.after, step.saved) == ("a", 0.0, 0.1, 14)
    assert step.lost == pytest.approx(0.002)
    assert found.plan == FIRST.raise_to(DENSE, 0.1)
    assert found.need == Need(176, 23)
    assert found.together == pytest.approx(0.002)
    assert "Predicted from each slider by itself: 0.2 points lost." in found.words
    assert found.words.endswith("Tried all at once on the probe: 0.2 points lost.")


def test_a_dearer_slider_waits_until_the_cheap_one_can_do_no_more() -> None:
    found = suggest(DENSE, SLIDERS, device(60), MEASURES)
    assert [step.slider for step in found.steps] == ["a"] * 9 + ["b"]
    assert found.plan is not None
    assert dict(found.plan.sparsity) == {"a": 0.9, "b": 0.1}
    assert found.need.weights == params(found.plan) == 58


def test_two_halves_are_shared_by_what_they_cost() -> None:
    even = replace(MEASURES, accuracy=lambda plan: 1 - sum(x**2 for x in plan.sparsity.values()))
    found = suggest(DENSE, SLIDERS, device(100), even)
    assert found.plan is not None
    levels = sorted(found.plan.sparsity.values())
    assert levels[1] - levels[0] < 0.35, "neither is emptied while the other is whole"


def test_ram_counts_where_ram_is_short() -> None:
    # 24 numbers at work: 4 + a + max(a, b). Cutting b alone does nothing.
    found = suggest(DENSE, SLIDERS, device(10_000, ram=18), MEASURES)
    assert found.plan is not None
    a, b = left(found.plan)
    assert 4 + a + max(a, b) <= 18
    assert found.need.activations <= 18


def test_a_computer_holds_weights_and_activations_in_ram() -> None:
    found = suggest(DENSE, SLIDERS, device(None, ram=150, kind=COMPUTER), MEASURES)
    assert found.plan is not None
    assert found.need.weights + found.need.activations <= 150
    assert {step.slider for step in found.steps} == {"a"}


@pytest.mark.parametrize("weights", ["int8", "fp16", "fp32"])
def test_the_width_counts(weights: str) -> None:
    found = suggest(DENSE, SLIDERS, device(300), MEASURES, weights)
    assert found.plan is not None
    assert len(found.steps) == {"int8": 0, "fp16": 3, "fp32": 9}[weights]


# -- what cannot be ------------------------------------------------------------------------------


def test_what_can_never_fit_is_said_with_its_bytes() -> None:
    # One unit each at 90 %: 4 + 1 + 5 = 10 bytes.
    found = suggest(DENSE, SLIDERS, device(9), MEASURES)
    assert found.plan is None
    assert found.words.startswith("Even at 90 % everywhere it is 1 B too large for its flash")


def test_no_measurement_is_wasted_on_what_can_never_fit() -> None:
    def never(plan: Plan) -> float:
        raise AssertionError("nothing is to be measured")

    assert suggest(DENSE, SLIDERS, device(9), replace(MEASURES, accuracy=never)).plan is None


def test_nothing_may_move() -> None:
    found = suggest(DENSE, (), device(100), MEASURES)
    assert found.plan is None
    assert "No slider may move" in found.words
    assert "short by 90 B of flash" in found.words


def test_what_is_at_its_limit_stays_there() -> None:
    plan = replace(DENSE, sparsity={"a": 0.95, "b": 0.0})
    found = suggest(plan, SLIDERS, device(40), MEASURES)
    assert found.plan is not None
    assert found.plan.sparsity["a"] == 0.95


def test_somebody_may_stop_it() -> None:
    def stop(label: str, done: float) -> None:
        if label.startswith("trying"):
            raise CancelledError

    with pytest.raises(CancelledError):
        suggest(DENSE, SLIDERS, device(100), MEASURES, progress=stop)


# -- laws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("flash", range(10, 195, 5))
def test_an_applied_suggestion_fits(flash: int) -> None:
    found = suggest(DENSE, SLIDERS, device(flash), MEASURES)
    assert found.plan is not None
    assert params(found.plan) <= flash
    again = suggest(found.plan, SLIDERS, device(flash), MEASURES)
    assert again.steps == ()
    assert again.plan == found.plan


def test_more_flash_never_needs_more_steps() -> None:
    steps = [
        len(suggest(DENSE, SLIDERS, device(flash), MEASURES).steps) for flash in range(10, 195)
    ]
    assert steps == sorted(steps, reverse=True)


def test_more_ram_never_needs_more_steps() -> None:
    found = [suggest(DENSE, SLIDERS, device(10_000, ram), MEASURES) for ram in range(6, 26)]
    assert all(each.plan is not None for each in found)
    steps = [len(each.steps) for each in found]
    assert steps == sorted(steps, reverse=True)


def test_measurements_are_bounded_by_the_sliders() -> None:
    asked: list[Plan] = []

    def counted(plan: Plan) -> float:
        asked.append(plan)
        return accuracy(plan)

    suggest(DENSE, SLIDERS, device(30), replace(MEASURES, accuracy=counted))
    assert len(asked) <= 3 + 3 * len(SLIDERS)


def test_points_lost_are_never_negative_and_never_fall() -> None:
    better = replace(MEASURES, accuracy=lambda plan: 0.5 + 0.1 * plan.sparsity["a"])
    found = suggest(DENSE, SLIDERS, device(30), better)
    assert all(step.lost >= 0 for step in found.steps)


def test_steps_of_a_slider_add_up() -> None:
    found = suggest(DENSE, SLIDERS, device(60), MEASURES)
    table = found.by_slider()
    assert [(row.slider, row.before, row.after) for row in table] == [
        ("a", 0.0, 0.9),
        ("b", 0.0, 0.1),
    ]
    assert sum(row.saved for row in table) == 190 - found.need.weights
    assert sum(row.lost for row in table) == pytest.approx(found.lost)
    assert Suggestion(None, (), Need(1, 1), "").by_slider() == ()
    assert SuggestionStep("a", 0, 1, 2, 3) == SuggestionStep("a", 0, 1, 2, 3)
