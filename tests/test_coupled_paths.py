"""Which units go together where paths join, part and attend?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from tests.test_coupling import Net, coupled, names, net, places

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
