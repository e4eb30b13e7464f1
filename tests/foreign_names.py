"""Which names would a browser fetch, run or turn into a heading, if it read them?"""

from __future__ import annotations

import torch
from torch import nn

from pruneviz.data import Data
from pruneviz.sources import Source
from pruneviz.workbench import Workbench

# A module's name has no dots, so these addresses have none.
NAMES = (
    "![x](http://localhost:9/a)",
    "<img src=http://localhost:9/b onerror=alert(1)>",
    "$\\frac{1}{2}$",
    ":red[x] :material/home:",
    "[a](javascript:alert(1))",
    "# h ~~s~~ `c` | *e*",
    '"><script>alert(1)</script>',
    "=HYPERLINK(`http://localhost:9/c`)",
)
CLASSES = tuple(f"{name} {place}" for place, name in enumerate(NAMES))
NETWORK = "<b>n</b> ![n](http://localhost:9/n) $x$ `n`"
NOTE = "note ![t](http://localhost:9/t) <i>t</i> $t$"


class Hostile(nn.Module):
    """Two convolutions and as many linear layers as there are names, each called by one."""

    def __init__(self) -> None:
        super().__init__()
        for place, name in enumerate(NAMES):
            self.add_module(name, nn.Conv2d(1, 4, 3) if place == 0 else nn.Linear(16, 16))
        self.add_module("last", nn.Linear(16, len(CLASSES)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, *others, last = self.children()
        x = nn.functional.adaptive_avg_pool2d(first(x).relu(), 2).flatten(1)
        for layer in others:
            x = x + layer(x).relu()
        scores: torch.Tensor = last(x)
        return scores


def hostile_source(samples: int = 64) -> Source:
    """A network whose layers, classes, name and notes are hostile; pictures of 8 × 8 come in."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = Hostile().eval()
        inputs = torch.randn(samples, 1, 8, 8)
    with torch.no_grad():
        targets = model(inputs).argmax(1)
    data = Data(inputs, targets)
    return Source(NETWORK, model, data, data, CLASSES, training=data, notes=(NOTE,))


def hostile_bench() -> Workbench:
    """Its workbench."""
    return Workbench(hostile_source())
