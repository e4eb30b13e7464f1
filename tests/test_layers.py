"""Are the layers that may be pruned found, once each, with their right shapes?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pruneviz.network.layers import find_layers
from pruneviz.workbench import Workbench

COUNTS = {"lenet300": 3, "lenet5": 5, "resnet20": 22, "vit": 18}


def test_every_linear_and_convolution_of_the_samples_is_found(bench: Workbench) -> None:
    assert len(bench.layer_of) == COUNTS[bench.name]
    for name, layer in bench.layer_of.items():
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
        (nn.ConvTranspose2d(3, 2, 1), "conv_transpose2d", "filter"),
        (nn.Embedding(3, 2), "embedding", "entry"),
    ],
)
def test_kinds(module: nn.Module, kind: str, word: str) -> None:
    layer = find_layers(nn.Sequential(nn.ReLU(), module))["1"]
    assert (layer.kind, layer.unit_word) == (kind, word)
    bias = None if kind == "embedding" else "1.bias"
    assert (layer.name, layer.weight, layer.bias) == ("1", "1.weight", bias)


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


class Odd(nn.Linear):
    """Does something of its own with its weight."""

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight.T.abs()


class Named(nn.Linear):
    """A linear layer by another name."""


def test_subclasses_with_a_forward_of_their_own_are_not_guessed_at() -> None:
    model = nn.Sequential(Odd(2, 2), Named(2, 2), nn.Linear(2, 2))
    assert list(find_layers(model)) == ["1", "2"]
    assert list(find_layers(model, subclasses=True)) == ["0", "1", "2"]


def test_projections_of_attention_share_a_parameter_and_take_its_rows() -> None:
    module = nn.MultiheadAttention(4, 2)
    layers = find_layers(nn.ModuleDict({"attn": module}))
    assert list(layers) == ["attn.q", "attn.k", "attn.v", "attn.out_proj"]
    k = layers["attn.k"]
    assert (k.weight, k.rows, k.bias, k.bias_rows) == (
        "attn.in_proj_weight",
        (4, 8),
        "attn.in_proj_bias",
        (4, 8),
    )
    assert torch.equal(k.canonical(module.in_proj_weight), module.in_proj_weight[4:8])
    assert sum(layer.size for layer in layers.values()) == 4 * 16


@pytest.mark.parametrize("groups", [1, 2])
def test_a_transposed_convolution_has_its_units_first(groups: int) -> None:
    module = nn.ConvTranspose2d(4, 6, (3, 2), groups=groups)
    layer = find_layers(module)[""]
    assert layer.shape == (6, 4 // groups, 3, 2)
    weight = layer.canonical(module.weight)
    assert torch.equal(layer.turn(weight), module.weight)
    # The last unit alone: what it puts out is what the whole layer puts out there.
    with torch.no_grad():
        module.bias.zero_()
        mask = torch.zeros(layer.shape, dtype=torch.bool)
        mask[-1] = True
        x = torch.randn(1, 4, 3, 3)
        before = module(x)
        module.weight.mul_(layer.turn(mask))
        after = module(x)
    assert torch.equal(after[:, -1], before[:, -1])
    assert not after[:, :-1].any()


def test_a_weight_shared_with_an_embedding_is_listed_as_the_linear_layer() -> None:
    model = nn.ModuleDict({"words": nn.Embedding(5, 3), "out": nn.Linear(3, 5, bias=False)})
    model["out"].weight = model["words"].weight
    layers = find_layers(model)
    assert list(layers) == ["out"]
    assert layers["out"].shared == ("words",)


def test_depthwise_is_one_channel_a_filter() -> None:
    layers = find_layers(
        nn.Sequential(
            nn.Conv2d(4, 8, 3, groups=4), nn.Conv2d(4, 4, 3, groups=2), nn.Conv1d(1, 2, 1)
        )
    )
    assert [layer.depthwise for layer in layers.values()] == [True, False, False]


def test_a_network_without_layers_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"ReLU has no layer that can be pruned.*linear, conv1d"):
        find_layers(nn.ReLU())
