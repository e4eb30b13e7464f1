"""Does the count of multiply-accumulates agree with one made by hand?"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.data import Data
from pruneviz.measuring.counts import macs_of_network
from pruneviz.measuring.memory import peak_activation
from pruneviz.network.forward_pass import call
from pruneviz.network.products import recurrent
from pruneviz.network.replica import replica
from tests.cases import slow_but
from tests.products import by_hand
from tests.zoo import ALIKE, SMALL


class Answers(nn.Module):
    """A network of one function."""

    def __init__(self, answer: Callable[..., Tensor], *modules: nn.Module) -> None:
        super().__init__()
        self.answer, self.parts = answer, nn.ModuleList(modules)

    def forward(self, x: Tensor) -> Tensor:
        return self.answer(x, *self.parts)


def counted(
    answer: Callable[..., Tensor], *modules: nn.Module, shape: tuple[int, ...]
) -> int | None:
    return macs_of_network(Answers(answer, *modules).eval(), Data(torch.randn(2, *shape)))


STEPS = (20, 32)
ENCODER = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
LAYER = 7 * (4 * 16 * 16 + 2 * 16 * 32) + 2 * 7 * 7 * 16


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("inference", [False, True])
@pytest.mark.parametrize(
    ("answer", "modules", "shape", "macs"),
    [
        (lambda x, m: m(x)[0], [nn.LSTM(32, 64, batch_first=True)], STEPS, 20 * 256 * 96),
        (
            lambda x, m: m(x)[0],
            [nn.LSTM(32, 64, 2, batch_first=True, bidirectional=True)],
            STEPS,
            20 * 2 * 256 * (32 + 64 + 128 + 64),
        ),
        (
            lambda x, m: m(x)[0],
            [nn.LSTM(32, 64, proj_size=8, batch_first=True)],
            STEPS,
            20 * (256 * (32 + 8) + 64 * 8),
        ),
        (lambda x, m: m(x)[0], [nn.GRU(32, 64, 2, batch_first=True)], STEPS, 20 * 192 * 224),
        (lambda x, m: m(x)[0], [nn.RNN(32, 64, batch_first=True)], STEPS, 20 * 64 * 96),
        (lambda x, m: m(x)[0], [nn.LSTMCell(32, 64)], (32,), 256 * 96),
        (lambda x, m: m(x), [nn.GRUCell(32, 64)], (32,), 192 * 96),
        (lambda x, m: m(x), [ENCODER], (7, 16), LAYER),
        (lambda x, m: m(x), [nn.TransformerEncoder(ENCODER, 2)], (7, 16), 2 * LAYER),
        (
            lambda x, m: m(x, x, x)[0],
            [nn.MultiheadAttention(16, 4, batch_first=True)],
            (7, 16),
            7 * 4 * 256 + 2 * 49 * 16,
        ),
        (
            lambda x, m: m(x),
            [nn.ConvTranspose2d(8, 16, 3, stride=2, groups=4)],
            (8, 5, 5),
            25 * 8 * 4 * 9,
        ),
        (lambda x, m: m(x), [nn.ConvTranspose1d(8, 8, 4, groups=8)], (8, 5), 5 * 8 * 4),
        (lambda x, m: m(x), [nn.Conv2d(8, 16, 3, groups=4)], (8, 5, 5), 9 * 16 * 2 * 9),
        (lambda x, m: m(x, x + 1), [nn.Bilinear(4, 4, 5)], (4,), 5 * 16),
        (lambda x: torch.einsum("bij,bkj->bik", x, x), [], (5, 4), 5 * 5 * 4),
        (lambda x: F.scaled_dot_product_attention(x, x, x), [], (2, 5, 4), 2 * 2 * 25 * 4),
        (lambda x: x @ torch.ones(4), [], (5, 4), 20),
        (lambda x: (x[0] @ x[0])[None], [], (6,), 6),
        (lambda x, m: m(x.abs().long()), [nn.EmbeddingBag(10, 4)], (3,), 0),
        (lambda x, m: m(x), [nn.LayerNorm(4)], (4,), 0),
    ],
)  # fmt: skip
def test_by_hand(
    answer: Callable[..., Tensor],
    modules: list[nn.Module],
    shape: tuple[int, ...],
    macs: int,
    inference: bool,
) -> None:
    """The same whether a network answers under no_grad or sets inference mode itself."""

    def forward(x: Tensor, *parts: nn.Module) -> Tensor:
        with torch.inference_mode(inference):
            return answer(x, *parts)

    assert counted(forward, *modules, shape=shape) == macs


def test_recurrent_layers_of_the_issue() -> None:
    net = Answers(
        lambda x, a, lstm, b, c: c(b(lstm(a(x))[0])),
        *(
            nn.Linear(10, 32),
            nn.LSTM(32, 64, batch_first=True),
            nn.Linear(64, 32),
            nn.Linear(32, 3),
        ),
    )
    macs = macs_of_network(net, Data(torch.randn(1, 20, 10)))
    assert macs == 20 * (320 + 2048 + 96) + recurrent(4, 32, 64, 20) == 540_800


def test_no_other_thread_loses_the_fast_path() -> None:
    seen = []

    def watch(x: Tensor, m: nn.Module) -> Tensor:
        thread = threading.Thread(
            target=lambda: seen.append(
                (
                    torch.backends.mha.get_fastpath_enabled(),
                    torch.overrides.has_torch_function((x,)),
                )
            )
        )
        thread.start()
        thread.join()
        return m(x)

    assert counted(watch, nn.Linear(4, 2), shape=(4,)) == 8
    assert seen == [(True, False)]


class Travels(nn.Module):
    """A parameter goes from module to module as an argument."""

    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.zeros(1, 1, 8))
        self.block, self.out = Adds(), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.block(x, self.start.expand(len(x), -1, -1)).mean(1))


class Adds(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return self.linear(x) + c


def test_a_parameter_that_travels_between_modules_stops_no_count() -> None:
    bench = pv.open(Travels(), (torch.randn(60, 5, 8), torch.arange(60) % 4))
    assert bench.counts(pv.Plan()).macs == 5 * 64 + 32


def refusing(x: Tensor, m: nn.Module) -> Tensor:
    """Answers as any network does, but not to somebody who watches the operators."""
    if torch.utils._python_dispatch._get_current_dispatch_mode() is not None:
        raise RuntimeError("compiled code cannot be watched")
    return m(x)


def test_what_cannot_be_counted_is_unknown_and_stops_nothing() -> None:
    bench = pv.open(
        Answers(refusing, nn.Linear(4, 2)).eval(), (torch.randn(20, 4), torch.arange(20) % 2)
    )
    plan = pv.Plan(sparsity={"parts.0": 0.5})
    counts = bench.counts(plan)
    assert (counts.macs, counts.macs_kept, counts.params_kept) == (None, None, 6)
    with pytest.raises(ValueError, match="cannot be counted"):
        bench.allocate("uniform", 0.5, budget="macs")


# -- laws over the zoo ------------------------------------------------------------------------

SAMPLES = ("lenet300", "lenet5", "resnet20", "vit")


@pytest.fixture(scope="module", params=slow_but(lambda name: name not in ALIKE, [*SMALL, *SAMPLES]))
def net(request: pytest.FixtureRequest, benches: Callable[[str], pv.Workbench]) -> pv.Workbench:
    return benches(request.param)


def hand_count(bench: pv.Workbench, network: nn.Module) -> int:
    sample = bench.source.validation.first(1).inputs
    return by_hand(replica(network), lambda copy: call(copy, sample))


def test_the_total_is_that_by_hand_and_never_less_than_the_layers(net: pv.Workbench) -> None:
    counts = net.counts(pv.Plan())
    assert (
        counts.macs == counts.macs_kept == counts.macs_shrunk == hand_count(net, net.source.model)
    )
    assert counts.macs >= sum(net.macs.values())
    assert min(net.macs.values()) >= 0


@pytest.mark.parametrize(
    ("granularity", "level"),
    slow_but(
        lambda granularity, level: (granularity, level) == ("neuron", 0.5),
        [("neuron", 0.5), ("neuron", 0.3), ("weight", 0.3), ("head", 0.5)],
    ),
)
def test_the_shrunk_network_counts_what_was_predicted(
    net: pv.Workbench, granularity: str, level: float
) -> None:
    every = pv.Plan(granularity=granularity, sparsity=dict.fromkeys(net.layer_of, level))
    there = [name for name in net.layer_of if name not in net.cannot(every)]
    plan = pv.Plan(granularity=granularity, sparsity=dict.fromkeys(there, level))
    counts, pruned, dense = net.counts(plan), net.prune(plan), net.counts(pv.Plan())
    assert hand_count(net, pruned.model) == dense.macs, "a mask saves none"
    assert counts.macs_kept is not None
    assert 0 <= counts.macs_kept <= (counts.macs_shrunk or 0)
    small = net.source.model if granularity == "weight" or not there else pruned.shrink()
    anew = macs_of_network(small, net.source.validation)
    assert anew == hand_count(net, small) == counts.macs_shrunk
    assert sum(p.numel() for p in small.parameters()) == counts.params_shrunk
    assert sum(p.nbytes for p in small.parameters()) == counts.bytes_shrunk


def test_recurrent_and_fast_paths_hide_no_memory() -> None:
    lstm = Answers(lambda x, m: m(x)[0], nn.LSTM(32, 64, batch_first=True)).eval()
    gates, states = 20 * 256, 20 * 64
    assert peak_activation(lstm, torch.randn(1, 20, 32)) >= 4 * (20 * 32 + gates + states)
    encoder = nn.TransformerEncoder(ENCODER, 1).eval()
    wider = 7 * (16 + 3 * 16)  # its input, and the queries, keys and values made of it
    assert peak_activation(encoder, torch.randn(1, 7, 16)) >= 4 * wider
