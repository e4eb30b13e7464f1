"""Which network does a file hold that runs code when it is opened?"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from pruneviz.sources.networks.exported import restore_layers
from pruneviz.sources.networks.libraries import error_line
from pruneviz.sources.networks.nested_weights import KNOWN


def runs_code(path: Path) -> bool:
    """Is this an exported program (.pt2), which is a network of its own and no weights?"""
    if path.suffix == ".pt2":
        return True
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        names = {Path(name).name for name in archive.namelist()}
    return bool(names & {"archive_format", "serialized_exported_program.json"})


def unpickle(path: Path, unsafe: bool = False) -> tuple[nn.Module, tuple[str, ...]]:
    """The network in an exported program (.pt2) or in a file of torch.save(network), and notes.

    Opening either runs whatever code the file holds, so `unsafe` must say yes; there is no way
    to open an upload. Raises ValueError without it, and for a file that holds no network.
    """
    if not unsafe:
        raise ValueError(
            f"{path.name} would run code when opened; for files you made yourself only, allow it "
            "with --unsafe-load (in Python: unsafe=True), or save the state_dict instead"
        )
    if not path.is_file():
        raise ValueError(f"{path.name}: there is no such file; check the path")
    try:
        if runs_code(path):
            note = "opened as an exported program: its layers were found again in its graph"
            return restore_layers(torch.export.load(path)), (note,)
        network = torch.load(path, map_location="cpu", weights_only=False)
    # Code in the file may raise anything; a class that is not importable here is the usual case.
    except Exception as error:
        raise ValueError(f"{path.name} cannot be opened ({error_line(error)})") from error
    note = "opened as a whole network, running the code in the file"
    if isinstance(network, Mapping):  # a checkpoint with the network beside its optimiser
        inside = {str(key): value for key, value in network.items() if isinstance(value, nn.Module)}
        if inside:
            key = next((key for key in KNOWN if key in inside), next(iter(inside)))
            return inside[key].eval(), (f"{note}; it was under {key!r}",)
    if not isinstance(network, nn.Module):
        raise ValueError(
            f"{path.name} holds {type(network).__name__}, not a network; "
            "open weights without --unsafe-load and with an architecture"
        )
    return network.eval(), (note,)
