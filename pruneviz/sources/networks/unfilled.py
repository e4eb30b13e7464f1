"""How is a network built whose first weights are about to be replaced?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import torch
from torch import nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from torch.nn.parameter import is_lazy

from pruneviz import limits
from pruneviz.network.replica import state
from pruneviz.sources.networks.checkpoint import Weights
from pruneviz.sources.networks.weight_fit import fit

_SEED = 0


def build(
    make: Callable[[], nn.Module], weights: Weights | None
) -> tuple[nn.Module, tuple[str, ...]]:
    """The network that `make` builds, with the weights in it, or with seeded random ones.

    With weights, the parameters of the new network take no memory of their own: those of the
    file take their place, so that nothing is held twice. Raises ValueError as `fit` does.
    """
    check_size(make)
    if weights is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_SEED)
            return make().eval(), (f"random weights, seed {_SEED}: it was never trained",)
    try:
        with _empty_parameters():
            model = make()
    # Some networks read their own new weights while they are built: those are built in full.
    except RuntimeError:
        model = make()
    filled, notes = fit(model, weights)
    if any(tensor.is_meta for tensor in state(filled).values()):
        filled, notes = fit(make(), weights)
    return filled.eval(), notes


def check_size(make: Callable[[], nn.Module]) -> None:
    """OverLimit where what `make` builds has more parameters or modules than are taken.

    It is built once without values, and left off as soon as it is too large.
    """
    _register_once()
    try:
        with torch.random.fork_rng(devices=[]), _size_counter(), torch.device("meta"):
            make()
    except limits.OverLimit:
        raise
    # Some networks read their own new weights while they are built. Of those no more than one
    # parameter at a time has values.
    except Exception:
        with torch.random.fork_rng(devices=[]), _size_counter(), _empty_parameters():
            try:
                make()
            except limits.OverLimit:
                raise
            except Exception:
                return  # the one who builds it in earnest says why it cannot be built


@contextmanager
def _size_counter() -> Iterator[None]:
    _here.count = {"parameters": 0, "modules": 0}
    try:
        yield
    finally:
        del _here.count


def _count(kind: str, more: int) -> None:
    count: dict[str, int] | None = getattr(_here, "count", None)
    if count is not None:
        count[kind] += more
        limits.check(kind, count[kind], "the network that is named has at least")


@contextmanager
def _empty_parameters() -> Iterator[None]:
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
    register_module_buffer_registration_hook(_one_buffer)
    register_module_module_registration_hook(_one_module)
    register_module_parameter_registration_hook(_without_values)  # type: ignore[arg-type]


def _size(tensor: torch.Tensor) -> int:
    return 0 if is_lazy(tensor) else tensor.numel()  # its shape comes with its first input


def _one_buffer(module: nn.Module, name: str, buffer: torch.Tensor | None) -> None:
    if buffer is not None:
        _count("parameters", _size(buffer))


def _one_module(module: nn.Module, name: str, child: nn.Module | None) -> None:
    _count("modules", 1)


def _without_values(module: nn.Module, name: str, param: nn.Parameter) -> nn.Parameter | None:
    if param is not None:
        _count("parameters", _size(param))
    parameters: dict[int, tuple[nn.Parameter, nn.Parameter]] | None = getattr(_here, "seen", None)
    if parameters is None or param.is_meta:
        return None
    if id(param) not in parameters:  # a parameter registered twice stays one; kept alive for its id
        empty = nn.Parameter(param.detach().to("meta"), requires_grad=param.requires_grad)
        empty.__dict__.update(param.__dict__)
        parameters[id(param)] = (param, empty)
    return parameters[id(param)][1]
