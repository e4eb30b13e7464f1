"""On which device of this machine may a network be?"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable

import torch
from torch import nn

from pruneviz.network.replica import state

VARIABLE = "PRUNEVIZ_DEVICE"
DEVICES = ("auto", "cpu", "cuda", "mps")
_HERE: dict[str, Callable[[], bool]] = {
    "mps": torch.backends.mps.is_available,
    "cuda": torch.cuda.is_available,
    "cpu": lambda: True,
}


def find_device(accelerator: str) -> torch.device:
    """The device of this name; "gpu": mps or cuda, "auto": the first there is.

    ValueError where this machine has no such device.
    """
    here = [name for name, there in _HERE.items() if there()]
    wanted = {"auto": [*_HERE], "gpu": ["mps", "cuda"]}.get(accelerator, [accelerator])
    found = next((name for name in wanted if name in here), None)
    if found is None:
        raise ValueError(f"this machine has {' and '.join(here)}")
    return torch.device(found, 0) if found == "cuda" else torch.device(found)


def measuring_device(name: str | None) -> torch.device | None:
    """Where a network is to be cut and measured; name: of DEVICES, None: as PRUNEVIZ_DEVICE says.

    None where nobody says anything: it stays where it is. "auto": cuda where it is there, else cpu.
    ValueError names what is unknown, or not here, or can't be used.
    """
    name = os.environ.get(VARIABLE) if name is None else name
    if not name:
        return None
    if name not in DEVICES:
        raise ValueError(f"device must be one of {', '.join(DEVICES)}, got {name!r}")
    if name == "mps":
        raise ValueError(
            "device 'mps' knows no double precision, in which importances of units and what the "
            "calibration data tells are summed: use 'cpu'"
        )
    if name == "auto":
        return find_device("cuda" if _HERE["cuda"]() else "cpu")
    try:
        return find_device(name)
    except ValueError as error:
        raise ValueError(f"device {name!r} is not here: {error}") from None


def place_on(model: nn.Module, device: torch.device) -> nn.Module:
    """A copy of the model on a device; the model itself where it is there already."""
    if all(tensor.device == device for tensor in state(model).values()):
        return model
    try:
        return copy.deepcopy(model).to(device)
    except RuntimeError as error:  # it is too large for it, say
        raise ValueError(f"the network cannot be put on device {device}: {error}") from None
