"""Are the blocks of small networks those that one reads off their code?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.workbench import Workbench

DATA = torch.linspace(-1, 1, 160).reshape(40, 4), torch.arange(40) % 2
NO_BLOCK = "no residual connection passes it by"


class Net(nn.Module):
    """Code of its own between a first layer and a head; its parts are made beforehand."""

    def __init__(self, code: Callable[[Net, Tensor], Tensor]) -> None:
        super().__init__()
        self.code = code
        self.inward, self.head = nn.Linear(4, 6), nn.Linear(6, 2)
        self.one, self.two, self.side = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 6)
        self.norm, self.last = nn.LayerNorm(6), nn.LayerNorm(6)
        self.scale = nn.Parameter(torch.ones(6))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.code(self, self.inward(x)))


def opened(code: Callable[[Net, Tensor], Tensor]) -> Workbench:
    torch.manual_seed(3)
    return pv.open(Net(code).eval(), DATA)


def blocks(bench: Workbench) -> dict[str, tuple[str, ...]]:
    return {name: group.layers for name, group in bench.graph_cache.blocks.groups.items()}


def plain(net: Net, x: Tensor) -> Tensor:
    return x + net.two(net.one(x).relu())


def pre_norm(net: Net, x: Tensor) -> Tensor:
    return net.one(net.norm(x)).relu() + x


def post_norm(net: Net, x: Tensor) -> Tensor:
    return net.norm(x + net.one(x))


def normed_branch(net: Net, x: Tensor) -> Tensor:
    return x + net.norm(net.one(x))


def parallel(net: Net, x: Tensor) -> Tensor:
    normed = net.last(x)
    return net.one(normed) + net.two(normed).relu() + x


def both_ways(net: Net, x: Tensor) -> Tensor:
    x = x + net.one(net.norm(x))
    return x + net.two(net.last(x)).relu()


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (plain, {"one": ("one", "two")}),
        (pre_norm, {"one": ("one",)}),
        (post_norm, {"one": ("one",)}),
        (normed_branch, {"one": ("one",)}),
        (parallel, {"one": ("one",), "two": ("two",)}),
        (both_ways, {"one": ("one",), "two": ("two",)}),
        (lambda net, x: x.relu() + net.one(x), {"one": ("one",)}),
        (lambda net, x: net.last(2 * x + net.one(x)), {"one": ("one",)}),
    ],
)
def test_a_branch_beside_a_connection_is_a_block(
    code: Callable[[Net, Tensor], Tensor], found: dict[str, tuple[str, ...]]
) -> None:
    bench = opened(code)
    assert blocks(bench) == found
    for name in found:
        plan = pv.Plan("magnitude", "block", sparsity={name: 1.0})
        pruned = bench.prune(plan)
        small, inputs = pruned.shrink(), bench.source.validation.inputs
        torch.testing.assert_close(small(inputs), pruned.model(inputs), rtol=0, atol=0)
        left = sum(parameter.numel() for parameter in small.parameters())
        counts = bench.counts(plan)
        assert counts.params_kept == counts.params_shrunk == left < counts.params


def test_what_a_block_takes_along_is_counted_by_hand() -> None:
    bench = opened(pre_norm)
    row = bench.blocks.iloc[0]
    assert (row["layer"], row["params"], row["macs"]) == ("one", 6 * 6 + 6 + 2 * 6, 6 * 6)
    counts = bench.counts(pv.Plan("magnitude", "block", sparsity={"one": 1.0}))
    assert counts.params - counts.params_kept == 54
    assert counts.macs is not None
    assert counts.macs - (counts.macs_kept or 0) == 36


@pytest.mark.parametrize(
    ("code", "layer", "reason"),
    [
        (
            lambda net, x: net.side(x) + net.two(net.one(x)),
            "one",
            "the shortcut beside it is a projection (side): no input of its shape passes it by",
        ),
        (
            lambda net, x: net.side(x) + net.two(net.one(x)),
            "side",
            "it is the projection of a shortcut: no input of its shape passes it by",
        ),
        (lambda net, x: torch.cat([x, net.one(x)], 1)[:, 3:9], "one", NO_BLOCK),
        (lambda net, x: x * net.one(x), "one", NO_BLOCK),
        (lambda net, x: x - net.one(x), "one", NO_BLOCK),
        (
            lambda net, x: (x + (branch := net.one(x))) * branch,
            "one",
            "what its branch computes is read elsewhere, too",
        ),
        (
            lambda net, x: net.one(x + net.one(x)),
            "one",
            "its branch works with weights of one, which stay",
        ),
        (
            lambda net, x: x + net.scale * net.one(x),
            "one",
            "'scale' of its branch belongs to a module that computes more than the branch",
        ),
        (
            lambda net, x: x + net.two(x + net.one(x)),
            "two",
            "its branch holds blocks of its own; leave those out",
        ),
    ],
)
def test_what_is_no_block_says_why(
    code: Callable[[Net, Tensor], Tensor], layer: str, reason: str
) -> None:
    bench = opened(code)
    assert layer not in blocks(bench)
    assert bench.graph_cache.blocks.fixed[layer] == reason
    assert bench.cannot(pv.Plan("magnitude", "block"))[layer] == f"block: {reason}"
    with pytest.raises(ValueError, match=rf"'{layer}' cannot be pruned so: block: "):
        bench.prune(pv.Plan("magnitude", "block", sparsity={layer: 1.0}))


def test_code_that_meets_another_shape_keeps_its_block_and_says_so() -> None:
    """The hidden layer is left out, and what comes in is narrower than what the code expects."""
    net = nn.Sequential(nn.Linear(4, 6), Wide(), nn.Linear(6, 2)).eval()
    bench = pv.open(net, DATA)
    assert not blocks(bench)
    assert bench.graph_cache.blocks.fixed["1.up"].startswith("its trial cut failed: ")


class Wide(nn.Module):
    """A hidden layer of which the code sorts twelve numbers into three columns."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(6, 12), nn.Linear(12, 6)

    def forward(self, x: Tensor) -> Tensor:
        inside = self.up(x).reshape(len(x), 3, 4).relu().reshape(len(x), 12)
        return (x + self.down(inside)).relu()


def test_samples_have_the_blocks_that_their_code_says(
    benches: Callable[[str], Workbench],
) -> None:
    names = [f"layer{s}.{i}" for s, i in ((1, 0), (1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2))]
    table = benches("resnet20").blocks
    assert table["block"].tolist()[:7] == names
    assert table["locked"].tolist()[:7] == [""] * 7
    locked = dict(zip(table["layer"], table["locked"], strict=True))
    assert "projection (layer2.0.downsample.0)" in locked["layer2.0.conv1"]
    names = [f"blocks.{i}.{part}" for i in range(4) for part in ("attn", "mlp")]
    assert benches("vit").blocks["block"].tolist() == [*names, "patch_embed", "head"]


def test_any_layer_of_a_block_names_it_and_a_half_keeps_it() -> None:
    bench = opened(plain)
    one, two = (pv.Plan("magnitude", "block", sparsity={name: 1.0}) for name in ("one", "two"))
    assert bench.prune(one).checksum == bench.prune(two).checksum
    assert not bench.warnings(one), "what comes in goes past it: nothing has collapsed"
    half = bench.prune(pv.Plan("magnitude", "block", sparsity={"one": 0.5}))
    assert half.report["kept"].tolist() == half.report["total"].tolist()


def test_a_pool_leaves_out_those_that_score_lowest() -> None:
    bench = opened(both_ways)
    with torch.no_grad():
        bench.source.model.get_parameter("two.weight").mul_(0.1)
    pool = pv.Plan("magnitude", "block", "global", sparsity={"one": 0.5, "two": 0.5})
    assert bench.prune(pool).sparsity["two"] == 1.0
    assert bench.prune(pool).sparsity["one"] == 0.0
