"""With which weights does a training begin?"""

from __future__ import annotations

import torch
from torch import nn

from pruneviz.training.devices import seed_generators


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
