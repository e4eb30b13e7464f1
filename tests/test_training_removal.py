"""Is a network that shrinks while it trains the one that would have been masked?"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from pruneviz.network.forward_pass import call
from pruneviz.network.replica import replica
from pruneviz.plan import Plan
from pruneviz.training import Moment, Training, train
from pruneviz.training.run import Run
from pruneviz.workbench import Workbench
from tests.cases import slow_but

Benches = Callable[[str], Workbench]
UNITS = Plan("l2", "neuron", sparsity={"conv1": 0.34, "conv2": 0.5, "fc1": 0.5})
FEW = {"epochs": 3, "samples": 96, "batch": 16, "every": 4, "schedule": "constant"}


class Recorder:
    """The loss of each epoch, and what the optimiser remembers at the end."""

    def __init__(self) -> None:
        self.run: Run | None = None

    def watch(self, moment: Moment) -> None:
        self.run = moment.run


@pytest.mark.parametrize(
    ("method", "optimizer"),
    slow_but(
        lambda method, optimizer: (method == "gradual") == (optimizer["optimizer"] == "adamw"),
        itertools.product(
            ["one-shot", "gradual"],
            [
                {"optimizer": "sgd", "learning_rate": 0.01},
                {"optimizer": "adamw", "weight_decay": 0.1},
            ],
        ),
    ),
)
def test_masked_and_removed_train_alike(
    benches: Benches, method: str, optimizer: dict[str, object]
) -> None:
    bench = benches("lenet5")
    runs, tables, models = [], [], []
    for remove in (False, True):
        recorder = Recorder()
        settings = Training(method=method, remove=remove, **FEW, **optimizer)
        trained = train(bench, UNITS, settings, watch=recorder.watch)
        assert recorder.run is not None
        runs.append(recorder.run)
        tables.append(trained.table)
        models.append(trained.model)
    masked, removed = tables
    assert removed["size"].iloc[-1] < masked["size"].iloc[-1]
    assert (removed["params"] == masked["params"]).all()
    assert removed["size"].iloc[-1] == removed["params"].iloc[-1]
    for column in ("loss", "validation_loss", "train_loss"):
        apart = (removed[column] - masked[column]).abs().dropna()
        assert apart.max() < 1e-4, column
    example = bench.source.validation.inputs
    answers = [call(replica(model), example).detach() for model in models]
    assert torch.allclose(*answers, atol=1e-3)
    _same_memory(*runs)


def _same_memory(masked: Run, removed: Run) -> None:
    """What the optimiser of the smaller network remembers is what the other one's is, narrowed."""
    wide, narrow = (
        {name: run.optimizer.state[p] for name, p in run.network.named_parameters()}
        for run in (masked, removed)
    )
    for name, state in narrow.items():
        mask = masked.masks.parameters.get(name)
        for key, value in state.items():
            if not isinstance(value, Tensor) or not value.ndim:
                continue
            other = wide[name][key]
            expected = other if mask is None else other[mask]
            assert torch.allclose(value.flatten(), expected.flatten(), atol=1e-4), (name, key)


@pytest.mark.slow
def test_residual_networks_and_heads_shrink(benches: Benches) -> None:
    for name, granularity in (("resnet20", "neuron"), ("vit", "head")):
        bench = benches(name)
        word = "head" if granularity == "head" else None
        leads = [
            g.layers[0]
            for g in bench.graph_cache.groups.groups.values()
            if (g.word == word if word else g.units == 16)
        ]
        plan = Plan("l2", granularity, sparsity=dict.fromkeys(leads[:2], 0.5))
        trained = train(
            bench,
            plan,
            Training(method="gradual", remove=True, epochs=1, samples=16, batch=8, every=1),
        )
        sizes = trained.table["size"]
        assert sizes.iloc[-1] < sizes.iloc[0]
        assert sizes.iloc[-1] == trained.table["params"].iloc[-1]
        again = Workbench(trained.source("small"))
        assert again.evaluate(Plan()).accuracy == pytest.approx(trained.table["accuracy"].iloc[-1])


@pytest.mark.parametrize(
    "method", slow_but(lambda name: name != "iterative", ["one-shot", "gradual", "iterative"])
)
def test_the_best_unit_of_a_group_stays(benches: Benches, method: str) -> None:
    """At 97 % of all units some group would lose all; masked that is allowed, removed it is not."""
    bench = benches("lenet5")
    plan = Plan("l2", "neuron", "global", sparsity=dict.fromkeys(UNITS.sparsity, 0.97))
    trained = train(
        bench, plan, Training(method=method, remove=True, **{**FEW, "epochs": 1, "rounds": 2})
    )
    widths = [trained.model.get_submodule(n).weight.shape[0] for n in ("conv1", "conv2", "fc1")]
    assert min(widths) == 1
    assert any("last unit" in note for note in trained.notes)


@pytest.mark.slow
def test_pins_hold_their_units_when_others_were_removed(benches: Benches) -> None:
    bench = benches("lenet5")
    pinned = {"fc1": {"119": True, "80": True, "3": False}}
    plan = Plan("l2", "neuron", sparsity={"fc1": 0.9}, pinned=pinned)
    places: dict[str, list[int]] = {}

    def watch(moment: Moment) -> None:
        places.update({n: p.tolist() for n, p in moment.run.structure.places.items()})

    settings = Training(method="gradual", remove=True, **{**FEW, "every": 1})
    trained = train(bench, plan, settings, watch=watch)
    assert (trained.events["kind"] == "removed").sum() > 5
    assert {80, 119} <= {*places["fc1"]}
    assert 3 not in places["fc1"]
    assert len(places["fc1"]) == 120 - 108
