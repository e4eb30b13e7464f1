"""How is a network built whose first weights are about to be replaced?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from pruneviz.network.replica import state
from pruneviz.sources.networks.checkpoint import Weights
from pruneviz.sources.networks.loading import fit

_SEED = 0


def built(
    make: Callable[[], nn.Module], weights: Weights | None
) -> tuple[nn.Module, tuple[str, ...]]:
    """The network that `make` builds, with the weights in it, or with seeded random ones.

    With weights, the parameters of the new network take no memory of their own: those of the
    file take their place, so that nothing is held twice. Raises ValueError as `fit` does.
    """
    if weights is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_SEED)
            return make().eval(), (f"random weights, seed {_SEED}: it was never trained",)
    try:
        with _unfilled():
            model = make()
    # Some networks read their own new weights while they are built: those are built in full.
    except (RuntimeError, NotImplementedError):
        model = make()
    filled, notes = fit(model, weights)
    if any(tensor.is_meta for tensor in state(filled).values()):
        filled, notes = fit(make(), weights)
    return filled.eval(), notes


@contextmanager
def _unfilled() -> Iterator[None]:
    """Parameters made in this thread within are without values; buffers are as ever.

    Building on the "meta" device would leave buffers that no file holds (index tables, rotary
    angles) without values too.
    """
    _register_once()
    _here.seen = {}
    try:
        yield
    finally:
        del _here.seen


_here = threading.local()


# Registered once and kept: torch walks over the hooks while other threads build theirs.
@cache
def _register_once() -> None:
    register_module_parameter_registration_hook(_without_values)  # type: ignore[arg-type]


def _without_values(module: nn.Module, name: str, param: nn.Parameter) -> nn.Parameter | None:
    seen: dict[int, tuple[nn.Parameter, nn.Parameter]] | None = getattr(_here, "seen", None)
    if seen is None or param.is_meta:
        return None
    if id(param) not in seen:  # a parameter registered twice stays one; kept alive for its id
        empty = nn.Parameter(param.detach().to("meta"), requires_grad=param.requires_grad)
        empty.__dict__.update(param.__dict__)
        seen[id(param)] = (param, empty)
    return seen[id(param)][1]
