"""How is a sample network fitted to its training digits?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from pruneviz.data import Data
from pruneviz.training.augmentation import move


@dataclass(frozen=True)
class Recipe:
    """What a training run depends on besides the network, the digits and the seed.

    AdamW (Loshchilov & Hutter, 2019) under a one-cycle schedule (Smith & Topin, 2018) whose
    highest rate is `learning_rate`. The number of epochs is fixed beforehand and the last weights
    are kept, so that no digit has to be held out for choosing. shift is in pixels, turn in
    degrees, zoom is a fraction.
    """

    epochs: int
    learning_rate: float
    batch: int = 64
    weight_decay: float = 0.05
    shift: float = 2.0
    turn: float = 10.0
    zoom: float = 0.1

    @property
    def rounds(self) -> int:
        """How often training tells how far it is."""
        return self.epochs


def fit(
    build: Callable[[], nn.Module],
    recipe: Recipe,
    data: Data,
    seed: int,
    tell: Callable[[int, float], None] = lambda epoch, loss: None,
) -> nn.Module:
    """A newly built network, trained on data (inputs [n, 1, 28, 28]), in eval mode.

    The same seed gives the same weights on the same machine with the same number of threads;
    torch's global generator is left as it was. tell(epoch, mean loss in nats) after each epoch.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build().train()
    generator = torch.Generator().manual_seed(seed)
    optimiser = _optimiser(model, recipe)
    inputs, targets = data.tensors()[""], data.targets
    assert targets is not None
    steps = recipe.epochs * ceil(len(data) / recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.learning_rate, steps)
    for epoch in range(1, recipe.epochs + 1):
        total = 0.0
        order = torch.randperm(len(data), generator=generator)
        for chosen in torch.split(order, recipe.batch):
            images = move(inputs[chosen], generator, recipe.shift, recipe.turn, recipe.zoom)
            loss = F.cross_entropy(model(images), targets[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += loss.item() * len(chosen)
        tell(epoch, total / len(data))
    return model.eval().requires_grad_(False)


def _optimiser(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW that decays matrices and kernels only: biases and norms have nothing to shrink for."""
    groups: list[dict[str, Any]] = [
        {"params": [p for p in model.parameters() if p.ndim > 1]},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, recipe.learning_rate, weight_decay=recipe.weight_decay)
