"""Which items compete with each other?"""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch.nn.utils import prune as torch_prune

from pruneviz.plan import Plan
from pruneviz.workbench import Workbench


def test_only_layers_that_are_named_compete_in_the_pool(bench: Workbench) -> None:
    first, second, *others = bench.layer_of
    pruned = bench.prune(Plan(scope="global", sparsity={first: 0.5, second: 0.0}))
    asked = round(0.5 * bench.layer_of[first].size)
    assert sum(int((~pruned.masks[name]).sum()) for name in (first, second)) == asked
    assert all(pruned.masks[name].all() for name in others)


@pytest.mark.parametrize("relative", [False, True])
def test_scope_alike_is_torchs_global_pruning_of_each_shape(
    benches: Callable[[str], Workbench], relative: bool
) -> None:
    """The oracle: one call of torch.nn.utils.prune.global_unstructured for each shape."""
    bench = benches("resnet20")
    plan = Plan(scope="alike", relative=relative, sparsity=dict.fromkeys(bench.layer_of, 0.37))
    pruned, network = bench.prune(plan), copy.deepcopy(bench.source.model)
    shapes: dict[object, list[str]] = {}
    for name, layer in bench.layer_of.items():
        shapes.setdefault((layer.kind, layer.shape), []).append(name)
    assert max(map(len, shapes.values())) >= 5
    for names in shapes.values():
        places = [(network.get_submodule(name), "weight") for name in names]
        scores = {
            place: bench.weight(name).abs() / (bench.weight(name).norm() if relative else 1)
            for name, place in zip(names, places, strict=True)
        }
        items = sum(bench.layer_of[name].size for name in names)
        torch_prune.global_unstructured(
            places,
            torch_prune.L1Unstructured,
            importance_scores=scores,
            amount=round(0.37 * items),
        )
        for name in names:
            want = network.get_submodule(name).weight_mask.bool()
            assert torch.equal(pruned.masks[name], want), name


def test_layers_alike_add_up_what_they_are_asked_for(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("resnet20")
    one, two, other = "layer1.0.conv1", "layer1.1.conv2", "layer2.1.conv1"
    levels = {one: 0.5, two: 0.1, other: 0.25}
    pruned = bench.prune(Plan("l2", "neuron", "alike", sparsity={one: 0.5, other: 0.25}))
    assert [pruned.sparsity[name] for name in (one, other)] == [0.5, 0.25]
    masks = bench.prune(Plan(scope="alike", sparsity=levels)).masks
    gone = {name: int((~masks[name]).sum()) for name in levels}
    assert gone[one] + gone[two] == round(0.6 * 2304)
    assert gone[other] == round(0.25 * 9216)
    lowest = max(float(bench.weight(n).abs()[~masks[n]].max()) for n in (one, two))
    assert lowest <= min(float(bench.weight(n).abs()[masks[n]].min()) for n in (one, two))


def test_relative_scores_have_length_one_in_each_layer(bench: Workbench) -> None:
    levels = dict.fromkeys(bench.layer_of, 0.5)
    pruned = bench.prune(Plan("taylor", scope="global", sparsity=levels, relative=True))
    raw = bench.prune(Plan("taylor", scope="global", sparsity=levels))
    for name, scores in pruned.scores.items():
        torch.testing.assert_close(scores.norm().item(), 1.0)
        torch.testing.assert_close(scores * raw.scores[name].norm(), raw.scores[name])
