"""Is a repair kept only where it helps, and is it said where it is not?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.data import Data
from pruneviz.network.forward_pass import call
from pruneviz.network.groups import masks_of
from pruneviz.network.layers import find_layers
from pruneviz.network.replica import apply_masks, state
from pruneviz.plan import Plan
from pruneviz.pruning.repair import repair
from pruneviz.pruning.repair.verdict import RepairResult, mend
from tests.cases import slow_but
from tests.repairing import chain, data, group, traced


def mended(
    model: nn.Module, cut: list[int], calibration: Data, *names: str
) -> tuple[RepairResult, dict[str, Tensor]]:
    """What is kept of repairs of a chain of which units of the first layer are cut."""
    plan = Plan(granularity="neuron", sparsity={"0": 0.5}, repair=names)
    assert isinstance(calibration.inputs, Tensor)
    graph, groups = traced(model, calibration.inputs), group(model, "0", "2")
    units = {"0": torch.ones(groups.groups["0"].units, dtype=torch.bool)}
    units["0"][cut] = False
    masks: dict[str, Tensor] = {}
    masks_of(groups.groups["0"], units["0"], state(model), masks)
    given = (model, find_layers(model), groups, graph, plan, masks, units, calibration)
    return mend(*given), repair(*given)


def test_a_repair_that_makes_it_worse_is_not_kept_and_says_so() -> None:
    """One sample in five is far out: its mean, folded, moves the four others away."""
    model = chain()
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(4)[:3])
        model[0].bias.zero_()
        model[2].weight.copy_(torch.tensor([[1.0, 0.0, 1.0], [1.0, 0.0, -1.0]]))
    inputs = torch.tensor([[1.0, 2.0, 0.0, 0.0]]).repeat(5, 1)
    inputs[2, 2] = 100.0
    found, raw = mended(model, [2], Data(inputs), "fold")
    assert raw["2.bias"][0] == model[2].bias[0] + 20
    assert found.tensors == {}
    assert len(found.notes) == 1
    assert found.notes[0].startswith("repair 'fold' was not kept: on 5 calibration samples ")
    # Without: 100² for the one sample. With: 25² for each of four, and 100² for the one.
    assert float(found.notes[0].split("error ")[1].split(" ")[0]) == pytest.approx(
        1.25 * float(found.notes[0].rstrip(")").split(" ")[-1]), rel=0.05
    )


def test_what_helps_is_what_all_samples_give() -> None:
    model = chain()
    with torch.no_grad():
        model[0].bias += 3
    found, raw = mended(model, [1], data(400, 4), "fold")
    assert found.notes == ()
    assert set(found.tensors) == set(raw)
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in raw.items())


def test_a_single_sample_judges_nothing_and_says_so() -> None:
    found, raw = mended(chain(), [1], data(1, 4), "fold")
    assert set(found.tensors) == set(raw)
    assert found.notes == ("repair 'fold' was judged by nothing: one calibration sample",)


@pytest.mark.parametrize("samples", slow_but(lambda n: n in (12, 60), [6, 12, 20, 60, 200]))
def test_few_samples_do_no_harm(samples: int) -> None:
    """On samples that nobody has seen, what is kept is no worse than none, or than `repair`."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 5)).eval()
    fresh = data(2000, 20, seed=7)
    found, raw = mended(model, list(range(0, 64, 2)), data(samples, 20), "reconstruct")
    masks = {f"0.{name}": torch.arange(64) % 2 == 1 for name in ("weight", "bias")}
    masks["0.weight"] = masks["0.weight"].unsqueeze(1).expand(64, 20)

    @torch.no_grad()
    def error(tensors: Mapping[str, Tensor]) -> float:
        whole = state(model) | dict(tensors)
        answers = call(model, fresh.inputs, whole | apply_masks(whole, masks))
        return float((answers - model(fresh.inputs)).square().mean())

    assert error(found.tensors) <= 1.02 * error({})
    assert error(found.tensors) <= 1.1 * error(raw)


def test_the_bench_says_which_repair_was_not_kept() -> None:
    model = chain()
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(4)[:3])
        model[0].bias.zero_()
    inputs = torch.tensor([[1.0, 2.0, 0.0, 0.0]]).repeat(5, 1)
    inputs[2, 2] = 100.0
    source = replace(pv.open(model, inputs.repeat(4, 1)).source, calibration=Data(inputs))
    plan = pv.Plan(
        "l2", "neuron", sparsity={"0": 1 / 3}, pinned={"0": {"2": False}}, repair=("fold",)
    )
    pruned = pv.Workbench(source).prune(plan)
    assert pruned.units["0"].tolist() == [True, True, False]
    assert pruned.repaired == {}
    assert pruned.notes[0].startswith("repair 'fold' was not kept: ")
