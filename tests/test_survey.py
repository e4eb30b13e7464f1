"""Is what one forward pass tells of the layers true?"""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pruneviz.data import Data
from pruneviz.network.layers import find_layers
from pruneviz.network.survey import survey, survey_layers
from pruneviz.pruning.locks import usual_locks
from pruneviz.workbench import Workbench


class Branches(nn.Module):
    """Two heads, two stems of which one sees no input, a layer that never runs."""

    def __init__(self) -> None:
        super().__init__()
        self.idle = nn.Linear(4, 4)
        self.stem = nn.Conv2d(2, 20, 3, padding=1)
        self.depth = nn.Conv2d(20, 20, 3, groups=20)
        self.up = nn.ConvTranspose2d(20, 20, 2, stride=2)
        self.position = nn.Linear(3, 20)
        self.one, self.other = nn.Linear(20, 5), nn.Linear(20, 5)
        self.register_buffer("place", torch.ones(1, 3))

    def forward(self, x: Tensor) -> Tensor:
        x = self.up(self.depth(F.relu_(self.stem(x)))).mean((2, 3)) + self.position(self.place)
        return (self.one(x) + self.other(x).relu()) / 2


DATA = Data(torch.randn(4, 2, 6, 6))


def test_ends_order_and_what_never_ran() -> None:
    model = Branches().eval()
    found = survey(model, find_layers(model), DATA)
    assert found.first == {"stem"}
    assert found.heads == {"one", "other"}
    assert found.order == ("stem", "depth", "up", "position", "one", "other")
    assert found.macs["idle"] == 0
    assert found.output.shape == (1, 5)
    assert not any(p.requires_grad is False for p in model.parameters())


def test_macs_are_those_of_the_flop_counter() -> None:
    model = Branches().eval()
    found = survey(model, find_layers(model), DATA)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model(DATA.inputs[:1])
    assert sum(found.macs.values()) == counter.get_total_flops() // 2


def test_macs_of_attention_projections_are_its_weights_times_its_positions() -> None:
    model = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    found = survey(model, find_layers(model), Data(torch.randn(2, 5, 8)))
    assert found.macs["self_attn.q"] == found.macs["self_attn.out_proj"] == 5 * 64
    assert found.first == {"self_attn.q", "self_attn.k", "self_attn.v"}
    assert found.heads == {"linear2", "self_attn.out_proj"}, "a residual passes no layer"


def test_a_sum_in_front_of_the_head_makes_no_head() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2), nn.Softmax(-1))
    assert survey(model, find_layers(model), Data(torch.randn(1, 3))).heads == {"2"}


def test_every_head_is_found_behind_whatever_makes_the_output() -> None:
    class Heads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.a, self.b = nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            x = self.body(x).relu()
            return torch.cat([self.a(x).softmax(1), -self.b(x)], 1)

    found = survey(Heads(), find_layers(Heads()), Data(torch.randn(1, 3)))
    assert (found.heads, found.first) == ({"a", "b"}, {"body"})


def test_a_network_that_forbids_gradients_has_its_last_layer_as_head() -> None:
    class Frozen(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 2)

        @torch.no_grad()
        def forward(self, x: Tensor) -> Tensor:
            return self.b(self.a(x))

    found = survey(Frozen(), find_layers(Frozen()), Data(torch.randn(1, 3)))
    assert found.heads == {"b"}


def test_what_a_network_cannot_take_is_said_in_its_own_words() -> None:
    with pytest.raises(ValueError, match=r"Linear cannot take one sample.*input \(1, 4\).*mat1"):
        survey(nn.Linear(3, 2), find_layers(nn.Linear(3, 2)), Data(torch.randn(2, 4)))


class Standardised(nn.Conv2d):
    """Computes another weight from its own."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight - self.weight.mean((1, 2, 3), keepdim=True), self.bias)


class Same(nn.Conv2d):
    """Pads by itself and uses its weight as it is."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(F.pad(x, (1, 1, 1, 1)), self.weight, self.bias)


def test_a_subclass_is_a_layer_if_its_own_weight_is_seen_at_work() -> None:
    model = nn.Sequential(Standardised(2, 2, 3), Same(2, 2, 3), nn.Flatten(), nn.Linear(32, 2))
    found, _ = survey_layers(model, DATA)
    assert list(found) == ["1", "3"]
    with pytest.raises(ValueError, match="compute other weights from their own"):
        survey_layers(nn.Sequential(Standardised(2, 2, 3), nn.Flatten()), DATA)


# -- locks ---------------------------------------------------------------------------------


def test_ends_depthwise_and_idle_layers_are_locked_with_a_reason() -> None:
    model = Branches().eval()
    layers = find_layers(model)
    locks = usual_locks(layers, survey(model, layers, DATA))
    words = {name: reason.split(":")[0].split(" on ")[0] for name, reason in locks.items()}
    assert words == {
        "idle": "never ran",
        "depth": "depthwise",
        "one": "output head",
        "other": "output head",
    }, "a first layer with more than 5 % of the weights is worth pruning"


EXPECTED = {
    "lenet300": {"fc3"},
    "lenet5": {"conv1", "fc3"},
    "resnet20": {"conv1", "fc"},
    "vit": {"patch_embed", "head"},
}


def test_locks_of_the_samples(bench: Workbench) -> None:
    assert set(bench.locks) == EXPECTED[bench.name]


def test_where_all_would_be_locked_the_first_layer_is_free() -> None:
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 300))
    layers, seen = survey_layers(model, Data(torch.ones(1, 8)))
    assert set(usual_locks(layers, seen)) == {"2"}


def test_a_network_of_one_layer_is_not_locked() -> None:
    layers, seen = survey_layers(nn.Linear(3, 2), Data(torch.ones(1, 3)))
    assert usual_locks(layers, seen) == {}
