"""Are the units that stay silent while a network trains found, told and cut?"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from pruneviz.plan import Plan
from pruneviz.training import Moment, Training, train
from pruneviz.training.activity import SILENCE, SIZE, _add
from pruneviz.workbench import Workbench
from tests.small import small_bench

Benches = Callable[[str], Workbench]
SILENCED = {"conv2": [1, 6, 11], "fc1": [0, 17, 40, 83]}
FEW = {"method": "activity", "epochs": 1, "samples": 64, "batch": 16, "every": 1}


@pytest.fixture(scope="module")
def muted(benches: Benches) -> Workbench:
    """lenet5 with units that can say nothing, their bias being far below zero; the others of
    these layers, some of which were as good as dead, are lifted until they speak.
    """
    source = benches("lenet5").source
    model = copy.deepcopy(source.model)
    with torch.no_grad():
        for name, units in SILENCED.items():
            model.get_submodule(name).bias += 3 if name == "conv2" else 300
            model.get_submodule(name).bias[units] = -1e3
    return Workbench(replace(source, name="muted", model=model, dense=None, opened=None))


@pytest.mark.parametrize("remove", [False, True])
def test_the_silenced_units_are_cut_and_no_others(muted: Workbench, remove: bool) -> None:
    plan = Plan("l2", "neuron", sparsity={"conv2": 0.5, "fc1": 0.5})
    settings = Training(silent=0.999, remove=remove, learning_rate=1e-5, **FEW)
    trained = train(muted, plan, settings)
    silent = trained.events[trained.events["kind"] == "silent"]
    told = {name: sorted(rows["unit"]) for name, rows in silent.groupby("layer")}
    assert told == SILENCED
    assert all("100.0%" in words for words in silent["words"])
    if remove:
        assert trained.model.get_submodule("fc1").out_features == 120 - 4
        assert trained.model.get_submodule("conv2").out_channels == 16 - 3
        return
    for name, units in SILENCED.items():
        rows = trained.masks[name].flatten(1).any(1)
        assert (~rows).nonzero().flatten().tolist() == units


@pytest.mark.slow
def test_units_keep_the_number_they_had_at_first(benches: Benches) -> None:
    """Removed in many small steps, no unit is told of twice, and what is left fits the numbers."""
    plan = Plan("l2", "neuron", sparsity={"conv2": 0.5, "fc1": 0.75})
    bench = benches("lenet5")
    places = {}

    def watch(moment: Moment) -> None:
        places.update({n: p.tolist() for n, p in moment.run.structure.places.items()})

    trained = train(bench, plan, Training(remove=True, end=0.9, **FEW), watch=watch)
    removals = trained.events[trained.events["kind"] == "removed"]
    assert len(removals) > 3
    for name in {"conv2": 16, "fc1": 120}:
        rows = trained.events[(trained.events["kind"] == "silent")]
        gone = rows[rows["layer"] == name]["unit"].tolist()
        assert len(gone) == len({*gone}) == round(plan.sparsity[name] * bench.layer_of[name].units)
        assert sorted({*range(bench.layer_of[name].units)} - {*gone}) == places[name]


def test_the_running_mean_by_hand() -> None:
    """Over two steps on all samples it is the plain mean of what the units say."""
    bench = small_bench(16)
    seen: dict[str, torch.Tensor] = {}
    plan = Plan("l2", "neuron", sparsity={"0": 0.5})

    def watch(moment: Moment) -> None:
        if not seen:  # at the cut, after two steps
            seen.update(moment.run.memory)

    settings = {**FEW, "samples": 16, "batch": 16, "epochs": 3, "begin": 0.98, "end": 0.99}
    train(bench, plan, Training(memory=0.5, learning_rate=1e-12, **settings), watch=watch)
    first = bench.source.model[0]
    active = first(bench.source.validation.inputs).detach().relu()
    assert torch.allclose(seen[f"{SIZE}/0"], active.mean(0), atol=1e-6)
    assert torch.allclose(seen[f"{SILENCE}/0"], (active <= 0).float().mean(0), atol=1e-6)


def test_a_running_mean_forgets() -> None:
    run = SimpleNamespace(training=Training(memory=0.5), memory={})
    for value in (4.0, 2.0, 7.0):
        _add(run, "x", torch.tensor([value]))  # type: ignore[arg-type]
    assert run.memory["x"].tolist() == [0.5 * 3.0 + 0.5 * 7.0]
