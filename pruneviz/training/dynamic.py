"""How does a sparse network change which of its weights are there?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from pruneviz.network.layers import Layer
from pruneviz.network.replica import state
from pruneviz.plan import Plan
from pruneviz.training.devices import seed_of
from pruneviz.training.mask_set import MaskSet, enter
from pruneviz.training.run import Run


def begin_sparse(run: Run, plan: Plan) -> None:
    """Cut as many weights of each layer as the plan says, by chance."""
    chance = replace(plan, criterion="random", seed=run.training.seed)
    run.hold(run.structure.cut(run.network, chance, run.masks))


def grow_by_chance(run: Run, t: float) -> None:
    """SET (Mocanu et al., 2018): the smallest weights go, as many others come by chance."""
    draw = torch.Generator().manual_seed(seed_of(run.training.seed, run.leg, run.step))
    _rewire(run, t, lambda layer: torch.rand(layer.shape, generator=draw))


def grow_by_gradient(run: Run, t: float) -> None:
    """RigL (Evci et al., 2020): the smallest weights go, others come where |g| is largest."""
    parameters = dict(run.network.named_parameters(remove_duplicate=False))

    def size(layer: Layer) -> Tensor:
        grad = parameters[layer.weight].grad
        shape = parameters[layer.weight].shape
        return layer.canonical(torch.zeros(shape) if grad is None else grad).abs().cpu()

    _rewire(run, t, size)


def fraction(drop: float, t: float) -> float:
    """Of what is there, how much is rewired at t in 0..1: drop / 2 · (1 + cos πt)."""
    return drop / 2 * (1 + math.cos(math.pi * t))


def rewire(weight: Tensor, mask: Tensor, wish: Tensor, number: int) -> Tensor:
    """A mask with as many True: the `number` smallest |weight| of those kept go, and of those that
    were cut before as many come, where `wish` is largest; ties in order. All of one shape.
    """
    flat, there = weight.abs().flatten(), mask.flatten()
    number = min(number, int(there.sum()), int((~there).sum()))
    if number == 0:
        return mask
    weakest = flat.masked_fill(~there, math.inf).argsort(stable=True)[:number]
    coming = wish.flatten().masked_fill(there, -math.inf)
    strongest = coming.argsort(descending=True, stable=True)[:number]
    changed = there.clone()
    changed[weakest] = False
    changed[strongest] = True
    return changed.reshape(mask.shape)


def _rewire(run: Run, t: float, wish: Callable[[Layer], Tensor]) -> None:
    tensors = state(run.network)
    layers, parameters = dict(run.masks.layers), dict(run.masks.parameters)
    for name, layer in run.structure.layers.items():
        mask = layers.get(name)
        if mask is None or bool(mask.all()):
            continue
        number = round(fraction(run.training.drop, t) * int(mask.count_nonzero()))
        weight = layer.canonical(tensors[layer.weight]).cpu()
        new = rewire(weight, mask.cpu(), wish(layer), number).to(mask.device)
        changed = int((new != mask).sum()) // 2
        if not changed:
            continue
        layers[name] = new
        parameters[layer.weight] = enter(parameters[layer.weight], layer, new)
        run.tell("rewired", name, changed, f"{changed / int(mask.count_nonzero()):.0%} of them")
    run.hold(MaskSet(parameters, layers, run.masks.units))
