"""What does the masked network answer, and does torch cut the same?"""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune as torch_prune

import pruneviz as pv
from pruneviz.network.layers import find_layers
from pruneviz.network.replica import apply_masks, fingerprint, replica, state
from pruneviz.plan import Plan
from pruneviz.pruning.evidence import weights_only
from pruneviz.pruning.pruned import Pruned
from pruneviz.workbench import Workbench
from tests.cases import slow_but


def outputs(bench: Workbench, pruned: Pruned, n: int = 4) -> Tensor:
    """What the masked network answers, as the app computes it: parameters swapped, none written."""
    model, inputs = bench.source.model, bench.source.validation.inputs[:n]
    parameters = apply_masks(state(model), pruned.parameter_masks)
    with torch.inference_mode():
        return torch.func.functional_call(replica(model), parameters, (inputs,))


# -- a toy whose output is known -----------------------------------------------------------


@pytest.fixture
def toy() -> nn.Module:
    """Weights 0..9, so that inputs of one give the sum of the weights that are kept."""
    model = nn.Linear(10, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.arange(10.0).unsqueeze(0))
    return model


# -- the masked network --------------------------------------------------------------------


@pytest.mark.parametrize("granularity", ["weight", "neuron", "2:4"])
def test_the_model_given_out_answers_as_the_masked_one(bench: Workbench, granularity: str) -> None:
    pruned = bench.prune(
        Plan("magnitude", granularity, sparsity=dict.fromkeys(bench.layer_of, 0.5))
    )
    inputs = bench.source.validation.inputs[:4]
    with torch.inference_mode():
        assert torch.equal(pruned.model(inputs), outputs(bench, pruned))


def test_the_model_given_out_is_the_users_own_class_with_its_keys(bench: Workbench) -> None:
    dense = bench.source.model
    pruned = bench.prune(Plan(sparsity=dict.fromkeys(bench.layer_of, 0.5)))
    assert type(pruned.model) is type(dense)
    assert list(pruned.model.state_dict()) == list(dense.state_dict())
    ours, theirs = pruned.model.state_dict(), dense.state_dict()
    for name, tensor in theirs.items():
        mask = pruned.parameter_masks.get(name)
        assert torch.equal(ours[name], tensor if mask is None else tensor * mask)
        assert ours[name].data_ptr() != tensor.data_ptr()


def test_the_dense_model_is_untouched_bit_by_bit(bench: Workbench) -> None:
    model = bench.source.model
    before = fingerprint(model)
    for granularity in ("weight", "neuron", "2:4"):
        plan = Plan("magnitude", granularity, sparsity=dict.fromkeys(bench.layer_of, 0.9))
        pruned = bench.prune(plan)
        nn.init.zeros_(next(pruned.model.parameters()))
        outputs(bench, pruned)
    assert fingerprint(model) == before


def test_the_model_given_out_is_not_the_one_that_is_kept(bench: Workbench) -> None:
    """Whoever trains the copy that was handed out must not change what others are handed."""
    plan = Plan(sparsity=dict.fromkeys(bench.layer_of, 0.61))
    before = fingerprint(bench.prune(plan).model)
    with torch.no_grad():
        next(bench.prune(plan).model.parameters()).fill_(7)
    assert fingerprint(bench.prune(plan).model) == before


def batch_norm_outputs(model: nn.Module) -> dict[str, Tensor]:
    """Filled, when the model next runs, with what each batch norm puts out."""
    seen: dict[str, Tensor] = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_hook(
                lambda module, given, output, name=name: seen.__setitem__(name, output)
            )
    return seen


def test_masked_filters_of_resnet20_leave_batch_norm_as_exact_zeros(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("resnet20")
    filters = [name for name, layer in bench.layer_of.items() if layer.kind == "conv2d"]
    assert len(filters) == 21
    for criterion, scope in (("magnitude", "layer"), ("random", "layer"), ("taylor", "global")):
        plan = Plan(criterion, "neuron", scope, dict.fromkeys(filters, 0.3))
        pruned = bench.prune(plan)
        model = pruned.model
        seen = batch_norm_outputs(model)
        with torch.inference_mode():
            model(bench.source.validation.inputs[:16])
        for name in filters:
            gone = ~pruned.units[bench.groups.lead(name)]
            norm = seen[name.replace("conv", "bn").replace("downsample.0", "downsample.1")]
            assert not norm[:, gone].any(), f"{name} under {criterion}"
        groups = {bench.groups.lead(name) for name in filters}
        cut = [int((~pruned.units[lead]).sum()) for lead in groups]
        sizes = [len(pruned.units[lead]) for lead in groups]
        if scope == "global":
            assert sum(cut) == round(0.3 * sum(sizes))
        else:
            assert cut == [round(0.3 * size) for size in sizes]


def test_a_masked_neuron_outputs_zero_without_batch_norm(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("lenet5")
    plan = Plan("l2", "neuron", sparsity=dict.fromkeys(bench.layer_of, 0.5))
    for name in bench.layer_of:
        gone = ~bench.prune(plan).units[name]
        maps = bench.feature_maps(plan, name, 0)
        assert gone.any()
        assert not maps[gone].any()


# -- oracles -------------------------------------------------------------------------------


@pytest.mark.parametrize("level", slow_but(lambda level: level > 0.5, [0.1, 0.5, 0.777, 0.95]))
def test_magnitude_is_l1_unstructured_of_torch(bench: Workbench, level: float) -> None:
    pruned = bench.prune(Plan(sparsity=dict.fromkeys(bench.layer_of, level)))
    model = copy.deepcopy(bench.source.model)
    for name in bench.layer_of:
        module = model.get_submodule(name)
        torch_prune.l1_unstructured(module, "weight", amount=level)
        assert torch.equal(pruned.masks[name], module.weight_mask.bool()), name


@pytest.mark.parametrize("level", slow_but(lambda level: level > 0.5, [0.1, 0.5, 0.777, 0.95]))
def test_global_magnitude_is_global_unstructured_of_torch(bench: Workbench, level: float) -> None:
    plan = Plan(scope="global", sparsity=dict.fromkeys(bench.layer_of, level))
    pruned = bench.prune(plan)
    model = copy.deepcopy(bench.source.model)
    torch_prune.global_unstructured(
        [(model.get_submodule(name), "weight") for name in bench.layer_of],
        pruning_method=torch_prune.L1Unstructured,
        amount=level,
    )
    for name in bench.layer_of:
        mask = model.get_submodule(name).weight_mask.bool()
        assert torch.equal(pruned.masks[name], mask), name


@pytest.mark.parametrize(("criterion", "norm"), [("magnitude", 1), ("l2", 2)])
def test_units_are_those_of_ln_structured_of_torch(
    bench: Workbench, criterion: str, norm: int
) -> None:
    plan = Plan(criterion, "neuron", sparsity=dict.fromkeys(bench.layer_of, 0.4))
    pruned = bench.prune(plan)
    model = copy.deepcopy(bench.source.model)
    apart = [name for name in pruned.units if len(bench.groups.members(name)) == 1]
    rows = [name for name in apart if "head" not in getattr(bench.groups.of(name), "word", "")]
    assert len(rows) == {"lenet300": 3, "lenet5": 5, "resnet20": 10, "vit": 14}[bench.name]
    for name in rows:
        module = model.get_submodule(name)
        amount = round(0.4 * bench.layer_of[name].units)
        torch_prune.ln_structured(module, "weight", amount=amount, n=norm, dim=0)
        oracle = module.weight_mask.flatten(1).all(1)
        assert torch.equal(pruned.units[name], oracle), name
        assert not pruned.masks[name][~oracle].any(), name


def test_torch_counts_as_we_do() -> None:
    weights = nn.Linear(5, 3)
    for k in range(31):
        mask = pv.prune(weights, Plan(sparsity={"": k / 30})).masks[""]
        oracle = copy.deepcopy(weights)
        torch_prune.l1_unstructured(oracle, "weight", amount=k / 30)
        assert torch.equal(mask, oracle.weight_mask.bool())


def test_evidence_of_the_weights_alone_is_enough_for_magnitude(toy: nn.Module) -> None:
    known = weights_only(toy, find_layers(toy))
    plan = Plan(sparsity={"": 0.5})
    assert torch.equal(pv.prune(toy, plan, known).masks[""], pv.prune(toy, plan).masks[""])
