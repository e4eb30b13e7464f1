"""What makes weights small while a network trains?"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pruneviz.training.run import Run


def l1(run: Run) -> Tensor:
    """Σ|w| over the weights of all layers that the plan cuts."""
    parameters = dict(run.network.named_parameters(remove_duplicate=False))
    names = {run.structure.layers[n].weight for n, level in run.plan.sparsity.items() if level}
    return torch.stack([parameters[name].abs().sum() for name in sorted(names)]).sum()


def norm_scales(run: Run) -> Tensor:
    """Σ|γ| over the scales of all batch norms (network slimming); ValueError if there are none."""
    norms = nn.modules.batchnorm._BatchNorm
    scales = [
        module.weight
        for module in run.network.modules()
        if isinstance(module, norms) and module.weight is not None
    ]
    if not scales:
        raise ValueError("slimming needs batch norms, and this network has none; use 'l1'")
    return torch.stack([scale.abs().sum() for scale in scales]).sum()
