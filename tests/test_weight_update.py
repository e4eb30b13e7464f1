"""Do the weights that stay make up for those that go as well as they can?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.background import CancelledError
from pruneviz.network.replica import fingerprint
from pruneviz.pruning import curvature
from pruneviz.pruning.curvature import DAMPING
from pruneviz.pruning.repair import repair, weight_update
from pruneviz.pruning.repair.weight_update import in_order, optimum
from pruneviz.workbench import Workbench

CLASSES = 3


def problem(units: int = 5, inputs: int = 12, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Weights, what is kept of them (a row of all and one of none among them), and H."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(40, inputs, generator=generator).double() @ torch.randn(inputs, inputs).double()
    weight = torch.randn(units, inputs, generator=generator).double()
    kept = torch.rand(units, inputs, generator=generator) < 0.5
    kept[0], kept[1] = True, False
    gram = x.T @ x / len(x)
    return weight, kept, gram + DAMPING * gram.diagonal().mean() * torch.eye(inputs).double()


def published(weight: Tensor, kept: Tensor, h: Tensor) -> Tensor:
    """Row by row: w ← w − (wⱼ/[H⁻¹]ⱼⱼ)·H⁻¹ⱼ for each j that goes, left to right; H⁻¹ is that of
    the columns from j on, those before it being settled.
    """
    rows = []
    for row, stays in zip(weight.clone(), kept, strict=True):
        for j in range(len(row)):
            if not stays[j]:
                inverse = torch.linalg.inv(h[j:, j:])
                row[j:] -= row[j] / inverse[0, 0] * inverse[0]
                row[j] = 0
        rows.append(row)
    return torch.stack(rows)


@pytest.mark.parametrize("block", [1, 3, 12, 128])
def test_the_order_of_columns_is_the_published_recursion(block: int) -> None:
    weight, kept, h = problem()
    upper = torch.linalg.cholesky(torch.linalg.inv(h), upper=True)
    found = in_order(weight, kept, upper, block)
    torch.testing.assert_close(found, published(weight, kept, h))
    assert bool((found[~kept] == 0).all())


@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_is_that_of_least_squares(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_update, "_HELD", 200)  # a few rows at a time
    weight, kept, h = problem(seed=seed)
    root = torch.linalg.cholesky(h).T  # ‖root·v‖² = v·H·v
    found = optimum(weight, kept, h)
    for row, stays, mine in zip(weight, kept, found, strict=True):
        wanted = torch.zeros_like(row)
        solution = torch.linalg.lstsq(root[:, stays], (root @ row).unsqueeze(1), driver="gelsd")
        wanted[stays] = solution.solution[:, 0]
        torch.testing.assert_close(mine, wanted)


def test_the_optimum_is_never_worse_than_the_order_or_the_mask() -> None:
    weight, kept, h = problem()

    def error(new: Tensor) -> Tensor:
        return torch.einsum("ui,ij,uj->u", weight - new, h, weight - new)

    upper = torch.linalg.cholesky(torch.linalg.inv(h), upper=True)
    best, order, mask = optimum(weight, kept, h), in_order(weight, kept, upper), weight * kept
    assert bool((error(best) <= error(order) + 1e-9).all())
    assert float(error(order).sum()) < float(error(mask).sum())


# -- in a network ----------------------------------------------------------------------------


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 8, 3, groups=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(8 * 4 * 4, 10), nn.ReLU(), nn.Linear(10, CLASSES),
    ).eval()  # fmt: skip


def bench_of(model: nn.Module, *shape: int) -> Workbench:
    torch.manual_seed(1)
    base = torch.randn(600, 4)
    inputs = torch.tanh(base @ torch.randn(4, torch.Size(shape).numel())).reshape(600, *shape)
    return pv.open(model, (inputs, torch.arange(600) % CLASSES))


def plan(bench: Workbench, granularity: str = "weight", *repair: str) -> pv.Plan:
    return pv.Plan(
        "magnitude", granularity, sparsity=dict.fromkeys(bench.layer_of, 0.5), repair=repair
    )


def apart(bench: Workbench, one: pv.Plan) -> float:
    """How far the answers lie from the dense network's, on samples of validation."""
    inputs = bench.source.validation.inputs
    with torch.no_grad():
        return float((bench.prune(one).model(inputs) - bench.source.model(inputs)).norm())


@pytest.mark.parametrize("granularity", ["weight", "2:4"])
@pytest.mark.parametrize("affordable", [True, False])
def test_answers_come_nearer_and_the_masks_stay(
    granularity: str, affordable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weight_update, "_AFFORDABLE", 10**11 if affordable else -1)
    bench = bench_of(network(), 2, 6, 6)
    before = fingerprint(bench.source.model)
    raw, updated = plan(bench, granularity), plan(bench, granularity, "update")
    assert apart(bench, updated) < (0.7 if affordable else 0.9) * apart(bench, raw)
    pruned = bench.prune(updated)
    assert pruned.checksum == bench.prune(raw).checksum
    state = pruned.model.state_dict()
    for name, mask in pruned.parameter_masks.items():
        assert bool((state[name][~mask] == 0).all())
    assert set(pruned.repaired) == {f"{name}.weight" for name in bench.layer_of}
    assert pruned.notes == ()
    assert fingerprint(bench.source.model) == before


def test_the_first_layer_gets_the_optimum_of_its_own_inputs() -> None:
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, CLASSES)).eval()
    bench = bench_of(model, 6)
    found = bench.prune(plan(bench, "weight", "update"))
    x = bench.source.calibration.inputs.double()  # type: ignore[union-attr]
    gram = x.T @ x / len(x)
    h = gram + DAMPING * gram.diagonal().mean() * torch.eye(6).double()
    wanted = optimum(bench.weight("0").double(), found.masks["0"], h)
    torch.testing.assert_close(found.model.state_dict()["0.weight"].double(), wanted)


def test_the_next_layer_is_updated_on_what_the_updated_one_gives() -> None:
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, CLASSES)).eval()
    bench = bench_of(model, 6)
    found = bench.prune(plan(bench, "weight", "update"))
    with torch.no_grad():
        hidden = found.model[:2](bench.source.calibration.inputs).double()  # type: ignore[index]
    gram = hidden.T @ hidden / len(hidden)
    h = gram + DAMPING * gram.diagonal().mean() * torch.eye(4).double()
    wanted = optimum(bench.weight("2").double(), found.masks["2"], h)
    torch.testing.assert_close(
        found.model.state_dict()["2.weight"].double(), wanted, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    "model",
    [
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
        nn.Sequential(nn.Conv1d(4, 4, 3, groups=4, padding=1), nn.ConvTranspose1d(4, 4, 3)),
        nn.Sequential(nn.LSTM(8, 6, batch_first=True)),
    ],
    ids=["attention", "depthwise and transposed", "recurrent"],
)
def test_layers_of_other_kinds_are_updated_or_left_alone(model: nn.Module) -> None:
    class Head(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = model

        def forward(self, x: Tensor) -> Tensor:
            result = self.body(x)
            result = result[0] if isinstance(result, tuple) else result
            return result.flatten(1)[:, :CLASSES]

    bench = bench_of(Head().eval(), 4, 8)
    assert apart(bench, plan(bench, "weight", "update")) <= apart(bench, plan(bench)) * 1.02


def test_what_progress_raises_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = bench_of(network(), 2, 6, 6)
    raw = bench.prune(plan(bench))
    told: list[float] = []

    def stop(done: float) -> None:
        told.append(done)
        if len(told) == 2:
            raise CancelledError

    with pytest.raises(CancelledError):
        repair(
            bench.source.model, bench.layer_of, None, None, plan(bench, "weight", "update"),
            raw.parameter_masks, {}, bench.source.calibration, progress=stop,
        )  # fmt: skip
    assert told == sorted(told)


def test_inputs_of_zeros_break_nothing() -> None:
    zero = pv.open(
        nn.Sequential(nn.Linear(6, 4), nn.Linear(4, CLASSES)).eval(),
        (torch.zeros(60, 6), torch.arange(60) % CLASSES),
    )
    found = zero.prune(plan(zero, "weight", "update"))
    assert all(bool(t.isfinite().all()) for t in found.model.state_dict().values())


@pytest.mark.slow
def test_it_brings_lenet300_back(benches: Callable[[str], Workbench]) -> None:
    bench = benches("lenet300")
    levels = dict.fromkeys(bench.layer_of, 0.9)
    raw, updated = (
        bench.evaluate(pv.Plan("magnitude", sparsity=levels, repair=repair)).accuracy
        for repair in ((), ("update",))
    )
    assert updated > raw + 0.05


def test_positions_that_are_chosen_are_spread_over_items() -> None:
    at = curvature._positions(items=4, positions=10, each=3, begin=1)
    assert at.shape == (4, 3)
    assert all(len(set(row.tolist())) == 3 for row in at)
    later = curvature._positions(items=3, positions=10, each=3, begin=2)
    assert torch.equal(later, at[1:]), "the same, however items are cut into batches"
