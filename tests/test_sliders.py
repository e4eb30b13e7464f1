"""Does what is cut together move together?"""

from __future__ import annotations

from collections.abc import Callable

from pruneviz.plan import Plan
from pruneviz.pruning.sliders import Slider
from pruneviz.workbench import Workbench

Benches = Callable[[str], Workbench]


def test_single_weights_have_a_slider_for_each_layer(benches: Benches) -> None:
    bench = benches("lenet5")
    sliders = bench.sliders(Plan())
    assert [slider.name for slider in sliders] == list(bench.layer_of)
    assert [slider.items for slider in sliders] == [x.size for x in bench.layer_of.values()]
    assert all(slider.layers == (slider.name,) for slider in sliders)


def test_units_have_a_slider_for_each_group(benches: Benches) -> None:
    bench = benches("resnet20")
    sliders = bench.sliders(Plan(granularity="neuron"))
    moved = [name for slider in sliders for name in slider.layers]
    assert len(moved) == len(set(moved))
    assert any(len(slider.layers) > 1 for slider in sliders), "a stage of ResNet moves together"
    for slider in sliders:
        group = bench.groups.of(slider.name)
        assert group is None or (slider.layers, slider.items) == (group.layers, group.units)


def test_a_locked_member_holds_its_group(benches: Benches) -> None:
    bench, plan = benches("resnet20"), Plan(granularity="neuron")
    stage = next(slider for slider in bench.sliders(plan) if len(slider.layers) > 2)
    left = bench.sliders(plan, locked=[stage.layers[-1]])
    assert stage.name not in [slider.name for slider in left]
    assert len(left) == len(bench.sliders(plan)) - 1


def test_heads_are_the_only_sliders_of_heads(benches: Benches) -> None:
    bench = benches("vit")
    sliders = bench.sliders(Plan(granularity="head"))
    assert sliders
    assert all(bench.groups.groups[slider.name].word == "head" for slider in sliders)


def test_levels_and_raising() -> None:
    pair = Slider("a", ("a", "b"), 10)
    plan = Plan(sparsity={"b": 0.2, "c": 0.7})
    assert pair.level(plan) == 0.2
    assert dict(pair.raise_to(plan, 0.5).sparsity) == {"a": 0.5, "b": 0.5, "c": 0.7}
    assert pair.level(Plan()) == 0.0
