"""With which weights does a training begin?"""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import nn

from pruneviz.measuring.bench import Bench
from pruneviz.training.devices import seed_generators
from pruneviz.training.settings import Training


def start_of(bench: Bench, training: Training) -> Bench:
    """The network that a training really begins with: the bench itself, or one of new weights."""
    if training.start != "new":
        return bench
    network, source = copy.deepcopy(bench.source.model), bench.source
    draw_again_(network, training.seed)
    name = f"{source.name}, new weights"
    fresh = replace(
        source, name=name, model=network, card={}, dense=None, masks={}, opened=None, parent=source
    )
    return type(bench)(fresh, bench)


def draw_again_(network: nn.Module, seed: int) -> None:
    """New weights for the whole network, each module by its own rule; as if it was never trained.

    A parameter whose module has no rule (`reset_parameters`) is drawn from a normal distribution
    with the mean and deviation that it has. torch's global generators are left as they were.
    """
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    with seed_generators(seed, device), torch.no_grad():
        for module in network.modules():
            reset = getattr(module, "reset_parameters", None) or getattr(
                module, "_reset_parameters", None
            )
            if callable(reset):
                reset()
                continue
            for parameter in module.parameters(recurse=False):
                mean, deviation = parameter.mean(), parameter.std(correction=0)
                noise = torch.randn(parameter.shape).to(parameter)
                parameter.copy_(mean + deviation * noise)
