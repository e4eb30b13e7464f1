"""How is a network made smaller for real, and proved to answer the same?"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pruneviz.data import Inputs
from pruneviz.network.calling import call_all
from pruneviz.network.groups import Groups
from pruneviz.network.removal import remove
from pruneviz.network.replica import replica
from pruneviz.network.trial import mismatch


def shrink(
    model: nn.Module, groups: Groups, kept: Mapping[str, Tensor], example: Inputs
) -> nn.Module:
    """A network of its own without the units that are not kept, that answers as `model` does.

    model: with everything of these units masked. kept: group -> bool [units]. example: inputs that
    both must answer alike, to 1e-5 of the largest answer (more in short number formats).
    ValueError names a group of which nothing would be left, or that breaks the proof.
    """
    for name, line in kept.items():
        if name in groups.groups and not bool(line.any()):
            members = ", ".join(groups.groups[name].layers)
            raise ValueError(
                f"group {name!r} ({members}) loses all its {len(line)} units; one must stay"
            )
    removable = {name: line for name, line in kept.items() if name in groups.groups}
    small = remove(model, groups, removable)
    complaint = _complaint(model, small, example)
    if complaint is not None:
        guilty = _guilty(model, groups, removable, example)
        raise ValueError(f"{guilty} cannot be removed here: {complaint}")
    own = copy.deepcopy(small)
    for mine, theirs in zip(own.modules(), model.modules(), strict=True):
        mine.training = theirs.training  # a norm that is frozen stays so
    return own


def _complaint(model: nn.Module, small: nn.Module, example: Inputs) -> str | None:
    """What is wrong with the smaller network, or None."""
    with torch.inference_mode():
        expected = call_all(replica(model), example)
        try:
            got = call_all(small, example)
        except Exception as error:  # the network's own code meets sizes that it never saw
            return (str(error).strip() or type(error).__name__).splitlines()[0]
    return mismatch(expected, got)


def _guilty(model: nn.Module, groups: Groups, kept: Mapping[str, Tensor], example: Inputs) -> str:
    """The group that breaks the proof by itself, or all of them."""
    cut = [name for name, line in kept.items() if not bool(line.all())]
    for name in cut:
        if _complaint(model, remove(model, groups, {name: kept[name]}), example) is not None:
            return f"group {name!r}"
    return f"groups {', '.join(map(repr, cut))} together"
