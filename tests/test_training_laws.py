"""Does each way to prune while training do what its paper says, worked out by hand?"""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd
import pytest
import torch

from pruneviz.network.replica import fingerprint, state
from pruneviz.plan import Plan
from pruneviz.training import METHODS, Moment, Training, train
from pruneviz.training.dynamic import fraction, rewire
from pruneviz.training.legs import cubic, geometric, on_the_way
from pruneviz.training.methods import shuffle
from pruneviz.workbench import Workbench
from tests.cases import slow_but
from tests.small import small_bench

Benches = Callable[[str], Workbench]
FEW = {"epochs": 1, "samples": 96, "batch": 32}
WEIGHTS = Plan(sparsity={"fc1": 0.9, "fc2": 0.8})


def test_cubic_and_geometric_by_hand() -> None:
    assert [cubic(0.8, t) for t in (0, 0.5, 1)] == [0, 0.8 * 7 / 8, 0.8]
    assert [geometric(0.75, t) for t in (0, 0.5, 1)] == [0, 0.5, 0.75]  # a half, twice
    half = on_the_way(Plan(sparsity={"a": 0.75}, repair=("recalibrate",)), 0.5, geometric)
    assert half.sparsity == {"a": 0.5}
    assert half.repair == ()


def test_the_fraction_that_is_rewired_falls_as_a_cosine() -> None:
    assert fraction(0.3, 0) == 0.3
    assert fraction(0.3, 0.5) == pytest.approx(0.15)
    assert fraction(0.3, 1) == 0
    assert fraction(0.3, 1 / 3) == pytest.approx(0.15 * (1 + math.cos(math.pi / 3)))


def test_rewiring_two_by_two() -> None:
    weight = torch.tensor([[3.0, -1.0], [0.0, 0.0]])
    mask = torch.tensor([[True, True], [False, False]])
    wish = torch.tensor([[9.0, 9.0], [0.2, 0.7]])  # where it is kept already it asks in vain
    after = rewire(weight, mask, wish, 1)
    assert after.tolist() == [[True, False], [False, True]]
    assert rewire(weight, mask, wish, 0).tolist() == mask.tolist()
    assert rewire(weight, mask, wish, 5).tolist() == [[False, False], [True, True]]


def test_rewiring_three_by_three() -> None:
    weight = torch.tensor([[5.0, 4.0, 3.0], [2.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    mask = torch.tensor([[1, 1, 1], [1, 1, 0], [0, 0, 0]]).bool()
    wish = torch.tensor([[0.0, 0, 0], [0, 0, 3], [9, 1, 8]])
    after = rewire(weight, mask, wish, 2)
    assert after.tolist() == torch.tensor([[1, 1, 1], [0, 0, 0], [1, 0, 1]]).bool().tolist()
    assert after.sum() == mask.sum()
    ties = rewire(torch.zeros(3, 3), mask, torch.zeros(3, 3), 2)
    assert ties.tolist() == torch.tensor([[0, 0, 1], [1, 1, 1], [1, 0, 0]]).bool().tolist()


def test_rigl_grows_where_the_gradient_is_largest(benches: Benches) -> None:
    """Each change is compared with the gradient of the very step."""
    plan = Plan(sparsity={"fc2": 0.9})
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    def watch(moment: Moment) -> None:
        run = moment.run
        grad = dict(run.network.named_parameters())["fc2.weight"].grad
        if run.step and grad is not None:
            seen.append((run.masks.parameters["fc2.weight"].clone(), grad.abs().clone()))
        elif not run.step:
            seen.append((run.masks.parameters["fc2.weight"].clone(), torch.empty(0)))

    settings = Training(method="rigl", every=1, drop=0.3, end=0.9, **FEW)
    train(benches("lenet300"), plan, settings, watch=watch)
    before, (after, grad) = seen[0][0], seen[1]
    grown = after & ~before
    assert int(after.sum()) == int(before.sum())
    assert int(grown.sum()) > 100
    assert grad[grown].min() >= grad[~after & ~before].max()


@pytest.mark.parametrize("method", ["set", "rigl"])
def test_rewiring_keeps_the_number_in_each_layer(benches: Benches, method: str) -> None:
    counts = []

    def watch(moment: Moment) -> None:
        held = moment.run.masks.parameters
        counts.append({n: int(m.sum()) for n, m in held.items()})

    trained = train(
        benches("lenet300"), WEIGHTS, Training(method=method, every=1, **FEW), watch=watch
    )
    assert all(one == counts[0] for one in counts)
    assert (trained.events["kind"] == "rewired").sum() >= 2


def test_shuffling_keeps_the_number() -> None:
    mask = torch.rand(7, 9) > 0.7
    other = shuffle(mask, 3)
    assert other.sum() == mask.sum()
    assert not torch.equal(other, mask)
    assert torch.equal(shuffle(mask, 3), other)
    assert not torch.equal(shuffle(mask, 4), other)


@pytest.mark.parametrize("rewind", slow_but(lambda epoch: epoch == 1, [0, 1]))
def test_a_ticket_begins_with_the_first_weights_bit_by_bit(benches: Benches, rewind: int) -> None:
    bench = benches("lenet300")
    begun: dict[str, dict[str, torch.Tensor]] = {}
    masks = {}

    def watch(moment: Moment) -> None:
        run = moment.run
        if run.leg == 0 and run.epoch == rewind:
            begun["first"] = run.weights
        if run.epoch == 0 and run.step == 0:
            begun[run.here.name] = run.weights
            masks[run.here.name] = dict(run.masks.parameters)

    settings = Training(
        method="lottery", start="new", epochs=2, rounds=2, rewind=rewind, controls=True,
        samples=96, batch=32,
    )  # fmt: skip
    trained = train(bench, WEIGHTS, settings, watch=watch)
    for r in (1, 2):
        for name in (f"ticket {r}", f"random mask {r}"):
            for key, value in begun["first"].items():
                mask = masks[name].get(key)
                expected = value if mask is None else value.masked_fill(~mask, 0)
                assert torch.equal(begun[name][key], expected), (name, key)
        counts = [
            {n: int(m.sum()) for n, m in masks[f"{kind} {r}"].items()}
            for kind in ("ticket", "new weights", "random mask")
        ]
        assert counts[0] == counts[1] == counts[2]
        ticket, other = masks[f"ticket {r}"]["fc1.weight"], masks[f"random mask {r}"]["fc1.weight"]
        assert not torch.equal(ticket, other)
        assert torch.equal(ticket, masks[f"new weights {r}"]["fc1.weight"])
        assert not torch.equal(
            begun[f"new weights {r}"]["fc3.weight"], begun["first"]["fc3.weight"]
        )
    levels = trained.table[trained.table["leg"].str.startswith("ticket")]["sparsity"]
    assert levels.iloc[0] < levels.iloc[-1]


def test_controls_leave_tickets_as_they_are() -> None:
    """With dropout, which draws at each step; so does the order of the samples."""
    plan, rows = Plan(sparsity={"0": 0.8, "4": 0.5}), []
    for controls in (False, True):
        settings = Training(method="lottery", rounds=2, controls=controls, epochs=2, batch=8)
        trained = train(small_bench(), plan, settings)
        rows.append(trained.table[~trained.table["aside"]].reset_index(drop=True))
    pd.testing.assert_frame_equal(*(one.drop(columns="seconds") for one in rows))


def test_iterative_levels(benches: Benches) -> None:
    plan = Plan(sparsity={"fc1": 0.875})
    trained = train(benches("lenet300"), plan, Training(method="iterative", rounds=3, **FEW))
    size = sum(p.numel() for p in benches("lenet300").source.model.parameters())
    ends = trained.table[trained.table["epoch"] == 1]["sparsity"].tolist()
    assert [round(s * size) for s in ends] == [117_600, 176_400, 205_800]  # halved three times


@pytest.mark.parametrize("method", slow_but(lambda name: name != "slimming", METHODS))
def test_the_network_given_is_left_as_it_is(benches: Benches, method: str) -> None:
    units = method in ("activity", "slimming")
    bench = benches("resnet20" if method == "slimming" else "lenet5")
    model = bench.source.model
    flags = [(m.training, [p.requires_grad for p in m.parameters()]) for m in model.modules()]
    before, chance, threads = fingerprint(model), torch.get_rng_state(), torch.get_num_threads()
    names = [n for n in bench.layer_of if not units or bench.graph_cache.groups.of(n) is not None]
    plan = Plan("l2" if units else "magnitude", "neuron" if units else "weight",
                sparsity=dict.fromkeys(names[:2], 0.5))  # fmt: skip
    plan = Plan() if method == "dense" else plan
    few = {"epochs": 2, "samples": 32, "batch": 16, "rounds": 1, "every": 1}
    with torch.no_grad():  # whoever calls may have switched gradients off
        trained = train(bench, plan, Training(method=method, **few))
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()
    assert torch.get_num_threads() == threads
    assert fingerprint(model) == before
    assert torch.equal(torch.get_rng_state(), chance)
    assert flags == [
        (m.training, [p.requires_grad for p in m.parameters()]) for m in model.modules()
    ]
    assert fingerprint(trained.model) != before
    shared = {t.data_ptr() for t in state(model).values() if t.numel()}
    assert not shared & {t.data_ptr() for t in state(trained.model).values() if t.numel()}
    assert len(trained.table) == sum(
        leg.epochs + 1 for leg in METHODS[method].legs(trained.training)
    )


def test_a_lottery_begins_with_new_weights_unless_told_otherwise() -> None:
    assert Training(method="lottery").start == "new"
    assert Training(method="lottery", start="trained").start == "trained"
    assert Training().start == Training(method="rigl").start == "trained"
