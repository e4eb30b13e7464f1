"""Is the evidence that is gathered in one pass what naive loops would find?"""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.network.graph import trace
from pruneviz.network.layers import find_layers
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.evidence import Evidence
from pruneviz.pruning.evidence_pass import gather
from pruneviz.pruning.granularity import scores_for
from pruneviz.pruning.prune import cannot

CLASSES = 4


class Tiny(nn.Module):
    """Stride, padding, groups, batch norm, an activation in place, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.grouped = nn.Conv2d(4, 6, (3, 2), padding=(1, 0), groups=2, bias=False)
        self.fc = nn.Linear(6 * 3 * 2, CLASSES)
        nn.init.normal_(self.norm.weight)
        nn.init.normal_(self.norm.bias)
        nn.init.normal_(self.norm.running_mean)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.conv(x)), inplace=True)
        x = F.relu_(self.grouped(x))
        return self.fc(x.flatten(1))


def tiny_evidence() -> tuple[nn.Module, Data, dict[str, Evidence]]:
    torch.manual_seed(0)
    model = Tiny().double().eval()
    # More than one batch, and no sample of the last class.
    data = Data(torch.randn(70, 2, 6, 5).double(), torch.arange(70) % (CLASSES - 1))
    layers = find_layers(model)
    graph = trace(model, data.inputs[:2], layers)
    return model, data, gather(model, layers, graph, data, classes=CLASSES)


@pytest.fixture(scope="module")
def tiny() -> tuple[nn.Module, Data, dict[str, Evidence]]:
    return tiny_evidence()


@pytest.fixture(scope="module")
def naive_gradients(tiny: tuple[nn.Module, Data, object]) -> dict[str, Tensor]:
    """Layer -> [samples, *weight]: one call of torch.autograd for each sample."""
    model, data, _ = tiny
    names = list(find_layers(model))
    weights = [model.get_submodule(name).weight for name in names]
    rows = []
    for x, y in zip(data.inputs, data.targets, strict=True):
        loss = F.cross_entropy(model(x.unsqueeze(0)), y.unsqueeze(0))
        rows.append(torch.autograd.grad(loss, weights))
    return {name: torch.stack(g) for name, g in zip(names, zip(*rows, strict=True), strict=True)}


@pytest.fixture(scope="module")
def naive_flow(tiny: tuple[nn.Module, Data, object]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Layer -> (its inputs, its activations), as numpy arrays, worked out step by step."""
    model, data, _ = tiny
    with torch.no_grad():
        first = model.norm(model.conv(data.inputs)).relu()
        second = model.grouped(first).relu()
        inputs = {"conv": data.inputs, "grouped": first, "fc": second.flatten(1)}
        active = {"conv": first, "grouped": second, "fc": model.fc(second.flatten(1))}
    return {name: (inputs[name].numpy(), active[name].numpy()) for name in inputs}


LAYERS = ("conv", "grouped", "fc")


@pytest.mark.parametrize("layer", LAYERS)
def test_gradients_are_those_of_a_loop_over_samples(
    tiny: tuple[nn.Module, Data, dict[str, Evidence]],
    naive_gradients: dict[str, Tensor],
    layer: str,
) -> None:
    found, each = tiny[2][layer], naive_gradients[layer]
    torch.testing.assert_close(found.gradient, each.mean(0))
    torch.testing.assert_close(found.gradient_size, each.abs().mean(0))
    torch.testing.assert_close(found.gradient_power, each.square().mean(0))
    weight = found.weight.detach().to(each)
    signed = (each * weight).flatten(2).sum(2)  # of each sample and unit, before |·| or square
    assert found.contribution is not None
    torch.testing.assert_close(found.contribution, signed.float(), rtol=1e-4, atol=1e-6)
    for name, expected in (
        ("taylor", signed.abs().mean(0)),
        ("fisher", signed.square().mean(0) / 2),
    ):
        scores = scores_for(CRITERIA[name], "neuron", found)
        torch.testing.assert_close(scores, expected.double(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("layer", LAYERS)
def test_gradient_criteria_are_those_of_a_loop_over_samples(
    tiny: tuple[nn.Module, Data, dict[str, Evidence]],
    naive_gradients: dict[str, Tensor],
    layer: str,
) -> None:
    weight = tiny[0].get_submodule(layer).weight.detach()
    each = naive_gradients[layer]
    expected = {
        "taylor": (each * weight).abs().mean(0),
        "snip": (each * weight).mean(0).abs(),
        "fisher": 0.5 * (each * weight).square().mean(0),
    }
    for name, scores in expected.items():
        got = scores_for(CRITERIA[name], "weight", tiny[2][layer])
        torch.testing.assert_close(got, scores)
    units = scores_for(CRITERIA["snip"], "neuron", tiny[2][layer])
    torch.testing.assert_close(units, expected["snip"].flatten(1).sum(1))


@pytest.mark.parametrize("layer", LAYERS)
def test_activations_are_those_of_numpy(
    tiny: tuple[nn.Module, Data, dict[str, Evidence]],
    naive_flow: dict[str, tuple[np.ndarray, np.ndarray]],
    layer: str,
) -> None:
    found, active = tiny[2][layer], naive_flow[layer][1]
    axes = (0, *range(2, active.ndim))
    np.testing.assert_allclose(found.activation, np.abs(active).mean(axes))
    np.testing.assert_allclose(found.silence, (active <= 0).mean(axes))
    np.testing.assert_allclose(found.variance, active.var(axes), atol=1e-12)


@pytest.mark.parametrize("layer", LAYERS)
def test_activations_by_class_are_those_of_numpy(
    tiny: tuple[nn.Module, Data, dict[str, Evidence]],
    naive_flow: dict[str, tuple[np.ndarray, np.ndarray]],
    layer: str,
) -> None:
    found, active = tiny[2][layer].by_class, naive_flow[layer][1]
    axes, targets = (0, *range(2, active.ndim)), tiny[1].targets.numpy()
    assert found.shape == (active.shape[1], CLASSES)
    for c in range(CLASSES - 1):
        np.testing.assert_allclose(found[:, c], active[targets == c].mean(axes))
    assert not found[:, CLASSES - 1].any(), "nothing was seen of a class without samples"


def test_two_classes_are_told_apart() -> None:
    model = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.eye(2))
    data = Data(torch.tensor([[1.0, 0], [3, 0], [0, 5]]), torch.tensor([0, 0, 1]))
    found = gather(model, find_layers(model), None, data, classes=2)[""].by_class
    assert found is not None
    assert found.tolist() == [[2, 0], [0, 5]]


def test_input_norm_of_a_linear_layer_is_that_of_numpy(
    tiny: tuple[nn.Module, Data, dict[str, Evidence]],
    naive_flow: dict[str, tuple[np.ndarray, np.ndarray]],
) -> None:
    expected = np.sqrt((naive_flow["fc"][0] ** 2).sum(0, keepdims=True))
    np.testing.assert_allclose(tiny[2]["fc"].input_norm, expected)


@pytest.mark.parametrize("layer", ["conv", "grouped"])
def test_input_norm_of_a_convolution_is_that_of_a_loop_over_its_weights(
    tiny: tuple[nn.Module, Data, dict[str, Evidence]],
    naive_flow: dict[str, tuple[np.ndarray, np.ndarray]],
    layer: str,
) -> None:
    module, inputs = tiny[0].get_submodule(layer), naive_flow[layer][0]
    top, left = module.padding
    padded = np.pad(inputs, ((0, 0), (0, 0), (top, top), (left, left)))
    height, width = naive_flow[layer][1].shape[2:]
    shape = module.weight.shape
    expected = np.zeros(shape)
    for unit, channel, y, x in np.ndindex(*shape):
        group = unit // (shape[0] // module.groups)
        seen = padded[:, group * shape[1] + channel]
        down, right = module.stride
        seen = seen[:, y : y + down * height : down, x : x + right * width : right]
        assert seen.shape[1:] == (height, width)
        expected[unit, channel, y, x] = np.sqrt((seen**2).sum())
    found = tiny[2][layer].input_norm
    np.testing.assert_allclose(found.expand(shape), expected)
    weight = module.weight.detach()
    wanda = scores_for(CRITERIA["wanda"], "weight", tiny[2][layer])
    np.testing.assert_allclose(wanda, weight.abs().numpy() * expected)


def test_scale_is_that_of_the_batch_norm_behind(
    tiny: tuple[nn.Module, Data, dict[str, Evidence]],
) -> None:
    model, _, found = tiny
    assert torch.equal(found["conv"].scale, model.norm.weight)
    assert not found["grouped"].has("scale")
    assert not found["fc"].has("scale")


def test_an_activation_in_place_changes_nothing() -> None:
    def net(inplace: bool) -> nn.Module:
        torch.manual_seed(1)
        return nn.Sequential(nn.Linear(3, 5), nn.ReLU(inplace), nn.Linear(5, 2)).eval()

    data = Data(torch.randn(9, 3), torch.arange(9) % 2)
    for with_graph in (True, False):
        one, other = (
            gather(
                model,
                layers := find_layers(model),
                trace(model, data.inputs[:2], layers) if with_graph else None,
                data,
                classes=2,
            )
            for model in (net(True), net(False))
        )
        for name in one:
            for field in ("activation", "silence", "variance", "by_class", "input_norm"):
                assert torch.equal(one[name].of(field), other[name].of(field)), (name, field)
            torch.testing.assert_close(one[name].gradient_size, other[name].gradient_size)


def test_gradients_of_a_weight_used_twice_add_up() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.out = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 2)
            self.b.weight = self.a.weight

        def forward(self, x: Tensor) -> Tensor:
            return self.out(self.b(self.a(x).relu()).relu())

    model = Tied().double().eval()
    data = Data(torch.randn(5, 3).double(), torch.arange(5) % 2)
    layers = find_layers(model)
    graph = trace(model, data.inputs[:2], layers)
    found = gather(model, layers, graph, data, classes=2)["a"]
    each = [
        torch.autograd.grad(F.cross_entropy(model(x[None]), y[None]), model.a.weight)[0]
        for x, y in zip(data.inputs, data.targets, strict=True)
    ]
    torch.testing.assert_close(found.gradient_size, torch.stack(each).abs().mean(0))
    signed = (torch.stack(each) * model.a.weight.detach()).sum(2).float()
    torch.testing.assert_close(found.contribution, signed)


def test_of_a_weight_that_is_a_table_of_words_too_only_its_own_size_is_judged() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.head = nn.Embedding(9, 4), nn.Linear(4, 9, bias=False)
            self.head.weight = self.words.weight

        def forward(self, ids: Tensor) -> Tensor:
            return self.head(self.words(ids))

    layer = find_layers(Tied())["head"]
    assert layer.table == "words"
    for name, found in CRITERIA.items():
        if found.allows("weight"):
            reason = cannot(layer, found, "weight")
            assert (reason is not None) == bool(found.needs), name
            assert reason is None or "the table 'words', too" in reason
