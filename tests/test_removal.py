"""Are tensors cut, and do modules know of their new sizes?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from pruneviz.network.graph import trace
from pruneviz.network.group_search import find_groups
from pruneviz.network.groups import Group, Groups, Place
from pruneviz.network.layers import find_layers
from pruneviz.network.removal import lines_of, remove
from pruneviz.network.replica import fingerprint
from pruneviz.workbench import Workbench


def groups_of(model: nn.Module, *shape: int) -> Groups:
    layers = find_layers(model.eval())
    return find_groups(model, layers, trace(model, torch.randn(2, *shape), layers))


def without(units: int, *gone: int) -> Tensor:
    kept = torch.ones(units, dtype=torch.bool)
    kept[list(gone)] = False
    return kept


def test_of_two_groups_along_one_dimension_each_takes_its_own() -> None:
    places = {"a": torch.tensor([0, 1, -1, -1]), "b": torch.tensor([-1, -1, 0, 1])}
    groups = {
        name: Group(name, (name,), 2, "neuron", {}, ("c",), (Place("c.weight", 1, units),))
        for name, units in places.items()
    }
    lines = lines_of(Groups(groups), {"a": without(2, 1), "b": without(2, 0)})
    assert lines["c.weight"][1].tolist() == [True, False, False, True]


def test_a_chain_by_hand() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    small = remove(model, groups_of(model, 2), {"0": without(3, 1)})
    assert torch.equal(small[0].weight, model[0].weight[[0, 2]])
    assert torch.equal(small[0].bias, model[0].bias[[0, 2]])
    assert torch.equal(small[2].weight, model[2].weight[:, [0, 2]])
    assert small[2].bias is model[2].bias, "what is not cut is shared"
    assert (small[0].out_features, small[2].in_features, small[2].out_features) == (2, 2, 2)
    assert "out_features=2" in repr(small[0])


def test_buffers_and_their_module_are_cut() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 1), nn.BatchNorm2d(4), nn.PReLU(4), nn.Conv2d(4, 2, 1))
    nn.init.normal_(model[1].running_mean)
    small = remove(model, groups_of(model, 1, 3, 3), {"0": without(4, 0, 2)})
    assert torch.equal(small[1].running_mean, model[1].running_mean[[1, 3]])
    assert (small[1].num_features, small[2].num_parameters) == (2, 2)
    assert (small[0].out_channels, small[3].in_channels) == (2, 2)
    assert len(model[1].running_mean) == 4


def test_a_depthwise_convolution_has_as_many_groups_as_channels() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 1), nn.Conv2d(4, 8, 3, groups=4), nn.Conv2d(8, 2, 1))
    small = remove(model, groups_of(model, 1, 5, 5), {"0": without(4, 3)})
    assert (small[1].groups, small[1].in_channels, small[1].out_channels) == (3, 3, 6)
    assert small[1].weight.shape == (6, 1, 3, 3)
    assert model[1].groups == 4


def test_a_grouped_convolution_keeps_its_groups_and_loses_places_in_each() -> None:
    model = nn.Sequential(nn.Conv2d(1, 6, 1), nn.Conv2d(6, 4, 1, groups=2), nn.Conv2d(4, 2, 1))
    found = groups_of(model, 1, 3, 3)
    small = remove(model, found, {"0": without(3, 1), "1": without(2, 0)})
    assert (small[1].groups, small[1].in_channels, small[1].out_channels) == (2, 4, 2)
    assert torch.equal(small[0].weight, model[0].weight[[0, 2, 3, 5]])
    assert torch.equal(small[1].weight, model[1].weight[[1, 3]][:, [0, 2]])


def test_a_transposed_convolution() -> None:
    model = nn.Sequential(nn.Conv2d(1, 3, 1), nn.ConvTranspose2d(3, 4, 2), nn.Conv2d(4, 2, 1))
    found = groups_of(model, 1, 3, 3)
    small = remove(model, found, {"0": without(3, 1), "1": without(4, 0)})
    assert (small[1].in_channels, small[1].out_channels) == (2, 3)
    assert torch.equal(small[1].weight, model[1].weight[[0, 2]][:, 1:])


def test_group_norm_keeps_the_size_of_its_groups() -> None:
    model = nn.Sequential(nn.Conv2d(1, 6, 1), nn.GroupNorm(3, 6), nn.Conv2d(6, 2, 1))
    small = remove(model, groups_of(model, 1, 3, 3), {"0": without(3, 1)})
    assert (small[1].num_groups, small[1].num_channels) == (2, 4)
    assert torch.equal(small[0].weight, model[0].weight[[0, 1, 4, 5]])


def test_a_tied_weight_is_cut_under_each_of_its_names() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.a, self.b = nn.Linear(2, 4), nn.Linear(4, 3), nn.Linear(4, 3)
            self.head = nn.Linear(3, 2)
            self.b.weight = self.a.weight

        def forward(self, x: Tensor) -> Tensor:
            y = self.first(x)
            return self.head(self.a(y) * self.b(y).sigmoid())

    model = Tied()
    found = groups_of(model, 2)
    small = remove(model, found, {"first": without(4, 0), "a": without(3, 2)})
    assert small.a.weight is small.b.weight
    assert torch.equal(small.a.weight, model.a.weight[:2, 1:])
    assert (small.b.in_features, small.b.out_features) == (3, 2)
    assert len(small.a.bias) == len(small.b.bias) == 2


def test_modules_with_a_tied_weight_know_their_size() -> None:
    class Words(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(9, 4)
            self.up, self.down = nn.Linear(4, 6), nn.Linear(6, 4)
            self.head = nn.Linear(4, 9, bias=False)
            self.head.weight = self.words.weight

        def forward(self, x: Tensor) -> Tensor:
            y = self.words(x)
            return self.head(y + self.down(self.up(y).relu()))

    model = Words().eval()
    layers = find_layers(model)
    found = find_groups(model, layers, trace(model, torch.randint(0, 9, (2, 5)), layers))
    small = remove(model, found, {"down": without(4, 1)})
    assert small.head.weight is small.words.weight
    assert (small.words.embedding_dim, small.head.in_features, small.head.out_features) == (3, 3, 9)


def test_tied_depthwise_convolutions_both_lose_groups() -> None:
    model = nn.Sequential(
        *(nn.Conv2d(1, 4, 1), nn.Conv2d(4, 4, 3, groups=4, padding=1), nn.ReLU()),
        *(nn.Conv2d(4, 4, 3, groups=4, padding=1), nn.Conv2d(4, 2, 1)),
    )
    model[3].weight = model[1].weight
    small = remove(model, groups_of(model, 1, 5, 5), {"0": without(4, 2)})
    assert [(small[at].groups, small[at].in_channels) for at in (1, 3)] == [(3, 3), (3, 3)]


@pytest.mark.parametrize("statistics", [False, True])
def test_instance_norm_with_a_scale_is_cut(statistics: bool) -> None:
    norm = nn.InstanceNorm2d(4, affine=True, track_running_stats=statistics)
    model = nn.Sequential(nn.Conv2d(1, 4, 1), norm, nn.ReLU(), nn.Conv2d(4, 2, 3))
    found = groups_of(model, 1, 5, 5)
    small = remove(model, found, {"0": without(4, 0)})
    assert (small[1].num_features, len(small[1].weight)) == (3, 3)


def test_heads_of_a_network_that_is_an_attention_itself() -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.num_heads = 4
            self.q, self.k, self.v, self.out = (nn.Linear(8, 8) for _ in range(4))

        def forward(self, x: Tensor) -> Tensor:
            n, long, _ = x.shape
            q, k, v = (
                part(x).view(n, long, self.num_heads, -1).transpose(1, 2)
                for part in (self.q, self.k, self.v)
            )
            y = nn.functional.scaled_dot_product_attention(q, k, v)
            return self.out(y.transpose(1, 2).reshape(n, long, -1))

    model = Attention()
    found = groups_of(model, 5, 8)
    assert found.groups["q"].word == "head"
    small = remove(model, found, {"q": without(4, 1)})
    assert (small.num_heads, small.q.out_features, small.out.in_features) == (3, 6, 6)
    assert model.num_heads == 4


def test_numbers_of_heads_are_brought_up_to_date(benches: Callable[[str], Workbench]) -> None:
    bench = benches("vit")
    lead = "blocks.0.attn.qkv"
    small = remove(bench.source.model, bench.groups, {lead: without(4, 0, 3)})
    dense = bench.source.model.get_submodule("blocks.0.attn")
    attention = small.get_submodule("blocks.0.attn")
    heads = {name for name, value in vars(dense).items() if value == 4 and "head" in name}
    assert heads
    assert all(getattr(attention, name) == 2 for name in heads)
    assert attention.qkv.out_features == dense.qkv.out_features // 2
    assert attention.proj.in_features == dense.proj.in_features // 2
    other = small.get_submodule("blocks.1.attn")
    assert all(getattr(other, name) == 4 for name in heads)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["BERT", "GPT-2", "Llama-like", "T5"])
def test_heads_of_transformers_can_be_removed(
    benches: Callable[[str], Workbench], name: str
) -> None:
    model, found = benches(name).source.model, benches(name).groups
    heads = [lead for lead, group in found.groups.items() if group.word == "head"]
    assert len(heads) == 2
    small = remove(model, found, {h: without(found.groups[h].units, 0) for h in heads})
    assert not any("trial" in why for why in found.fixed.values()) or name == "T5"
    before = sum(p.numel() for p in model.parameters())
    assert sum(p.numel() for p in small.parameters()) < before


def test_what_is_kept_whole_is_not_copied(bench: Workbench) -> None:
    model, groups = bench.source.model, bench.groups
    before = fingerprint(model)
    every = {name: without(group.units) for name, group in groups.groups.items()}
    small = remove(model, groups, every)
    pairs = zip(small.parameters(), model.parameters(), strict=True)
    assert all(one is other for one, other in pairs)
    lead = next(iter(groups.groups))
    remove(model, groups, {lead: without(groups.groups[lead].units, 0)})
    assert fingerprint(model) == before
