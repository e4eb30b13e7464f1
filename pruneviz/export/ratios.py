"""Which share of each layer is cut, in words that Torch-Pruning takes?"""

from __future__ import annotations

import json
from pathlib import Path

from torch import nn

from pruneviz.export.proof import Proof
from pruneviz.export.subject import Subject
from pruneviz.plan import UNITS

NAME = "torch_pruning.json"
_USE = (
    "import json, torch_pruning as tp",
    f'ratios = json.load(open("{NAME}"))["pruning_ratio_dict"]',
    "modules = {network.get_submodule(name): ratio for name, ratio in ratios.items()}",
    "tp.pruner.MagnitudePruner(network, inputs, tp.importance.MagnitudeImportance(), "
    "pruning_ratio=0.0, pruning_ratio_dict=modules).step()",
)


def write_ratios(subject: Subject, folder: Path) -> None:
    """The share that is cut by module name, and the lines that use it."""
    text = json.dumps({"use": _USE, "pruning_ratio_dict": ratios_of(subject)}, indent=1)
    (folder / NAME).write_text(f"{text}\n", "utf-8")


def prove_ratios(subject: Subject, folder: Path) -> Proof:
    """Read back: each names a module of the network and is a share of it."""
    ratios = json.loads((folder / NAME).read_text("utf-8"))["pruning_ratio_dict"]
    for name, ratio in ratios.items():
        subject.pruned.dense.get_submodule(name)
        if not 0 <= ratio <= 1:
            raise ValueError(f"ratio of {name!r} must be in [0, 1], got {ratio!r}")
    words = f"{len(ratios)} ratios read back, each of a module of the network"
    if subject.plan.granularity not in UNITS:
        words += "; shares of weights, where Torch-Pruning cuts that share of channels"
    return Proof(None, f"{words}; it picks the channels itself, so its answers will differ")


def ratios_of(subject: Subject) -> dict[str, float]:
    """Module -> the share of its units (or weights) that is cut; of several in one the mean."""
    shares: dict[str, list[float]] = {}
    for name, share in subject.pruned.sparsity.items():
        module = _module(subject.pruned.dense, name)
        if module is not None:
            shares.setdefault(module, []).append(share)
    means = {name: sum(all_) / len(all_) for name, all_ in shares.items()}
    return {name: share for name, share in means.items() if share}


def _module(network: nn.Module, layer: str) -> str | None:
    """The module that a layer is, or is one projection of."""
    names = dict(network.named_modules())
    path = layer.rpartition(".")[0]
    return layer if layer in names else path if path in names else None
