"""How is a network made smaller for real, and proved to answer the same?"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from pruneviz.data import Inputs
from pruneviz.memory import trim
from pruneviz.network.agreement import Agreement, agreement
from pruneviz.network.groups import Groups
from pruneviz.network.removal import remove
from pruneviz.network.replica import state


@dataclass(frozen=True)
class Removal:
    """A network without some of its units, and the proof that it answers as with them masked.

    It shares what was not cut with the one it came from: not to be written to. proof: None where
    nothing was cut.
    """

    network: nn.Module
    proof: Agreement | None


def shrink(
    model: nn.Module, groups: Groups, kept: Mapping[str, Tensor], example: Inputs
) -> nn.Module:
    """A network of its own without the units that are not kept, that answers as `model` does.

    As `removal`; in training mode where `model` is.
    """
    return own_copy(removal(model, groups, kept, example).network, model)


def own_copy(small: nn.Module, model: nn.Module) -> nn.Module:
    """A smaller network that shares nothing with `model`, switched as it is.

    What `small` has for itself is not copied: nobody else is to hold it.
    """
    trim()  # what `small` was compared with may just have gone
    shared = {tensor.untyped_storage().data_ptr() for tensor in state(model).values()}
    kept = [p for p in small.parameters() if p.untyped_storage().data_ptr() not in shared]
    own = copy.deepcopy(small, {id(parameter): parameter for parameter in kept})
    theirs = dict(model.named_modules())
    for path, mine in own.named_modules():
        mine.training = theirs[path].training  # a norm that is frozen stays so
    return own


def removal(
    model: nn.Module, groups: Groups, kept: Mapping[str, Tensor], example: Inputs
) -> Removal:
    """`model` without the units that are not kept, proved to answer as it does.

    model: with everything of these units masked. kept: group -> bool [units]. example: inputs that
    both must answer alike, as `agreement` proves it.
    ValueError names a group of which nothing would be left, or that breaks the proof.
    """
    for name, line in kept.items():
        group = groups.groups.get(name)
        if group is not None and group.skip is None and not bool(line.any()):
            members = ", ".join(groups.groups[name].layers)
            raise ValueError(
                f"group {name!r} ({members}) loses all its {len(line)} units; one must stay"
            )
    removable = {name: line for name, line in kept.items() if name in groups.groups}
    small = remove(model, groups, removable)
    try:
        return Removal(small, agreement(model, small, example))
    except ValueError as error:
        guilty = _guilty(model, groups, removable, example)
        raise ValueError(f"{guilty} cannot be removed here: {error}") from None


def _guilty(model: nn.Module, groups: Groups, kept: Mapping[str, Tensor], example: Inputs) -> str:
    """The group that breaks the proof by itself, or all of them."""
    cut = [name for name, line in kept.items() if not bool(line.all())]
    for name in cut:
        try:
            agreement(model, remove(model, groups, {name: kept[name]}), example)
        except ValueError:
            return f"group {name!r}"
    return f"groups {', '.join(map(repr, cut))} together"
