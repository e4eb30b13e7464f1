"""How far are the values inside a network from those inside the dense one?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pruneviz.measuring.bench import Bench
from pruneviz.network.forward_pass import answer_of
from pruneviz.training.run import Run
from pruneviz.training.settings import Training

Features = Mapping[str, list[Tensor]]


class FeatureListener:
    """While it is entered, it hears what these modules of `network` put out, call by call.

    What a module returns in a tuple or a mapping counts by its main tensor, as answers do.
    """

    def __init__(self, network: nn.Module, names: Sequence[str]) -> None:
        self._network, self._names = network, names
        self.features: dict[str, list[Tensor]] = {}

    def __enter__(self) -> Features:
        self.features = {}
        self._hooks = [
            self._network.get_submodule(name).register_forward_hook(self._hear(name))
            for name in self._names
        ]
        return self.features

    def __exit__(self, *error: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _hear(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hear(module: nn.Module, args: Any, output: Any) -> None:
            self.features.setdefault(name, []).append(answer_of(output))

        return hear


def distance(ours: Tensor, dense: Tensor) -> Tensor:
    """Σ (ours − dense)² / Σ dense²: the mean squared error as a share of the mean square of the
    dense network's values, so that layers of large values weigh no more than others. A scalar;
    the mean squared error itself where these are all zero.

    >>> float(distance(torch.tensor([1.0, 2.0]), torch.tensor([2.0, 4.0])))
    0.25
    """
    ours, dense = ours.float(), dense.detach().float()
    size = dense.square().sum()
    return (ours - dense).square().sum() / torch.where(size > 0, size, dense.numel())


def feature_names(bench: Bench, training: Training) -> tuple[str, ...]:
    """The modules of which the training compares what they put out; none where it compares none.

    Those that were asked for; else those that hold a block that can be left out (the innermost
    module around it), and in a network without such blocks each layer that makes no answer.
    ValueError names a module that is not there.
    """
    if not training.features:
        return ()
    here, dense = (
        {name for name, _ in network.named_modules(remove_duplicate=False) if name}
        for network in (bench.source.model, bench.original.source.model)
    )
    for name in training.feature_layers:
        if name not in here & dense:
            whose = "the network" if name not in here else "the dense network"
            raise ValueError(
                f"feature_layers names {name!r}, and {whose} has no module of that name; give "
                f"the path of one, such as {', '.join(map(repr, bench.survey.order[:3]))}"
            )
    if training.feature_layers:
        return training.feature_layers
    usual = _around_blocks(bench) or [n for n in bench.layer_of if n not in bench.survey.heads]
    names = tuple(name for name in usual if name in here & dense)
    if not names:
        raise ValueError(
            "this network has no layer before its answers whose output could be compared; learn "
            "from the answers (distill), and set features to 0"
        )
    return names


def _around_blocks(bench: Bench) -> list[str]:
    try:
        blocks = bench.graph_cache.blocks.groups.values()
    except ValueError:  # it cannot be traced, and shows no blocks
        return []
    return list(dict.fromkeys(block.skip.path for block in blocks if block.skip is not None))


def features_apart(run: Run, ours: Features, dense: Features) -> Tensor:
    """How far they are apart, mean over the modules: a scalar.

    A layer that lost units for real is compared in those that are left. Other modules whose
    output has another shape than in the dense network are left out, and a note names them.
    ValueError where nothing can be compared from the first step on.
    """
    parts, other = [], []
    for name, outputs in ours.items():
        theirs = dense.get(name, [])
        pairs = [(a, _in_units_left(run, name, b)) for a, b in zip(outputs, theirs, strict=False)]
        if pairs and all(a.shape == b.shape for a, b in pairs):
            parts.append(torch.stack([distance(a, b) for a, b in pairs]).mean())
        else:
            other.append(name)
    silent = [name for name in run.training.feature_layers if name not in ours]
    if silent or not (parts or run.removed):
        name = next(iter([*silent, *other]), "")
        why = "is not called as a module" if silent else "has another shape in the dense network"
        raise ValueError(
            f"the output of {name!r} cannot be compared with the dense network's: it {why}; "
            "choose other feature_layers, or set features to 0"
        )
    for name in other:
        note = f"{name!r} has lost units: its output is not compared with the dense network's"
        if note not in run.notes:
            run.notes.append(note)
    return torch.stack(parts).mean() if parts else torch.zeros((), device=run.chance.device)


def _in_units_left(run: Run, name: str, dense: Tensor) -> Tensor:
    """The dense network's values of those units that a layer still has."""
    places = run.structure.places.get(name)
    if places is None:
        return dense
    dim = 1 if run.structure.layers[name].kind.startswith("conv") else -1
    return dense.index_select(dim, places.to(dense.device))
