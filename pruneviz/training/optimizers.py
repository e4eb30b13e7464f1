"""By which steps do weights move?"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.optim import lr_scheduler

from pruneviz.training.run import Run
from pruneviz.training.settings import Training

Schedule = lr_scheduler.LRScheduler


def optimizer_for(network: nn.Module, training: Training) -> torch.optim.Optimizer:
    """The optimiser asked for. It decays matrices and kernels alone: biases and norms have
    nothing to shrink for.
    """
    able = [p for p in network.parameters() if p.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in able if p.ndim > 1], "weight_decay": training.weight_decay},
        {"params": [p for p in able if p.ndim <= 1], "weight_decay": 0.0},
    ]
    rate = training.learning_rate
    # One pass over memory a step: a small network trains twice as fast. Unfused, Adam also takes
    # square roots of the zeros that it remembers of what is cut, the slowest there are on a CPU.
    fused = all(p.device.type in ("cpu", "cuda") and p.is_floating_point() for p in able)
    if training.optimizer == "sgd":
        return torch.optim.SGD(groups, rate, momentum=training.momentum, fused=fused)
    kind = torch.optim.AdamW if training.optimizer == "adamw" else torch.optim.Adam
    # In float16 the usual 1e-8 is zero, and so are most squares of gradients: 0 / 0.
    short = any(p.dtype == torch.float16 for p in able)
    return kind(groups, rate, eps=1e-4 if short else 1e-8, fused=fused)


def schedule_for(run: Run, before: Schedule | None = None) -> Schedule:
    """The schedule of the run's leg; before: one that it goes on from with another optimiser."""
    optimizer, training = run.optimizer, run.training
    steps = run.steps
    schedule: Schedule
    if training.schedule == "one-cycle":
        schedule = lr_scheduler.OneCycleLR(
            optimizer, training.learning_rate, steps + 1, cycle_momentum=False
        )
    elif training.schedule == "cosine":
        schedule = lr_scheduler.CosineAnnealingLR(optimizer, steps)
    elif training.schedule == "linear":
        schedule = lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    else:
        schedule = lr_scheduler.ConstantLR(optimizer, 1.0, 1)
    if before is not None:
        go_on_(schedule, before.state_dict())
    return schedule


def go_on_(schedule: Schedule, state: dict[str, Any]) -> None:
    """Bring a schedule, with the rates of its optimiser, to where another one was."""
    schedule.load_state_dict(state)
    for group, rate in zip(schedule.optimizer.param_groups, state["_last_lr"], strict=True):
        group["lr"] = rate
