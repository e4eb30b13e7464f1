"""Which networks are small enough to train in a blink, with data?"""

from __future__ import annotations

import torch
from torch import nn

from pruneviz.data import Data
from pruneviz.sources import Source
from pruneviz.workbench import Workbench

X = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
Y = torch.arange(40) % 3


def network() -> nn.Sequential:
    """4 numbers in, 3 classes out, for X and Y."""
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()


def small_bench(samples: int = 48, norm: bool = False) -> Workbench:
    """8 numbers in, 3 classes out; the class is the largest of the first three numbers."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        between = nn.BatchNorm1d(16) if norm else nn.Identity()
        model = nn.Sequential(
            nn.Linear(8, 16), between, nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3)
        )
        inputs = torch.randn(samples, 8)
    data = Data(inputs, inputs[:, :3].argmax(1))
    return Workbench(Source("small", model.eval(), data, data, ("a", "b", "c"), training=data))
