"""Do networks of many kinds open, prune and come back, by one path for all?"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

import pruneviz as pv
from pruneviz.network.forward_pass import call, call_all
from pruneviz.network.replica import apply_masks, replica, state
from pruneviz.tasks.several import loss_of
from pruneviz.ui.board import scene
from tests.cases import slow_but
from tests.zoo import ALIKE, SMALL, made

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",
    "ignore:.*copy_misaligned.*",
)
TASKS = {
    "U-Net": "positions",
    "GPT-2": "positions",
    "T5": "positions",
    "Llama-like": "positions",
    "MLP regressor": "values",
    "LSTM cell": "values",
    "Detector, two scales": "closeness",
    "Source separation": "closeness",
}
LANGUAGE = ("GPT-2", "T5", "Llama-like")


@pytest.fixture(
    scope="module",
    params=slow_but(lambda name: name not in ALIKE, SMALL),
)
def bench(request: pytest.FixtureRequest, benches: Callable[[str], pv.Workbench]) -> pv.Workbench:
    return benches(request.param)


def half(bench: pv.Workbench, criterion: str, granularity: str = "weight") -> pv.Plan:
    refused = bench.cannot(
        pv.Plan(criterion, granularity)
    )  # a table of words, also where it is the head, too
    layers = [n for n, x in bench.layer_of.items() if x.kind != "embedding" and n not in refused]
    return pv.Plan(criterion, granularity, sparsity=dict.fromkeys(layers, 0.5))


def answers(bench: pv.Workbench, plan: pv.Plan) -> Tensor:
    model, masks = bench.source.model, bench.prune(plan).parameter_masks
    with torch.inference_mode():
        parameters = apply_masks(state(model), masks)
        return call(replica(model), bench.source.validation.inputs, parameters)


def test_all_parameters_are_accounted_for(bench: pv.Workbench) -> None:
    total = sum(p.numel() for p in bench.source.model.parameters())
    reached = bench.layers["params"].sum()
    assert reached + bench.never["params"].sum() == total == bench.counts(pv.Plan()).params
    plan = half(bench, "magnitude")
    cut = sum(round(0.5 * bench.layer_of[name].size) for name in plan.sparsity)
    assert bench.counts(plan).params_kept == total - cut


@pytest.mark.parametrize(
    "criterion",
    slow_but(lambda name: name != "wanda", ["magnitude", "wanda", "taylor"]),
)
def test_counts_are_exact_and_the_exported_copy_answers_the_same(
    bench: pv.Workbench, criterion: str
) -> None:
    before = bench.fingerprint
    plan = half(bench, criterion)
    pruned = bench.prune(plan)
    for name in plan.sparsity:
        assert int((~pruned.masks[name]).sum()) == round(0.5 * bench.layer_of[name].size), name
    with torch.inference_mode():
        exported = call(pruned.model.eval(), bench.source.validation.inputs)
    torch.testing.assert_close(exported, answers(bench, plan), rtol=1e-5, atol=1e-6)
    assert pv.open(bench.source).fingerprint == before


def test_undo_is_exact(bench: pv.Workbench) -> None:
    dense = answers(bench, pv.Plan())
    answers(bench, half(bench, "magnitude"))
    assert torch.equal(answers(bench, pv.Plan()), dense)


def test_units_of_every_layer_can_be_cut(bench: pv.Workbench) -> None:
    plan = half(bench, "magnitude", "neuron")
    pruned = bench.prune(plan)
    report = pruned.report.set_index("layer")
    for lead, kept in pruned.units.items():
        assert int((~kept).sum()) == round(0.5 * len(kept)), lead
    for name in plan.sparsity:
        layer, group = bench.layer_of[name], bench.groups.of(name)
        kept = pruned.units[bench.groups.lead(name)]
        units = kept if group is None else kept[group.rows[name]] | (group.rows[name] < 0)
        assert report.loc[name, "got"] == pytest.approx(float((~kept).double().mean()))
        assert not pruned.masks[name][~units].any(), name
        if layer.bias is not None:
            rows = slice(*(layer.bias_rows or (None,)))
            assert torch.equal(pruned.parameter_masks[layer.bias][rows], units), name


@pytest.mark.parametrize("plan", [pv.Plan("wanda"), pv.Plan(granularity="neuron")])
def test_every_layer_can_be_looked_at_on_the_board(bench: pv.Workbench, plan: pv.Plan) -> None:
    plan = replace(plan, sparsity=dict.fromkeys(bench.layer_of, 0.0))
    refused = bench.cannot(plan)
    tied = {n for n, x in bench.layer_of.items() if x.table and plan.criterion == "wanda"}
    kinds = ("embedding", "experts", *(("recurrent",) if plan.granularity == "neuron" else ()))
    assert set(refused) == tied | {n for n, x in bench.layer_of.items() if x.kind in kinds}
    for name in bench.layer_of:
        assert scene.picture(bench, plan, name)["all_rows"] == bench.layer_of[name].units


def test_the_task_is_told_by_the_data(bench: pv.Workbench) -> None:
    assert bench.task.name == TASKS.get(bench.name, "classes")
    result = bench.evaluate(half(bench, "magnitude"))
    assert result.n == len(bench.source.validation)
    if bench.name in LANGUAGE:
        assert result.measures["perplexity"] > 1


def test_evidence_has_the_shapes_of_the_layers(bench: pv.Workbench) -> None:
    for name, known in bench.evidence().items():
        layer = bench.layer_of[name]
        if layer.kind == "embedding":
            with pytest.raises(ValueError, match="multiplies no inputs"):
                known.of("input_norm")
            continue
        if layer.kind == "experts":
            with pytest.raises(ValueError, match="sent to which expert is not heard"):
                known.of("input_norm")
        else:
            assert known.of("input_norm").expand(layer.shape).shape == layer.shape
            assert known.of("by_class").shape == (layer.units, len(bench.columns))
        assert known.of("gradient_size").shape == layer.shape
        assert bool((known.of("gradient").abs() <= known.of("gradient_size") * 1.0001 + 1e-9).all())


def test_gradients_are_those_of_autograd(bench: pv.Workbench) -> None:
    """Their mean over the calibration samples, that is; by sample see test_weight_inputs."""
    model = copy.deepcopy(bench.source.model).eval().requires_grad_()
    data = bench.source.calibration
    loss = loss_of(bench.task, call_all(model, data.inputs), data.targets).mean()
    parameters = dict(model.named_parameters(remove_duplicate=False))
    layers = {n: x for n, x in bench.layer_of.items() if x.kind != "embedding" and not x.shared}
    weights = [parameters[x.weight] for x in layers.values()]
    # A head of which the score knows nothing has no gradient.
    grads = torch.autograd.grad(loss, weights, allow_unused=True, materialize_grads=True)
    for (name, layer), grad in zip(layers.items(), grads, strict=True):
        found = bench.evidence("gradients")[name].of("gradient")
        torch.testing.assert_close(found.float(), layer.canonical(grad), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "dtype"),
    slow_but(
        lambda name, dtype: name == "1-D audio CNN" and dtype == torch.bfloat16,
        itertools.product(
            ("1-D audio CNN", "torch TransformerEncoder", "GPT-2"), (torch.bfloat16, torch.float64)
        ),
    ),
)
def test_other_precisions_are_pruned_as_they_are(name: str, dtype: torch.dtype) -> None:
    model, data = made(name)
    bench = pv.open(model.to(dtype), data)
    for criterion in ("magnitude", "wanda", "taylor"):
        plan = half(bench, criterion)
        assert bench.evaluate(plan).n == len(bench.source.validation)
        assert all(p.dtype == dtype for p in bench.prune(plan).model.parameters())
