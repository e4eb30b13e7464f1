"""Are recurrent layers taken apart as torch computes them, and do masks of their weights hold?"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

import pruneviz as pv
from pruneviz.network.forward_pass import call
from pruneviz.network.recurrence import recur, weights_of
from pruneviz.network.replica import apply_masks, replica, state

LAYERS: dict[str, Callable[..., nn.Module]] = {
    "LSTM": nn.LSTM,
    "LSTM with projection": lambda *sizes, **more: nn.LSTM(*sizes, proj_size=2, **more),
    "GRU": nn.GRU,
    "RNN": nn.RNN,
    "RNN with relu": lambda *sizes, **more: nn.RNN(*sizes, nonlinearity="relu", **more),
}
CELLS: dict[str, nn.Module] = {
    "LSTM": nn.LSTMCell(3, 4),
    "GRU": nn.GRUCell(3, 4, bias=False),
    "RNN": nn.RNNCell(3, 4),
    "RNN with relu": nn.RNNCell(3, 4, nonlinearity="relu"),
}


class Apart(TorchFunctionMode):
    """While it is entered, recurrent functions run product by product."""

    taken = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if not weights_of(func, args):
            return func(*args, **(kwargs or {}))
        self.taken += 1
        return recur(func, args, nn.functional.linear)


def tensors(found: Any) -> list[Tensor]:
    return [found] if isinstance(found, Tensor) else list(itertools.chain(*map(tensors, found)))


def same(network: nn.Module, *inputs: Any) -> None:
    with torch.no_grad(), Apart() as apart:
        found = network(*inputs)
    with torch.no_grad():
        expected = network(*inputs)
    assert apart.taken == 1
    if isinstance(expected[0], nn.utils.rnn.PackedSequence):
        assert torch.equal(found[0].batch_sizes, expected[0].batch_sizes)
        found, expected = (found[0].data, *found[1:]), (expected[0].data, *expected[1:])
    for one, other in zip(tensors(found), tensors(expected), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_taken_apart_a_layer_says_what_torch_says(
    name: str, both: bool, bias: bool, first: bool
) -> None:
    torch.manual_seed(0)
    layer = LAYERS[name](3, 4, num_layers=2, bidirectional=both, bias=bias, batch_first=first)
    layer.eval()
    same(layer, torch.randn(5, 6, 3))
    same(layer, torch.randn(5, 3))  # one sequence, without a batch
    lengths = [5, 3, 3, 1]
    padded = torch.randn(4, 5, 3) if first else torch.randn(5, 4, 3)
    same(layer, nn.utils.rnn.pack_padded_sequence(padded, lengths, batch_first=first))
    _, states = layer(padded)
    same(layer, padded, states)  # a state to begin with


@pytest.mark.parametrize("name", CELLS)
def test_taken_apart_a_cell_says_what_torch_says(name: str) -> None:
    cell, inputs = CELLS[name], torch.randn(5, 3)
    same(cell, inputs)
    same(cell, inputs, cell(inputs))


@pytest.mark.parametrize("name", ["LSTM classifier", "GRU, both ways", "LSTM cell"])
def test_every_recurrent_matrix_is_a_layer(
    benches: Callable[[str], pv.Workbench], name: str
) -> None:
    bench = benches(name)
    model = bench.source.model
    weights = {n: p for n, p in model.named_parameters() if ".weight_" in n}
    assert {n for n, x in bench.layer_of.items() if x.kind == "recurrent"} == set(weights)
    assert all(bench.layer_of[n].shape == tuple(p.shape) for n, p in weights.items())
    assert bench.never.empty or not bench.never["parameter"].str.contains("weight_").any()
    # As counted by layer, and by torch's operators for the network as a whole.
    assert sum(bench.macs.values()) == bench.macs_in_all


@pytest.mark.parametrize("name", ["LSTM classifier", "GRU, both ways", "LSTM cell"])
@pytest.mark.parametrize("granularity", ["weight", "1:2"])
def test_each_mask_changes_the_answers_everywhere_alike(
    benches: Callable[[str], pv.Workbench], name: str, granularity: str
) -> None:
    bench = benches(name)
    model, data = bench.source.model, bench.source.validation
    dense = call(replica(model), data.inputs)
    for layer in [n for n, x in bench.layer_of.items() if x.kind == "recurrent"]:
        plan = pv.Plan("magnitude", granularity, sparsity={layer: 0.5})
        pruned = bench.prune(plan)
        with torch.inference_mode():
            by_call = call(
                replica(model), data.inputs, apply_masks(state(model), pruned.parameter_masks)
            )
            by_copy = call(pruned.model.eval(), data.inputs)
            by_overlay = call(pruned.overlay(), data.inputs)
        assert not torch.equal(by_copy, dense), layer
        torch.testing.assert_close(by_call, by_copy, rtol=0, atol=1e-6)
        torch.testing.assert_close(by_overlay, by_copy, rtol=0, atol=1e-6)
        kept = bench.counts(plan)
        assert kept.params - kept.params_kept == bench.layer_of[layer].size // 2
        assert bench.macs[layer] // 2 == kept.macs - kept.macs_kept


def test_wanda_is_the_weight_times_what_it_met() -> None:
    """By hand: an RNN of one input and two hidden units over two steps."""
    rnn = nn.RNN(1, 2, bias=False, batch_first=True, nonlinearity="relu")
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(torch.tensor([[1.0], [2.0]]))
        rnn.weight_hh_l0.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    network = nn.Sequential(rnn, Last(), nn.Linear(2, 2))
    bench = pv.open(network.eval(), torch.full((40, 2, 1), 3.0))
    norms = {name: bench.evidence("activity")[name].of("input_norm") for name in bench.layer_of}
    n = len(bench.source.calibration)
    # Both steps read 3; the states before them are 0 and (3, 6).
    assert norms["0.weight_ih_l0"].flatten().tolist() == pytest.approx([(2 * n * 9) ** 0.5])
    assert norms["0.weight_hh_l0"].flatten().tolist() == pytest.approx(
        [(n * 9) ** 0.5, (n * 36) ** 0.5]
    )


class Last(nn.Module):
    """The last state of all steps."""

    def forward(self, found: tuple[Tensor, Tensor]) -> Tensor:
        return found[0][:, -1]


def test_whole_recurrent_units_are_refused_in_words(
    benches: Callable[[str], pv.Workbench],
) -> None:
    bench = benches("GRU, both ways")
    with pytest.raises(ValueError, match=r"gru\.weight_hh_l0.*masked, not removed; use single"):
        bench.prune(pv.Plan(granularity="neuron", sparsity={"gru.weight_hh_l0": 0.5}))
