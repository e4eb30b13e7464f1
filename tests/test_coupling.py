"""Which entries of which tensors are one, worked out by hand for small networks?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from pruneviz.network.coupling.atoms import Atoms
from pruneviz.network.coupling.reshapes import reshape
from pruneviz.network.coupling.sites import Sites
from pruneviz.network.graph import trace
from pruneviz.network.group_search import couplings
from pruneviz.network.groups import Group, Groups
from pruneviz.network.layers import find_layers


class Net(nn.Module):
    """Modules by name, and what is done with them."""

    def __init__(self, forward: Callable[[Net, Tensor], Tensor], **parts: nn.Module) -> None:
        super().__init__()
        self.does = forward
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x: Tensor) -> Tensor:
        return self.does(self, x)


def coupled(model: nn.Module, *shape: int) -> Groups:
    """What the graph shows of a network, given inputs [2, *shape]."""
    model, layers = model.eval(), find_layers(model)
    return couplings(layers, trace(model, torch.randn(2, *shape), layers))


def net(forward: Callable[[Net, Tensor], Tensor], *shape: int, **parts: nn.Module) -> Groups:
    return coupled(Net(forward, **parts), *shape)


def places(group: Group) -> dict[tuple[str, int], list[int]]:
    return {(place.tensor, place.dim): place.unit.tolist() for place in group.places}


def names(groups: Groups) -> dict[str, tuple[str, ...]]:
    return {name: group.layers for name, group in groups.groups.items()}


# -- atoms ---------------------------------------------------------------------------------


def test_atoms_that_are_one_stay_together() -> None:
    atoms = Atoms()
    a, b, c = (atoms.new(3) for _ in range(3))
    assert atoms.new(1) is None
    atoms.unite([a, b], "never")
    atoms.forbid(None if b is None else b[1:2], "it is told so")
    solved = atoms.solve()
    assert solved.label[a].tolist() == solved.label[b].tolist()
    assert not set(solved.label[a]) & set(solved.label[c])
    assert [solved.why(solved.label[a][i : i + 1]) for i in range(3)] == ["", "it is told so", ""]
    assert not solved.stays(c)
    assert solved.stays(a)


def test_what_is_one_with_a_fixed_part_must_stay_for_the_reason_behind_it() -> None:
    atoms = Atoms()
    a, b = atoms.new(2), atoms.new(2)
    assert atoms.unite([a, None], "it follows") is None
    atoms.forbid(a, "the cause")
    assert atoms.unite([None, b], "it follows") is None
    solved = atoms.solve()
    assert solved.why(solved.label[a]) == "the cause"
    assert solved.why(solved.label[b]) == "it follows"


# -- reshapes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "chosen", "where", "units"),
    [
        ([2, 6], [2, 2, 3], {"r/1": 0}, 1, [0, 1]),
        ([2, 6], [2, 2, 3], {"r/1": 1}, 2, [0, 1, 2]),
        ([6], [6, 1], {}, 0, [0, 1, 2, 3, 4, 5]),
        ([3, 1, 2], [3, 2], {}, 1, [0, 1]),
        ([2, 3], [6], {"r>0": 0}, 0, [0, 0, 0, 1, 1, 1]),
        ([2, 3], [6], {"r>0": 1}, 0, [0, 1, 2, 0, 1, 2]),
    ],
)
def test_units_in_a_reshape_by_hand(
    old: list[int], new: list[int], chosen: dict[str, int | None], where: int, units: list[int]
) -> None:
    atoms = Atoms()
    dims = [atoms.new(size) for size in old]
    dims = [
        ids if place == len(old) - 1 or len(new) == 1 else None for place, ids in enumerate(dims)
    ]
    found = reshape(Sites(atoms, chosen), dims, old, new, "r")[where]
    assert found is not None
    label = atoms.solve().label[found]
    assert np.unique(label, return_inverse=True)[1].tolist() == units


def test_factors_that_overlap_must_stay() -> None:
    atoms = Atoms()
    dims = [atoms.new(2), atoms.new(6)]
    assert reshape(Sites(atoms, {}), dims, [2, 6], [3, 4], "r") == [None, None]
    solved = atoms.solve()
    assert solved.why(solved.label) == "a reshape mixes it with other units"


# -- layers one after the other ------------------------------------------------------------


def test_a_chain_of_linear_layers() -> None:
    found = coupled(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), 3)
    assert names(found) == {"0": ("0",)}
    group = found.groups["0"]
    assert (group.units, group.word, group.consumers) == (4, "neuron", ("2",))
    every = [0, 1, 2, 3]
    assert places(group) == {("0.weight", 0): every, ("0.bias", 0): every, ("2.weight", 1): every}
    assert found.fixed == {"2": "it is the network's answer"}


def test_batch_norm_goes_with_its_channels() -> None:
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 2, 1))
    group = coupled(model, 1, 5, 5).groups["0"]
    assert group.word == "filter"
    assert set(places(group)) == {
        *(("0.weight", 0), ("0.bias", 0), ("3.weight", 1)),
        *((f"1.{name}", 0) for name in ("weight", "bias", "running_mean", "running_var")),
    }


def test_a_filter_flattened_into_a_linear_layer_owns_a_run_of_its_columns() -> None:
    found = coupled(nn.Sequential(nn.Conv2d(1, 3, 2), nn.Flatten(), nn.Linear(12, 2)), 1, 3, 3)
    where = places(found.groups["0"])
    assert where["2.weight", 1] == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]


def test_a_residual_sum_couples_what_it_adds() -> None:
    found = net(
        lambda m, x: m.head(m.stem(x) + m.two(m.one(m.stem(x)).relu())),
        3,
        stem=nn.Linear(3, 4),
        one=nn.Linear(4, 5),
        two=nn.Linear(5, 4),
        head=nn.Linear(4, 2),
    )
    assert names(found) == {"stem": ("stem", "two"), "one": ("one",)}
    assert found.groups["stem"].consumers == ("one", "head")


def test_a_sum_with_the_input_must_stay() -> None:
    found = net(lambda m, x: m.head(x + m.one(x)), 4, one=nn.Linear(4, 4), head=nn.Linear(4, 2))
    assert names(found) == {}
    assert found.fixed["one"] == "it is joined with a tensor that stays as it is (add)"


def test_one_score_for_each_channel_spreads_over_all_places() -> None:
    """Squeeze and excitation: the gate of a channel goes with the channel."""
    found = net(
        lambda m, x: m.head(m.conv(x) * m.gate(m.conv(x).mean((2, 3), keepdim=True)).sigmoid()),
        *(2, 4, 4),
        conv=nn.Conv2d(2, 3, 1),
        gate=nn.Conv2d(3, 3, 1),
        head=nn.Conv2d(3, 2, 1),
    )
    assert names(found) == {"conv": ("conv", "gate")}


def test_a_transposed_convolution_keeps_its_inputs_first() -> None:
    model = nn.Sequential(nn.Conv2d(1, 3, 1), nn.ConvTranspose2d(3, 4, 2), nn.Conv2d(4, 2, 1))
    found = coupled(model, 1, 4, 4)
    assert ("1.weight", 0) in places(found.groups["0"])
    assert found.groups["0"].consumers == ("1",)
    assert set(places(found.groups["1"])) == {("1.weight", 1), ("1.bias", 0), ("2.weight", 1)}


def test_a_matrix_kept_with_its_inputs_first() -> None:
    class Turned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.bias = nn.Parameter(torch.randn(3, 4)), nn.Parameter(torch.zeros(4))

        def forward(self, x: Tensor) -> Tensor:
            return torch.addmm(self.bias, x, self.weight)

    found = net(
        lambda m, x: m.head(m.turned(m.first(x))),
        2,
        first=nn.Linear(2, 3),
        turned=Turned(),
        head=nn.Linear(4, 2),
    )
    assert ("turned.weight", 0) in places(found.groups["first"])


def test_features_of_an_embedding_go_with_what_is_added_to_them() -> None:
    class Words(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.one, self.head = nn.Embedding(9, 4), nn.Linear(3, 4), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.table((x[:, 0] > 0).long()) + self.one(x))

    found = coupled(Words(), 3)
    assert ("table.weight", 1) in places(found.groups["one"])
    assert ("table.weight", 0) not in places(found.groups["one"])


# -- convolutions in groups ----------------------------------------------------------------


def test_a_depthwise_convolution_goes_with_what_it_reads() -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 4, 1), nn.Conv2d(4, 4, 3, groups=4), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1)
    )
    found = coupled(model, 1, 5, 5)
    assert names(found) == {"0": ("0", "1")}
    assert found.groups["0"].consumers == ("3",)
    assert "1.weight" in found.whole


def test_two_filters_to_each_channel_go_with_it() -> None:
    model = nn.Sequential(nn.Conv2d(1, 3, 1), nn.Conv2d(3, 6, 1, groups=3), nn.Conv2d(6, 2, 1))
    found = coupled(model, 1, 5, 5)
    assert names(found) == {"0": ("0", "1")}
    assert found.groups["0"].rows["1"].tolist() == [0, 0, 1, 1, 2, 2]


def test_each_group_of_a_convolution_loses_the_same_places() -> None:
    model = nn.Sequential(nn.Conv2d(1, 6, 1), nn.Conv2d(6, 4, 1, groups=2), nn.Conv2d(4, 2, 1))
    found = coupled(model, 1, 5, 5)
    assert {name: group.units for name, group in found.groups.items()} == {"0": 3, "1": 2}
    assert found.groups["0"].rows["0"].tolist() == [0, 1, 2, 0, 1, 2]
    assert places(found.groups["0"])["1.weight", 1] == [0, 1, 2]
    assert found.groups["1"].rows["1"].tolist() == [0, 1, 0, 1]
    assert found.whole == frozenset()


def test_channels_normalised_in_groups_go_in_whole_groups() -> None:
    model = nn.Sequential(nn.Conv2d(1, 6, 1), nn.GroupNorm(3, 6), nn.Conv2d(6, 2, 1))
    group = coupled(model, 1, 4, 4).groups["0"]
    assert (group.units, group.rows["0"].tolist()) == (3, [0, 0, 1, 1, 2, 2])
    assert places(group)["1.weight", 0] == [0, 0, 1, 1, 2, 2]


def test_channels_normalised_all_together_must_stay() -> None:
    model = nn.Sequential(nn.Conv2d(1, 6, 1), nn.GroupNorm(1, 6), nn.Conv2d(6, 2, 1))
    assert coupled(model, 1, 4, 4).fixed["0"] == (
        "it is normalised together (group_norm): without some, the others would change"
    )


# -- joined and parted ---------------------------------------------------------------------


def test_what_is_joined_stands_one_after_the_other() -> None:
    found = net(
        lambda m, x: m.head(torch.cat([m.a(x), m.b(x)], 1)),
        3,
        a=nn.Linear(3, 2),
        b=nn.Linear(3, 4),
        head=nn.Linear(6, 2),
    )
    assert names(found) == {"a": ("a",), "b": ("b",)}
    assert places(found.groups["a"])["head.weight", 1] == [0, 1, -1, -1, -1, -1]
    assert places(found.groups["b"])["head.weight", 1] == [-1, -1, 0, 1, 2, 3]


def test_what_is_joined_with_the_input_may_go_all_the_same() -> None:
    found = net(
        lambda m, x: m.head(torch.cat([x, m.a(x)], 1)), 3, a=nn.Linear(3, 2), head=nn.Linear(5, 2)
    )
    assert places(found.groups["a"])["head.weight", 1] == [-1, -1, -1, 0, 1]


def test_a_joint_added_to_one_wide_layer_couples_all_three() -> None:
    found = net(
        lambda m, x: m.head(torch.cat([m.a(x), m.b(x)], 1) + m.wide(x)),
        3,
        a=nn.Linear(3, 2),
        b=nn.Linear(3, 2),
        wide=nn.Linear(3, 4),
        head=nn.Linear(4, 2),
    )
    assert names(found) == {"a": ("a", "b", "wide")}
    rows = {name: row.tolist() for name, row in found.groups["a"].rows.items()}
    assert rows["a"] == [0, 1]
    assert rows["b"] == [2, 3]
    assert rows["wide"] == [0, 1, 2, 3]


@pytest.mark.parametrize("way", ["chunk", "glu", "slices"])
def test_a_gate_goes_with_what_it_gates(way: str) -> None:
    def gated(m: Net, x: Tensor) -> Tensor:
        both = m.both(x)
        if way == "glu":
            return m.head(F.glu(both, -1))
        halves = both.chunk(2, -1) if way == "chunk" else (both[:, :3], both[:, 3:])
        return m.head(halves[0] * halves[1].sigmoid())

    found = net(gated, 4, both=nn.Linear(4, 6), head=nn.Linear(3, 2))
    group = found.groups["both"]
    assert (group.units, group.rows["both"].tolist()) == (3, [0, 1, 2, 0, 1, 2])
    assert places(group)["head.weight", 1] == [0, 1, 2]


def test_channels_that_are_shuffled_are_found_again() -> None:
    def shuffled(m: Net, x: Tensor) -> Tensor:
        n, _, h, w = x.shape
        y = m.one(x).reshape(n, 2, 3, h, w).transpose(1, 2).reshape(n, 6, h, w)
        return m.head(y)

    group = net(shuffled, 1, 4, 4, one=nn.Conv2d(1, 6, 1), head=nn.Conv2d(6, 2, 1)).groups["one"]
    columns = places(group)["head.weight", 1]
    order = [0, 3, 1, 4, 2, 5]  # what stands at each place after the shuffle
    assert columns == [group.rows["one"].tolist()[place] for place in order]


def test_padding_of_pictures_is_harmless_and_padding_of_channels_is_not() -> None:
    parts = {"one": nn.Conv2d(1, 3, 1), "head": nn.Conv2d(3, 2, 1)}
    found = net(lambda m, x: m.head(F.pad(m.one(x), (1, 1, 1, 1))), 1, 4, 4, **parts)
    assert names(found) == {"one": ("one",)}
    parts = {"one": nn.Conv2d(1, 3, 1), "head": nn.Conv2d(4, 2, 1)}
    found = net(lambda m, x: m.head(F.pad(m.one(x), (0, 0, 0, 0, 0, 1))), 1, 4, 4, **parts)
    assert found.fixed["one"] == "it is padded"


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        (lambda m, x: m.head(m.one(x)[:, 1:3]), "single entries of it are picked by their place"),
        (lambda m, x: m.head(m.one(x)[:, [0, 2]]), "single entries of it are picked by their"),
        (lambda m, x: m.head(m.one(x).softmax(1)[:, :2]), "softmax runs over it"),
        (lambda m, x: m.head(m.one(x).cumsum(1)[:, :2]), "cumsum runs over it"),
        (lambda m, x: m.head(m.one(x).mean(1, keepdim=True) + x[:, :2]), "mean runs over it"),
        (lambda m, x: m.head(m.one(x).split([2, 3], 1)[0]), "it is split into unequal parts"),
        (
            lambda m, x: m.head(torch.linalg.qr(m.one(x)).R[:, :2]),
            "what linalg_qr does to it is not known",
        ),
        (lambda m, x: m.head(F.layer_norm(m.one(x), (5,))[:, :2]), "it is normalised together"),
    ],
    ids=["slice", "index", "softmax", "cumsum", "mean", "split", "unknown", "layer norm"],
)
def test_units_that_must_stay_say_why(does: Callable[[Net, Tensor], Tensor], reason: str) -> None:
    found = net(does, 3, one=nn.Linear(3, 5), head=nn.Linear(2, 2))
    assert names(found) == {}
    assert found.fixed["one"].startswith(reason)


def test_an_operator_that_nobody_knows_holds_its_inputs_only() -> None:
    found = net(
        lambda m, x: m.head(torch.linalg.matrix_exp(m.two(m.one(x)).reshape(-1, 2, 2)).flatten(1)),
        3,
        one=nn.Linear(3, 5),
        two=nn.Linear(5, 4),
        head=nn.Linear(4, 2),
    )
    assert names(found) == {"one": ("one",)}
    assert "two" in found.fixed


def test_a_layer_of_one_unit_and_a_layer_that_never_runs() -> None:
    found = net(
        lambda m, x: m.head(m.one(x)),
        3,
        one=nn.Linear(3, 1),
        idle=nn.Linear(3, 4),
        head=nn.Linear(1, 2),
    )
    assert found.fixed["one"] == "it has one unit only: nothing would be left"
    assert found.fixed["idle"] == "it never runs in the traced network"


def test_a_layer_that_runs_is_not_said_to_be_idle() -> None:
    found = net(
        lambda m, x: m.head(m.up(m.one(x[..., None, None])).flatten(1)),
        3,
        one=nn.Conv2d(3, 16, 1),
        up=nn.ConvTranspose2d(16, 8, 2, groups=8),
        head=nn.Linear(32, 2),
    )
    assert "in blocks" in found.fixed["up"]


# -- attention -----------------------------------------------------------------------------


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def test_heads_of_a_fused_projection() -> None:
    def fused(m: Net, x: Tensor) -> Tensor:
        n, length, _ = x.shape
        q, k, v = m.qkv(x).reshape(n, length, 3, 2, 3).permute(2, 0, 3, 1, 4).unbind(0)
        return m.proj(attend(q, k, v)).mean(1)

    found = net(fused, 5, 6, qkv=nn.Linear(6, 18), proj=nn.Linear(6, 2))
    group = found.groups["qkv"]
    assert (group.units, group.word) == (2, "head")
    assert group.rows["qkv"].tolist() == [0, 0, 0, 1, 1, 1] * 3
    assert places(group)["proj.weight", 1] == [0, 0, 0, 1, 1, 1]


def test_heads_of_three_projections_and_products_by_hand() -> None:
    def apart(m: Net, x: Tensor) -> Tensor:
        n, length, _ = x.shape
        q, k, v = (f(x).view(n, length, 2, 3).transpose(1, 2) for f in (m.q, m.k, m.v))
        weights = (q @ k.transpose(-2, -1) / 3**0.5).softmax(-1)
        return m.proj((weights @ v).transpose(1, 2).reshape(n, length, 6)).mean(1)

    linear = {name: nn.Linear(6, 6) for name in ("q", "k", "v")}
    found = net(apart, 5, 6, **linear, proj=nn.Linear(6, 2))
    assert names(found) == {"q": ("q", "k", "v")}
    assert found.groups["q"].word == "head"
    assert all(row.tolist() == [0, 0, 0, 1, 1, 1] for row in found.groups["q"].rows.values())
    assert found.groups["q"].consumers == ("proj",)


def test_queries_that_share_a_key_go_with_it() -> None:
    def grouped(m: Net, x: Tensor) -> Tensor:
        n, length, _ = x.shape
        q = m.q(x).view(n, length, 4, 2).transpose(1, 2)
        k, v = (f(x).view(n, length, 2, 2).transpose(1, 2) for f in (m.k, m.v))
        k, v = (t.repeat_interleave(2, 1) for t in (k, v))
        return m.proj(attend(q, k, v)).mean(1)

    parts = {"q": nn.Linear(6, 8), "k": nn.Linear(6, 4), "v": nn.Linear(6, 4)}
    found = net(grouped, 5, 6, **parts, proj=nn.Linear(8, 2))
    group = found.groups["q"]
    assert (group.layers, group.units, group.word) == (("q", "k", "v"), 2, "head")
    assert group.rows["q"].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert group.rows["k"].tolist() == [0, 0, 1, 1]


def test_a_stream_that_is_normalised_stays_and_what_feeds_it_tells_the_reason() -> None:
    def block(m: Net, x: Tensor) -> Tensor:
        y = m.stem(x)
        return m.head(y + m.two(m.one(m.norm(y)).relu()))

    found = net(
        block,
        3,
        stem=nn.Linear(3, 4),
        norm=nn.LayerNorm(4),
        one=nn.Linear(4, 5),
        two=nn.Linear(5, 4),
        head=nn.Linear(4, 2),
    )
    assert names(found) == {"one": ("one",)}
    reason = "it is normalised together (layer_norm): without some, the others would change"
    assert (found.fixed["stem"], found.fixed["two"]) == (reason, reason)
