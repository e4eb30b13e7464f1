"""Which networks are repaired in the tests, and how is a group of units cut by hand?"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.network.graph import Graph, trace
from pruneviz.network.groups import Group, Groups, Place, masks_of
from pruneviz.network.layers import find_layers
from pruneviz.network.replica import apply_masks, state
from pruneviz.plan import Plan
from pruneviz.pruning.repair import repair

ALL = ("fold", "reconstruct", "recalibrate")


def data(*shape: int, seed: int = 0) -> Data:
    return Data(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)))


def traced(model: nn.Module, inputs: Tensor) -> Graph:
    return trace(model.eval(), inputs[:2], find_layers(model))


def group(model: nn.Module, lead: str, consumer: str, norm: str = "", each: int = 1) -> Groups:
    """One group: the units of `lead`, a batch norm, and a consumer with `each` columns a unit."""
    layers = find_layers(model)
    units = torch.arange(layers[lead].units)
    places = [Place(layers[lead].weight, 0, units)]
    tensors = state(model)
    per_unit = [f"{norm}.{n}" for n in ("weight", "bias", "running_mean", "running_var")]
    owned = [f"{lead}.bias", *(per_unit if norm else ())]
    places += [Place(name, 0, units) for name in owned if name in tensors]
    places.append(Place(f"{consumer}.weight", 1, units.repeat_interleave(each)))
    found = Group(lead, (lead,), len(units), "neuron", {lead: units}, (consumer,), tuple(places))
    return Groups({lead: found})


def run(
    model: nn.Module,
    groups: Groups,
    cut: dict[str, list[int]],
    calibration: Data,
    *names: str,
    **settings: int,
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """What was repaired; all tensors of the pruned network with it and without."""
    tensors = state(model)
    masks: dict[str, Tensor] = {}
    units = {}
    for lead, which in cut.items():
        units[lead] = torch.ones(groups.groups[lead].units, dtype=torch.bool)
        units[lead][which] = False
        masks_of(groups.groups[lead], units[lead], tensors, masks)
    masks = {name: mask for name, mask in masks.items() if "running" not in name}
    layers = find_layers(model)
    levels = {lead: len(which) / len(units[lead]) for lead, which in cut.items()}
    plan = Plan(granularity="neuron", sparsity=levels, repair=names)
    assert isinstance(calibration.inputs, Tensor)
    graph = traced(model, calibration.inputs)
    found = repair(model, layers, groups, graph, plan, masks, units, calibration, **settings)
    for name, tensor in found.items():
        assert tensor.shape == tensors[name].shape
        assert tensor.dtype == tensors[name].dtype
        assert tensor.isfinite().all()
    whole = tensors | found
    return found, whole | apply_masks(whole, masks), tensors | apply_masks(tensors, masks)


def chain() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).eval()


def convolutions(bias: bool = False, **settings: int) -> nn.Sequential:
    torch.manual_seed(1)
    return _settled(
        nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1, bias=bias),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 4, 3, bias=bias, **settings),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(16, 3),
        )
    )


def _settled(model: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                for tensor in (module.weight, module.bias, module.running_mean):
                    tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.2)
    return model.eval()
