"""How long does each layer take?"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from weakref import WeakKeyDictionary

import torch
from torch import nn

from pruneviz.data import Data
from pruneviz.network.forward_pass import call
from pruneviz.network.layers import Layer
from pruneviz.network.replica import replica

_ROUNDS, _BATCH, _PATIENCE = 7, 16, 3.0
_TIMED: WeakKeyDictionary[nn.Module, dict[str, float]] = WeakKeyDictionary()


def layer_times(model: nn.Module, layers: Mapping[str, Layer], data: Data) -> dict[str, float]:
    """Layer -> seconds for one sample in the dense network, in passes of 16; timed once.

    The median of up to seven passes within three seconds. Layers that share a module share its
    time by their weights; those that never run as a module of their own are left out.
    """
    if model not in _TIMED:
        _TIMED[model] = _times(model, layers, data)
    return _TIMED[model]


def _times(model: nn.Module, layers: Mapping[str, Layer], data: Data) -> dict[str, float]:
    network, batch = replica(model), data.first(_BATCH)
    modules = dict(network.named_modules())
    homes = {name: _home(modules, name) for name in layers}
    begun: dict[nn.Module, float] = {}
    seconds_of: dict[nn.Module, list[float]] = {
        home: [] for home in homes.values() if home is not None
    }
    now: dict[nn.Module, float] = {}

    def starts(module: nn.Module, _: object) -> None:
        begun[module] = time.perf_counter()

    def ends(module: nn.Module, _: object, __: object) -> None:
        now[module] = now.get(module, 0.0) + time.perf_counter() - begun[module]

    for module in seconds_of:
        module.register_forward_pre_hook(starts)
        module.register_forward_hook(ends)
    start = time.perf_counter()
    with torch.inference_mode():
        for _ in range(_ROUNDS):
            now.clear()
            call(network, batch.inputs)
            for module, seconds in now.items():
                seconds_of[module].append(seconds)
            if time.perf_counter() - start > _PATIENCE:
                break
    each = {m: statistics.median(s) / len(batch) for m, s in seconds_of.items() if s}
    sizes: dict[nn.Module, int] = {}
    for name, home in homes.items():
        if home is not None:
            sizes[home] = sizes.get(home, 0) + layers[name].size
    return {
        name: each[home] * layers[name].size / sizes[home]
        for name, home in homes.items()
        if home is not None and home in each
    }


def _home(modules: Mapping[str, nn.Module], name: str) -> nn.Module | None:
    """The module that computes a layer: the projections of an attention have it in common."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return modules[name] if name else None
