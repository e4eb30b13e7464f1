"""Are stacked weights of experts known by their use, and do masks of them hold?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.network.forward_pass import call
from pruneviz.network.layers import find_layers
from pruneviz.network.replica import apply_masks, replica, state
from tests.zoo import made

N, EXPERTS = 12, 3
Use = Callable[[Tensor, Tensor], Tensor]  # inputs [n, size], weight -> outputs [n, experts, units]


def spread(x: Tensor) -> Tensor:
    return x.expand(EXPERTS, *x.shape)


def grouped(x: Tensor, w: Tensor) -> Tensor:
    ends = torch.arange(1, EXPERTS + 1, dtype=torch.int32) * len(x)
    said = torch._grouped_mm(torch.cat([x] * EXPERTS), w, offs=ends)
    return torch.unflatten(said, 0, (EXPERTS, -1)).transpose(0, 1)


def one_by_one(x: Tensor, w: Tensor) -> Tensor:
    return torch.stack([F.linear(x, w[place]) for place in range(EXPERTS)], 1)


def gathered(x: Tensor, w: Tensor) -> Tensor:
    """Each row with a copy of the weights of every expert, picked by number."""
    chosen = torch.arange(EXPERTS).expand(len(x), -1)
    return (w[chosen] @ x[:, None, :, None]).squeeze(-1)


STORED: dict[str, Use] = {  # [experts, units, inputs]
    "bmm": lambda x, w: torch.bmm(spread(x), w.transpose(1, 2)).transpose(0, 1),
    "matmul": lambda x, w: (x @ w.mT).transpose(0, 1),
    "from the left": lambda x, w: (w @ x.T).permute(2, 0, 1),
    "einsum": lambda x, w: torch.einsum("ni,eoi->neo", x, w),
    "einsum of any rank": lambda x, w: torch.einsum("...i, eoi -> ...eo", x, w),
    "einsum without an arrow": lambda x, w: torch.einsum("zi,aoi", x, w).permute(2, 0, 1),
    "one by one": one_by_one,
    "picked": gathered,
    "grouped": lambda x, w: grouped(x, w.transpose(1, 2)),
    "as one matrix": lambda x, w: torch.unflatten(F.linear(x, w.flatten(0, 1)), 1, (EXPERTS, -1)),
}
TURNED: dict[str, Use] = {  # [experts, inputs, units]
    "bmm": lambda x, w: torch.bmm(spread(x), w).transpose(0, 1),
    "baddbmm": lambda x, w: torch.baddbmm(torch.zeros(()), spread(x), w).transpose(0, 1),
    "matmul": lambda x, w: (x @ w).transpose(0, 1),
    "einsum": lambda x, w: torch.einsum("ni,eio->neo", [x, w]),
    "one by one": lambda x, w: torch.stack([x @ each for each in w], 1),
    "grouped": grouped,
}
USES = [(use, False) for use in STORED] + [(use, True) for use in TURNED]


class Stack(nn.Module):
    """Three experts for each row, all of them asked, and a head."""

    def __init__(self, use: Use, inputs: int, units: int, turned: bool) -> None:
        super().__init__()
        shape = (EXPERTS, inputs, units) if turned else (EXPERTS, units, inputs)
        self.weight, self.use = nn.Parameter(torch.randn(shape)), use
        self.head = nn.Linear(EXPERTS * units, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.use(x, self.weight).flatten(1))


@pytest.mark.parametrize(("name", "turned"), USES)
@pytest.mark.parametrize(("inputs", "units"), [(8, 16), (8, 8), (EXPERTS, 8)])
def test_each_use_is_known_which_way_round(
    name: str, turned: bool, inputs: int, units: int
) -> None:
    if name == "grouped" and inputs % 4:
        pytest.skip("grouped products want rows of 16 bytes")
    use = (TURNED if turned else STORED)[name]
    network = Stack(use, inputs, units, turned).eval()
    bench = pv.open(network, torch.randn(N, inputs))
    layer = bench.layer_of["weight"]
    assert (layer.kind, layer.shape, layer.turned) == (
        "experts",
        (EXPERTS * units, inputs),
        turned,
    )
    assert bench.macs["weight"] == EXPERTS * units * inputs
    assert torch.equal(layer.turn(bench.weight("weight")), network.weight)
    # The rows of the last unit of the second expert, cut, silence that and nothing else.
    row = 2 * units - 1
    mask = torch.ones(layer.shape, dtype=torch.bool)
    mask[row] = False
    x = torch.randn(N, inputs)
    with torch.no_grad():
        before, after = use(x, network.weight), use(x, network.weight * layer.turn(mask))
    before[:, 1, -1] = 0
    torch.testing.assert_close(after, before)


def test_what_is_no_product_is_no_layer() -> None:
    """Tables that are added, weights that are mixed or computed, and a stack of one."""

    class Other(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(4, 2)
            for name in ("added", "mixed", "computed", "scaled"):
                self.register_parameter(name, nn.Parameter(torch.randn(3, 4, 4)))
            self.single = nn.Parameter(torch.randn(1, 4, 4))

        def forward(self, x: Tensor) -> Tensor:
            mixture = torch.einsum("ne,eoi->noi", x[:, :3].softmax(1), self.mixed)
            x = x + self.added.mean((0, 1)) + (mixture @ x.unsqueeze(-1)).squeeze(-1)
            x = x + torch.einsum("ni,eoi->no", x, self.computed.tanh()) + x @ self.single[0]
            return self.head(x * self.scaled.mean((0, 1)))

    network = Other().eval()
    bench = pv.open(network, torch.randn(N, 4))
    assert list(bench.layer_of) == ["head"]
    assert set(bench.never["parameter"]) == {"added", "mixed", "computed", "scaled", "single"}
    assert "sliders reach" in bench.notes[-1]


def test_without_data_nothing_is_guessed() -> None:
    assert "up" not in find_layers(made("Experts")[0])


@pytest.mark.parametrize("criterion", ["magnitude", "taylor", "snip", "fisher", "synflow"])
@pytest.mark.parametrize("granularity", ["weight", "2:4"])
def test_masks_of_experts_hold_everywhere_alike(
    benches: Callable[[str], pv.Workbench], criterion: str, granularity: str
) -> None:
    bench = benches("Experts")
    model, data = bench.source.model, bench.source.validation
    dense = call(replica(model), data.inputs)
    for name in ("up", "down"):
        plan = pv.Plan(criterion, granularity, sparsity={name: 0.5})
        pruned = bench.prune(plan)
        with torch.inference_mode():
            by_call = call(
                replica(model), data.inputs, apply_masks(state(model), pruned.parameter_masks)
            )
            by_copy = call(pruned.model.eval(), data.inputs)
        assert not torch.equal(by_copy, dense)
        torch.testing.assert_close(by_call, by_copy, rtol=0, atol=1e-6)
        cut = int((~pruned.masks[name]).sum())
        assert cut == int((getattr(pruned.model, name) == 0).sum())
        counts = bench.counts(plan)
        assert counts.params - counts.params_kept == cut


def test_contributions_are_gradient_times_weight_by_row(
    benches: Callable[[str], pv.Workbench],
) -> None:
    bench = benches("Experts")
    known = bench.evidence("gradients")["down"]
    assert known.of("contribution").shape == (len(bench.source.calibration), 30)
    felt = (known.of("gradient") * bench.weight("down")).sum(1)
    torch.testing.assert_close(known.of("contribution").mean(0), felt.float(), rtol=1e-4, atol=1e-7)


def test_what_cannot_be_is_refused_in_words(benches: Callable[[str], pv.Workbench]) -> None:
    bench = benches("Experts")
    with pytest.raises(ValueError, match=r"layer 'up'.*which expert is not heard; use a criterion"):
        bench.prune(pv.Plan("wanda", sparsity={"up": 0.5}))
    with pytest.raises(ValueError, match=r"layer 'up'.*masked, not removed; use single weights"):
        bench.prune(pv.Plan(granularity="neuron", sparsity={"up": 0.5}))
