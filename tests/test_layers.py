"""Are the layers that may be pruned found, once each, with their right shapes?"""

from __future__ import annotations

import pytest
from torch import nn

from pruneviz.pruning.layers import find_layers
from pruneviz.workbench import Workbench

COUNTS = {"lenet300": 3, "lenet5": 5, "resnet20": 22, "vit": 18}


def test_every_linear_and_convolution_of_the_samples_is_found(bench: Workbench) -> None:
    assert len(bench.found) == COUNTS[bench.name]
    for name, layer in bench.found.items():
        module = bench.source.model.get_submodule(name)
        assert layer.shape == tuple(module.weight.shape)
        assert layer.size == module.weight.numel()
        assert layer.units == module.weight.shape[0]
        assert layer.has_bias == (module.bias is not None)


@pytest.mark.parametrize(
    ("module", "kind", "word"),
    [
        (nn.Linear(3, 2), "linear", "neuron"),
        (nn.Conv1d(3, 2, 1), "conv1d", "filter"),
        (nn.Conv2d(3, 2, 1), "conv2d", "filter"),
        (nn.Conv3d(3, 2, 1), "conv3d", "filter"),
    ],
)
def test_kinds(module: nn.Module, kind: str, word: str) -> None:
    layer = find_layers(nn.Sequential(nn.ReLU(), module))["1"]
    assert (layer.kind, layer.unit_word) == (kind, word)
    assert (layer.name, layer.weight, layer.bias) == ("1", "1.weight", "1.bias")


def test_a_network_that_is_one_layer_is_called_by_the_empty_path() -> None:
    layer = find_layers(nn.Linear(3, 2, bias=False))[""]
    assert (layer.weight, layer.bias) == ("weight", None)


def test_layers_come_in_the_order_of_the_modules() -> None:
    model = nn.ModuleDict({"z": nn.Linear(1, 1), "a": nn.Linear(1, 1), "m": nn.Conv1d(1, 1, 1)})
    assert list(find_layers(model)) == ["z", "a", "m"]


def test_a_shared_weight_is_listed_once() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    assert list(find_layers(model)) == ["0"]


def test_subclasses_are_not_guessed_at() -> None:
    class Odd(nn.Linear):
        """May do anything with its weight."""

    assert list(find_layers(nn.Sequential(Odd(2, 2), nn.Linear(2, 2)))) == ["1"]


def test_a_network_without_layers_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"ReLU has no layer that can be pruned.*linear, conv1d"):
        find_layers(nn.ReLU())
